package main

import (
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/coreroller/coreroller/fleet"
)

// remote runs command lines on a server, as a user with a token.
type remote struct {
	t       *testing.T
	environ []string
}

// remoteUser returns command lines of a user, who is made unless it is admin.
func remoteUser(t *testing.T, p *Program, name string) *remote {
	t.Helper()
	dir := "--data-dir=" + p.config.DataDir
	if name != "admin" {
		if out, errs, code := execute(t, "a good password\n", nil, "user", "add", name, "--role", "publisher", dir); code != 0 {
			t.Fatal(out, errs)
		}
	}
	token, errs, code := execute(t, "", nil, "user", "token", name, dir)
	if code != 0 {
		t.Fatal(errs)
	}
	return &remote{t, []string{"COREROLLER_SERVER=" + p.URL(), "COREROLLER_TOKEN=" + strings.TrimSpace(token)}}
}

// run runs a command line, and fails the test unless it has the exit code and its
// output, with its errors, has the texts.
func (r *remote) run(code int, args []string, wants ...string) string {
	r.t.Helper()
	out, errs, got := execute(r.t, "", r.environ, args...)
	if got != code {
		r.t.Errorf("%q: exit code %d, want %d: %s%s", args, got, code, out, errs)
	}
	for _, want := range wants {
		if !strings.Contains(out+errs, want) {
			r.t.Errorf("%q: want %q in %s%s", args, want, out, errs)
		}
	}
	return out
}

// arguments splits a command line at its spaces.
func arguments(line string) []string { return strings.Fields(line) }

func TestRemoteChangesOfAGroup(t *testing.T) {
	p := startProgram(t, "")
	k := newTestGroup(t, p.fleet, p.store, fastPolicy(1))
	r := remoteUser(t, p, "admin")
	state := func() string {
		t.Helper()
		var groups []struct{ Application, Name, State string }
		if err := json.Unmarshal([]byte(r.run(0, arguments("groups --app OS -o json"))), &groups); err != nil || len(groups) != 1 || groups[0].Name != trackName {
			t.Fatalf("%v: %+v", err, groups)
		}
		return groups[0].State
	}
	r.run(0, arguments("package promote 2.0.0 --channel stable --app OS --dry-run"), "Nothing was changed")
	r.run(0, arguments("channels --app OS"), "1.0.0")
	r.run(0, arguments("package promote 2.0.0 --channel OS/stable"), "Channel OS/stable (amd64) offers 2.0.0.")
	r.run(0, arguments("channels --app io.example.os"), "2.0.0")
	r.run(0, []string{"pause", "production", "--reason", "migration until 6"}, "Group OS/production (amd64) is paused.")
	if state() != "PAUSED" {
		t.Errorf("state %s after pause", state())
	}
	r.run(0, arguments("activity --group production"), "paused", "migration until 6", "by admin")
	r.run(0, []string{"resume", strings.ToUpper(trackName)}, "grants updates again")
	if state() == "PAUSED" {
		t.Error("still paused after resume")
	}
	r.run(0, []string{"halt", k.group.String(), "--dry-run"}, "Nothing was changed")
	r.run(0, []string{"halt", k.group.String(), "--reason", "kernel panics", "-o", "yaml"}, "mutation: haltRollout", "reason: kernel panics")
	if state() != "HALTED" {
		t.Errorf("state %s after halt", state())
	}
	r.run(0, arguments("rollback OS/production --to 1.0.0 --dry-run"), "Nothing was changed")
	r.run(0, arguments("rollback OS/production --to 1.0.0 --reason panics"), "went back to 1.0.0")
	r.run(0, arguments("package list --app OS"), "not stable")
	r.run(0, arguments("package unblacklist 2.0.0 --app OS --channel stable"), "is permitted")
	r.run(0, arguments("package blacklist 2.0.0 --app OS --channel stable"), "is forbidden")
	r.run(0, arguments("package create 3.0.0 --app OS --url https://updates.example.net/3/"), "Package 3.0.0 of OS was created.")
	var packages []struct{ Version, URL string }
	if err := json.Unmarshal([]byte(r.run(0, arguments("package list --app OS --version 3 -o json"))), &packages); err != nil ||
		len(packages) != 1 || packages[0].URL != "https://updates.example.net/3/" {
		t.Errorf("%v: %+v", err, packages)
	}
}

