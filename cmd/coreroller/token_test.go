package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/coreroller/coreroller/auth"
)

// steps runs command lines on one database and checks what they print.
func steps(t *testing.T, dir string, all []step) {
	t.Helper()
	for _, s := range all {
		out, errs, code := execute(t, s.input, nil, append(strings.Split(s.line, "|"), dir)...)
		for want := range strings.SplitSeq(s.want, "|") {
			if code != s.code || !strings.Contains(out+errs, want) {
				t.Errorf("%s: exit code %d, %s%s; want %d and %q", s.line, code, out, errs, s.code, want)
			}
		}
	}
}

type step struct {
	input, line string // the arguments, separated by |
	want        string // texts separated by |
	code        int
}

func TestTokenCommands(t *testing.T) {
	dir := "--data-dir=" + t.TempDir()
	steps(t, dir, []step{
		{"a good password\n", "user|add|ann|--role|publisher", "was added", 0},
		{"", "token|create|ci|--user|ann|--role|operator|--application|Flatcar Container Linux|--for|48h", "crt_|valid until", 0},
		{"", "token|create|ci|--user|ann", "already taken", 1},
		{"", "token|create|x|--user|ann|--role|admin", "must not be above that of the user, publisher", 1},
		{"", "token|create|x|--user|ann|--role|king", "--role: must be one of viewer", 1},
		{"", "token|create|x|--user|bob", "no such user", 1},
		{"", "token|create|x", `required flag(s) "user" not set`, 1},
		{"", "token|create|--user|ann", "expected one argument, the name of the token", 1},
		{"", "token|create|x|--user|ann|--application|nothing", `no application "nothing"`, 1},
		{"", "token|create|x|--user|ann|--group|nothing", `no group`, 1},
		{"", "token|create|x|--user|ann|--for|90000h", "at most ten years", 1},
		{"", "token|create|wall|--user|ann|--role|viewer|--group|Flatcar Container Linux/Stable", "crt_", 0},
		{"", "token|create|wall2|--user|ann|--role|viewer|--application|Flatcar Container Linux|--group|Stable", "crt_", 0},
		{"", "user|token|ann|--for|24h", "crt_|send the token cli-", 0},
		{"", "token|list", "ci  |of ann  operator of Flatcar Container Linux  until |viewer of Flatcar Container Linux/Stable|never used|cli-", 0},
		{"", "token|revoke|ci|--user|bob", "user bob has no token ci", 1},
		{"", "token|revoke|ci|--user|ann", "token ci of ann was revoked", 0},
		{"", "token|revoke|ci|--user|ann", "user ann has no token ci", 1},
	})
	if out, _, _ := execute(t, "", nil, "token", "list", dir); strings.Contains(out, "ci  ") {
		t.Errorf("the revoked token is listed: %s", out)
	}
}

// The printed secret, and only that, is on standard output, and it calls the API.
func TestCreatedTokenCallsTheAPIAndSessionsEnd(t *testing.T) {
	dir := t.TempDir()
	steps(t, "--data-dir="+dir, []step{{"a good password\n", "user|add|ann", "was added", 0}})
	out, _, _ := execute(t, "", nil, "user", "token", "ann", "--data-dir", dir)
	secret := strings.TrimSpace(out)
	p := runProgram(t, Config{Listen: "127.0.0.1:0", DataDir: dir})
	ask := func() int {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.URL()+"/api/apps", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+secret)
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		return answer.StatusCode
	}
	if status := ask(); status != http.StatusOK {
		t.Errorf("status %d with %q", status, secret)
	}
	ann, err := p.fleet.Accounts.Authenticate(t.Context(), "ann", "a good password")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := p.fleet.Accounts.CreateSession(auth.With(t.Context(), ann)); err != nil {
		t.Fatal(err)
	}
	steps(t, "--data-dir="+dir, []step{
		{"", "user|sessions|ann", "signed in |last seen ", 0},
		{"", "user|signout|ann", "1 sessions of ann ended", 0},
		{"", "user|signout|ann", "0 sessions of ann ended", 0},
		{"", "user|sessions|bob", "no such user", 1},
		{"", "user|signout", "expected one argument, the user name", 1},
	})
	if status := ask(); status != http.StatusOK {
		t.Errorf("status %d after the sign-out, which ends no token", status)
	}
}
