package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coreroller/coreroller/fleet"
)

func TestApplyOfAnExportChangesNothing(t *testing.T) {
	p := startProgram(t, "")
	k := newTestGroup(t, p.fleet, p.store, fastPolicy(3))
	if _, err := p.fleet.UpdateGroup(k.ctx, fleet.UpdateGroup{ID: k.group, Expression: new("oem == 'azure'"), Priority: new(7)}); err != nil {
		t.Fatal(err)
	}
	r := remoteUser(t, p, "admin")
	file := filepath.Join(t.TempDir(), "fleet.yaml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	exported := r.run(0, arguments("export"), "Flatcar Container Linux", "maxConcurrentUpdates: 3", "package: 1.0.0", "expression: oem == 'azure'", "priority: 7")
	write(exported)
	if out := r.run(0, []string{"apply", "-f", file, "--dry-run"}, "0 to add, 0 to change, 0 to delete, "); strings.Contains(out, "Only on the server") {
		t.Error(out)
	}
	r.run(0, []string{"apply", "-f", file}) // nothing to ask

	// Another spelling of the same policy is no change.
	write("applications:\n- name: OS\n  groups:\n  - name: production\n    policy: {updateTimeout: 1 minute}\n")
	r.run(0, []string{"apply", "-f", file, "--dry-run"}, "0 to change", "2 unchanged")

	write("applications:\n- name: OS\n  description: ours\n  requestAttributes: [rack, oem_region]\n  channels:\n  - name: stable\n    package: 2.0.0\n" +
		"  groups:\n  - name: production\n    channel: stable\n    policy: {maxConcurrentUpdates: 8}\n")
	r.run(2, []string{"apply", "-f", file, "--dry-run"}, "~ application OS", `description: "" → "ours"`, `requestAttributes: [] → ["oem_region","rack"]`,
		`package: "1.0.0" → "2.0.0"`, "0 machines in 1 group; 0 of them would update", "~ group OS/production (amd64)", "3 → 8", "0 to add, 3 to change", "nothing was changed")
	r.run(2, []string{"apply", "-f", file}, "add --yes")
	r.run(0, []string{"apply", "-f", file, "--yes", "--reason", "commit 1f3a9c"}, "✓ channel OS/stable (amd64) changed")
	r.run(0, []string{"apply", "-f", file, "--dry-run"}, "0 to change")
	r.run(0, arguments("channels --app OS"), "2.0.0")
	r.run(0, arguments("activity --app OS"), "commit 1f3a9c")
	r.run(0, arguments("export --app OS -o json"), `"maxConcurrentUpdates": 8`, `"description": "ours"`, `"oem_region"`)
}

func TestApplyMakesAndPrunes(t *testing.T) {
	source := startProgram(t, "")
	k := newTestGroup(t, source.fleet, source.store, fastPolicy(3))
	if _, err := source.fleet.UpdateGroup(k.ctx, fleet.UpdateGroup{ID: k.group, Expression: new("oem == 'azure'"), Priority: new(7)}); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "os.yaml")
	exported := remoteUser(t, source, "admin").run(0, arguments("export --app OS"))
	if err := os.WriteFile(file, []byte(exported), 0o600); err != nil {
		t.Fatal(err)
	}
	// A file fits another server.
	p := startProgram(t, "")
	r := remoteUser(t, p, "admin")
	r.run(0, []string{"apply", "-f", file, "--yes"}, "+ application OS", "+ package OS/2.0.0 (amd64)", "5 to add", "✓ group OS/production (amd64) added")
	if again := r.run(0, arguments("export --app OS")); again != exported {
		t.Errorf("%s\nwant %s", again, exported)
	}
	change := "applications:\n- name: OS\n  groups:\n  - {name: production, expression: \"'spare' in tags\"}\n"
	if err := os.WriteFile(file, []byte(change), 0o600); err != nil {
		t.Fatal(err)
	}
	r.run(0, []string{"apply", "-f", file, "--yes"}, "1 to change", `expression: "oem == 'azure'" → "'spare' in tags"`)
	r.run(0, []string{"apply", "-f", file, "--dry-run"}, "0 to change")
	if err := os.WriteFile(file, []byte("applications:\n- name: OS\n  packages:\n  - {version: 1.0.0}\n  groups: []\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r.run(0, []string{"apply", "-f", file}, "kept (--prune deletes it): package OS/2.0.0 (amd64)", "group OS/production", "0 to delete")
	r.run(2, []string{"apply", "-f", file, "--prune", "--dry-run"}, "- package OS/2.0.0 (amd64)", "2 to delete")
	r.run(0, []string{"apply", "-f", file, "--prune", "--yes"}, "✓ group OS/production (amd64) deleted", "✓ package OS/2.0.0 (amd64) deleted")
	r.run(0, []string{"apply", "-f", file, "--prune", "--dry-run"}, "0 to delete")
	r.run(0, arguments("channels --app OS"), "1.0.0") // the file has no list of channels
}

func TestApplyErrors(t *testing.T) {
	p := startProgram(t, "")
	k := newTestGroup(t, p.fleet, p.store, fastPolicy(1))
	r := remoteUser(t, p, "admin")
	remoteUser(t, p, "ann")
	requireApproval(t, k)
	file := filepath.Join(t.TempDir(), "fleet.yaml")
	r.run(2, arguments("apply"), "-f is missing")
	r.run(2, []string{"apply", "-f", file}, "there is no such file")
	const group = "applications:\n- name: OS\n  groups:\n  - name: production\n"
	for _, c := range []struct {
		text  string
		code  int
		wants []string
	}{
		{"a: [", 2, []string{"is no YAML"}},
		{"applications: []", 2, []string{"has no applications"}},
		{"applications: [{name: OS, chanels: []}]", 2, []string{`unknown field "chanels"`}},
		{"applications: [{name: OS, packages: [{version: 3.8}]}]", 2, []string{"version of type string"}},
		{"applications: [{description: x}]", 2, []string{"has no name"}},
		{"applications: [{name: OS, channels: [{name: a}, {name: a}]}]", 2, []string{"one that another has"}},
		{"applications: [{name: OS, channels: [{name: stable, package: 9.0.0}]}]", 1, []string{"there is no package OS amd64 9.0.0", "0 of 1 steps"}},
		{group + "    policy: {maxInFlight: 5}", 1, []string{"group OS/production", "maxInFlight"}},
		{group + "    policy: {maxConcurrentUpdates: -1}", 1, []string{"group OS/production", "maxConcurrentUpdates"}},
		{group + "    policy: {updatesEnabled: false}", 2, []string{"coreroller pause"}},
		{group + "    policy: {maxConcurrentUpdates: 8}", 3, []string{"--propose"}},
	} {
		if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		r.run(c.code, []string{"apply", "-f", file, "--yes"}, c.wants...)
	}
	r.run(0, []string{"apply", "-f", file, "--yes", "--propose", "--reason", "more"}, "Proposed: ", "production (amd64) proposed")
	r.run(0, arguments("proposals list"), "more")
}

// Floors and blacklistings come along to another server, and change with the file.
func TestApplyMakesFloorsAndBlacklistings(t *testing.T) {
	source := startProgram(t, "")
	newTestGroup(t, source.fleet, source.store, fastPolicy(3))
	file := filepath.Join(t.TempDir(), "os.yaml")
	apply := func(r *remote, text string, wants ...string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		r.run(0, []string{"apply", "-f", file, "--yes", "--reason", "commit 1f3a9c"}, wants...)
	}
	const channel = "applications:\n- name: OS\n  channels:\n  - name: stable\n"
	r := remoteUser(t, source, "admin")
	apply(r, channel+"    floors: [{package: 1.0.0, reason: a new file system}]\n    blacklistings: [{package: 2.0.0, reason: does not boot}]\n",
		"floors: + 1.0.0", "blacklistings: + 2.0.0")
	exported := r.run(0, arguments("export --app OS"), "a new file system", "does not boot", "downgrade: NEVER")

	p := startProgram(t, "")
	r = remoteUser(t, p, "admin")
	apply(r, exported, "+ channel OS/stable (amd64)")
	if again := r.run(0, arguments("export --app OS")); again != exported {
		t.Errorf("%s\nwant %s", again, exported)
	}
	r.run(0, []string{"apply", "-f", file, "--dry-run"}, "0 to add, 0 to change")
	apply(r, channel, "0 to change") // lists that are left out are kept
	apply(r, channel+"    blacklistings: [{package: 2.0.0, downgrade: MACHINES_ON_BLACKLISTED}]\n", "blacklistings: + 2.0.0")
	r.run(0, arguments("export --app OS"), "a new file system", "downgrade: MACHINES_ON_BLACKLISTED")

	// The target was forbidden, and what the channel leaves becomes forbidden.
	apply(r, channel+"    package: 2.0.0\n    floors: []\n    blacklistings: [{package: 1.0.0}]\n", "floors: - 1.0.0", "blacklistings: - 2.0.0", "blacklistings: + 1.0.0")
	r.run(0, []string{"apply", "-f", file, "--dry-run"}, "0 to change")
	r.run(0, arguments("channels --app OS"), "2.0.0")
	if err := os.WriteFile(file, []byte(channel+"    floors: [{package: 2.0.0}, {package: 2.0.0}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r.run(2, []string{"apply", "-f", file, "--dry-run"}, "floors has no package, or one that another has")
}