func TestRemoteErrorsNameTheNextStep(t *testing.T) {
	p := startProgram(t, "")
	newTestGroup(t, p.fleet, p.store, fastPolicy(1))
	r := remoteUser(t, p, "admin")
	for _, c := range []struct {
		line  string
		code  int
		wants []string
	}{
		{"pause", 2, []string{"expected: coreroller pause GROUP", "--help"}},
		{"pause a b", 2, []string{"expected: coreroller pause GROUP"}},
		{"groups x", 2, []string{"takes no arguments"}},
		{"pause production --resaon x", 2, []string{"unknown flag: --resaon"}},
		{"groups -o xml", 2, []string{"use table, json or yaml"}},
		{"groups --context x", 2, []string{"use one"}},
		{"pause prod", 1, []string{`there is no group "prod"`, "OS/production (amd64)"}},
		{"pause Stable", 0, nil}, // the only one with exactly this name
		{"halt stable --app Nothing", 1, []string{`no application "Nothing"`, "Flatcar Container Linux, OS"}},
		{"package promote 1.0.0 --channel stable", 2, []string{`"stable" can be 3 of these`, "--arch", "OS/stable (amd64)", "(arm64)"}},
		{"package promote 1.0.0", 2, []string{"--channel is missing"}},
		{"package promote 9.9.9 --channel stable --app OS", 1, []string{"OS has no package 9.9.9 for amd64", "coreroller package list"}},
		{"package list", 2, []string{"--app", "Flatcar Container Linux, OS"}},
		{"package create 3.0.0 --app OS", 2, []string{"--url is missing"}},
		{"package create x --app OS --url https://example.net/", 1, []string{"version: "}},
		{"rollback production --reason x", 2, []string{"--to is missing"}},
		{"rollback production --to 1.0.0", 2, []string{"--reason is missing"}},
		{"machines --arch amd64", 2, []string{"name one by --group"}},
		{"machines --seen-before soon", 2, []string{`"soon" is no time`}},
		{"machines --attribute rack", 2, []string{"a name and a value"}},
		{"machines --attribute oem=ami", 1, []string{"use filter.oem"}},
		{"machines --state broken", 1, []string{"BROKEN"}},
		{"why nothing", 1, []string{`no machine "nothing"`}},
		{"proposals show 01a22f1f-0df7-714f-b293-f209ed9385e9", 1, []string{"there is no proposal", "--all"}},
		{"proposals refuse 01a22f1f-0df7-714f-b293-f209ed9385e9", 2, []string{"--reason is missing"}},
		{"wait production --until tomorrow", 2, []string{"use completed, or a wave such as wave:2"}},
	} {
		r.run(c.code, arguments(c.line), c.wants...)
	}
	r.run(1, arguments("package create 3.0.0 --app OS --url ftp://example.net/"), "url: ")
}

func TestRemoteProposals(t *testing.T) {
	p := startProgram(t, "")
	k := newTestGroup(t, p.fleet, p.store, fastPolicy(1))
	author, other := remoteUser(t, p, "ann"), remoteUser(t, p, "ben")
	requireApproval(t, k)
	promote := arguments("package promote 2.0.0 --channel stable --app OS --reason tested")
	author.run(3, promote, "Nothing was changed", "--propose")
	author.run(0, append(promote, "--propose"), "Proposed: promote 2.0.0", "coreroller proposals approve", p.URL()+"/approvals/")
	var open []struct{ ID, State, Reason, CreatedBy string }
	list := func() {
		t.Helper()
		if err := json.Unmarshal([]byte(other.run(0, arguments("proposals list -o json"))), &open); err != nil {
			t.Fatal(err)
		}
	}
	list()
	if len(open) != 1 || open[0].CreatedBy != "ann" || open[0].Reason != "tested" {
		t.Fatalf("%+v", open)
	}
	id := open[0].ID
	author.run(1, []string{"proposals", "approve", id})
	author.run(0, []string{"proposals", "show", id}, "You cannot decide", "promote 2.0.0", "Expires")
	other.run(0, []string{"proposals", "approve", id, "--reason", "seen the tests"}, "Approved: promote 2.0.0")
	other.run(0, arguments("channels --app OS"), "2.0.0")
	other.run(0, []string{"proposals", "show", id}, "approved", "ben", "seen the tests")
	other.run(1, []string{"proposals", "approve", id})

	for _, end := range []struct {
		r    *remote
		args []string
		want string
	}{
		{author, []string{"proposals", "withdraw"}, "Withdrawn"},
		{other, []string{"proposals", "refuse", "--reason", "not yet"}, "Refused"},
	} {
		author.run(0, arguments("halt production"))
		author.run(3, arguments("resume production"), "--propose")
		author.run(2, arguments("resume production --propose"), "--reason is missing")
		author.run(0, arguments("resume production --propose --reason repaired --expires-in 1h -o json"), `"state": "OPEN"`)
		list()
		end.r.run(0, append(end.args, open[0].ID), end.want)
		other.run(0, arguments("proposals list"), "No proposal waits")
	}
	other.run(0, arguments("proposals list --all"), "withdrawn", "refused", "approved")
}

