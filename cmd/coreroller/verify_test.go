package main

import (
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coreroller/coreroller/store"
)

// The server of the test uses the database while the command repairs it.
func TestVerifyRepairsCountersWhileTheServerRuns(t *testing.T) {
	p := startProgram(t, "")
	k := newTestGroup(t, p.fleet, p.store, fastPolicy(1))
	checkIn(t, p, k, "web-1")
	folder := p.config.DataDir
	verify := func(code int, flags []string, want ...string) {
		t.Helper()
		out, errs, got := execute(t, "", nil, append([]string{"verify", "--data-dir", folder}, flags...)...)
		for _, w := range want {
			if got != code || !strings.Contains(out+errs, w) {
				t.Errorf("verify %v: code %d, %s%s; want %d and %q", flags, got, out, errs, code, w)
			}
		}
	}
	verify(0, nil, "counters: as counted", "audit: ", "entries, whole", "indexes: whole")
	d, err := sql.Open("sqlite", filepath.Join(folder, databaseFile))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if _, err := d.ExecContext(t.Context(), "UPDATE group_counts SET machines = 9 WHERE machines = 1"); err != nil {
		t.Fatal(err)
	}
	verify(1, nil, "differs: machines "+k.group.String(), "is 9, a count gives 1", "1 difference was found")
	verify(0, []string{"--repair"}, "repaired: machines "+k.group.String(), "was 9, is 1", "counters: as counted")
	verify(0, nil, "counters: as counted")
	checkIn(t, p, k, "web-2")
	verify(0, nil, "counters: as counted")

	sum := strings.Repeat("ab", 32)
	err = p.store.Write(t.Context(), time.Now(), func(tx *store.Tx) error {
		c := tx.Client()
		pkg, err := c.Release.Query().FirstID(t.Context())
		if err != nil {
			return err
		}
		return c.StoredFile.Create().SetID(store.NewID(time.Now())).SetPackageID(pkg).SetName("update.gz").SetPayload(true).SetSize(3).
			SetSha1("x").SetSha256(sum).SetStoredAt(time.Now().UTC()).Exec(t.Context())
	})
	if err != nil {
		t.Fatal(err)
	}
	verify(1, nil, "files: update.gz of package", "is missing")
	dir := filepath.Join(folder, "payloads", "files", "ab")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{"abc": "files: 1, all there", "longer": "has 6 bytes instead of 3"} {
		if err := os.WriteFile(filepath.Join(dir, sum), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		verify(len(text)/6, nil, want)
	}
}
