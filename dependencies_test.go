package coreroller_test

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"
)

const dependenciesPage = "docs/dependencies.md"

// TestDependenciesAreExplained compares docs/dependencies.md with the go.mod and
// package.json files: each direct dependency has a row with its version, licence
// and reason, and each row has a dependency.
func TestDependenciesAreExplained(t *testing.T) {
	required := map[string]string{} // name → version
	for _, name := range []string{"go.mod", "scripts/packaging/go.mod"} {
		readModules(t, name, required)
	}
	for _, name := range []string{"frontend/package.json", "e2e/package.json", "docs/site/package.json"} {
		readPackages(t, name, required)
	}

	page, err := os.ReadFile(dependenciesPage)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(page)) {
		cells := strings.Split(strings.Trim(line, "| \n"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		name := cells[0]
		if len(cells) != 4 || slices.Contains([]string{"Module", "Package", "---"}, name) {
			continue
		}
		version, ok := required[name]
		switch {
		case !ok:
			t.Errorf("%s: %s is not required any more: remove its row", dependenciesPage, name)
		case version != cells[1]:
			t.Errorf("%s: %s has version %s, but %s is required", dependenciesPage, name, cells[1], version)
		case cells[2] == "" || cells[3] == "":
			t.Errorf("%s: %s has no licence or no reason", dependenciesPage, name)
		}
		delete(required, name)
	}
	for name, version := range required {
		t.Errorf("%s: no row for %s %s: add one with its licence and why it is needed", dependenciesPage, name, version)
	}
}

// readModules adds the direct dependencies of a go.mod to required. Both modules have
// the same version of what both use.
func readModules(t *testing.T, name string, required map[string]string) {
	t.Helper()
	source, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	mod, err := modfile.Parse(name, source, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range mod.Require {
		if r.Indirect {
			continue
		}
		if other, ok := required[r.Mod.Path]; ok && other != r.Mod.Version {
			t.Errorf("%s requires %s %s, another go.mod %s", name, r.Mod.Path, r.Mod.Version, other)
		}
		required[r.Mod.Path] = r.Mod.Version
	}
}

// readPackages adds the dependencies of a package.json to required.
func readPackages(t *testing.T, name string, required map[string]string) {
	t.Helper()
	source, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Dependencies, DevDependencies map[string]string }
	if err := json.Unmarshal(source, &file); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	maps.Copy(required, file.Dependencies)
	maps.Copy(required, file.DevDependencies)
}