// requireApproval makes another person approve the changes of the group.
func requireApproval(t *testing.T, k *testGroup) {
	t.Helper()
	if _, err := k.service.UpdateGroup(k.ctx, fleet.UpdateGroup{ID: k.group, RequireApproval: new(true)}); err != nil {
		t.Fatal(err)
	}
}

func TestRemoteExplainsAMachine(t *testing.T) {
	p := startProgram(t, "")
	k := newTestGroup(t, p.fleet, p.store, fastPolicy(1))
	r := remoteUser(t, p, "admin")
	for _, id := range []string{"web-1", "web-10"} {
		checkIn(t, p, k, id)
	}
	r.run(0, arguments("why web-1"), "web-1", "runs the target version", "Passed", p.URL()+"/apps/"+k.app.String()+"/machines/")
	r.run(0, arguments("pause production"))
	k.promote(t)
	r.run(0, arguments("why web-1 --all"), "paused", "SENTENCE")
	r.run(2, arguments("why web-"), "web-1 ", "web-10")
	r.run(1, arguments("why WEB-1"), "case matters")
	var why struct {
		Instance struct{ MachineID string }
		Decision struct{ Reason string }
		Steps    []struct{ Rule, Outcome string }
	}
	if err := json.Unmarshal([]byte(r.run(0, arguments("why web-10 -o json"))), &why); err != nil ||
		why.Instance.MachineID != "web-10" || why.Decision.Reason != "PAUSED" || len(why.Steps) < 10 {
		t.Errorf("%v: %+v", err, why)
	}
	r.run(0, arguments("machines --group production --version 1.0.0 --limit 1"), "web-1 ", "1 of 2 machines")
	r.run(0, arguments("machines --search web-10 --seen-after 1h -o json"), `"machineId": "web-10"`)
	r.run(0, arguments("machines --app OS --seen-before 1h"), "No machine matches")
	r.run(0, arguments("machines --attribute rack=3 --tag canary"), "No machine matches")
	r.run(0, arguments("machines --limit 0 --counted-as waiting"), "web-10")
}

// checkIn lets a machine with version 1.0.0 ask for updates.
func checkIn(t *testing.T, p *Program, k *testGroup, id string) {
	t.Helper()
	body := `<request protocol="3.0" installsource="scheduler"><app appid="` + k.app.String() + `" version="1.0.0" track="` + trackName +
		`" board="amd64-usr" machineid="` + id + `"><ping active="1"/><updatecheck/></app></request>`
	resp, err := http.Post(p.OmahaURL(), "text/xml", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatal(resp.Status)
	}
}

// TestRemoteCommandsAreDocumented compares docs/cli.md with the commands and their flags.
func TestRemoteCommandsAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/cli.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(text)
	checked := 0
	var visit func(*cobra.Command)
	visit = func(cmd *cobra.Command) {
		for _, child := range cmd.Commands() {
			visit(child)
		}
		if cmd.Hidden || cmd.HasSubCommands() || !strings.Contains(cmd.Long, "Exit codes:") {
			return
		}
		checked++
		line := strings.TrimSpace(cmd.Parent().CommandPath() + " " + cmd.Use)
		if !strings.Contains(page, "`"+strings.ReplaceAll(strings.TrimPrefix(line, "coreroller "), "|", "\\|")+"`") {
			t.Errorf("docs/cli.md: no row for %s", line)
		}
		if !strings.Contains(cmd.Example, "coreroller "+strings.TrimPrefix(cmd.CommandPath(), "coreroller ")) {
			t.Errorf("%s --help has no example", cmd.CommandPath())
		}
	}
	visit(rootCommand(process{}))
	if checked < 25 {
		t.Errorf("only %d commands", checked)
	}
}
