package main

import (
	"database/sql"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestAuditVerify(t *testing.T) {
	folder := t.TempDir()
	dir := "--data-dir=" + folder
	verify := func(want string, code int, flags ...string) string {
		t.Helper()
		out, errs, got := execute(t, "", nil, append([]string{"audit", "verify", dir}, flags...)...)
		if got != code || !strings.Contains(out+errs, want) {
			t.Errorf("audit verify %v: code %d, %s%s; want %d and %q", flags, got, out, errs, code, want)
		}
		return out
	}
	verify("the chain has no entries yet", 0)
	for _, name := range []string{"ann", "bob"} {
		if _, errs, code := execute(t, "a good password\n", nil, "user", "add", name, dir); code != 0 {
			t.Fatal(errs)
		}
	}
	last := regexp.MustCompile(`last hash ([0-9a-f]{64})`).FindStringSubmatch(verify("entries, chain whole from 20", 0))
	if last == nil {
		t.Fatal("no last hash")
	}
	verify("chain whole", 0, "--expect-last", last[1])
	verify("--expect-last: must be the hash of an entry", 1, "--expect-last", "x")
	verify("cut at the end or written again", 1, "--expect-last", strings.Repeat("0", 64))

	d, err := sql.Open("sqlite", filepath.Join(folder, "coreroller.db"))
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"DROP TRIGGER audits_keep", "UPDATE audits SET actor = 'bob' WHERE seq = 1"} {
		if _, err := d.ExecContext(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	verify("the audit is not whole: entry 1: changed", 1)
}

func TestEntriesAreCountedWithCommas(t *testing.T) {
	for n, want := range map[int64]string{1: "1 entry", 12: "12 entries", 999: "999 entries", 12345: "12,345 entries", 1234567: "1,234,567 entries"} {
		if got := entries(n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}
