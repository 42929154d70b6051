package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// The list of this program has its modules, those of the page, and nothing twice.
func TestInventoryOfAProgram(t *testing.T) {
	program := filepath.Join(t.TempDir(), "inventory")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Chdir("../../..")
	var first, second, licenses bytes.Buffer
	for _, out := range []*bytes.Buffer{&first, &second} {
		if err := run(t.Context(), out, []string{"sbom", program, "1.2.3"}); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("two lists of the same program differ")
	}
	var bom cdx.BOM
	if err := cdx.NewBOMDecoder(&first, cdx.BOMFileFormatJSON).Decode(&bom); err != nil {
		t.Fatal(err)
	}
	seen := map[string]cdx.Component{}
	for _, c := range *bom.Components {
		if _, ok := seen[c.BOMRef]; ok || c.Version == "" || c.Hashes == nil != (c.Name == "std") {
			t.Errorf("component %+v", c)
		}
		seen[c.BOMRef] = c
	}
	sources, err := os.ReadFile("frontend/package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	svelte := 0
	for ref, c := range seen {
		if strings.HasPrefix(ref, "pkg:npm/svelte@") {
			svelte++
			if !strings.Contains(string(sources), `"version": "`+c.Version+`"`) || (*c.Licenses)[0].Expression != "MIT" || len((*c.Hashes)[0].Value) != 128 {
				t.Errorf("svelte %+v", c)
			}
		}
	}
	if _, ok := seen["pkg:golang/github.com/CycloneDX/cyclonedx-go@v0.12.0"]; !ok || svelte != 1 || len(seen) < 40 {
		t.Errorf("%d components, svelte %d times", len(seen), svelte)
	}
	if bom.Metadata.Component.Version != "1.2.3" || bom.Metadata.Timestamp != "" || bom.SerialNumber != "" {
		t.Errorf("metadata %+v", bom.Metadata)
	}

	if _, err := os.Stat("frontend/node_modules"); err != nil {
		t.Fatal("the packages of the page are not installed: run make frontend/node_modules/.installed")
	}
	if err := run(t.Context(), &licenses, []string{"licenses", program}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"github.com/CycloneDX/cyclonedx-go v0.12.0\n\nApache License", "Redistributions in binary form must reproduce", "SIL OPEN FONT LICENSE"} {
		if !strings.Contains(strings.Join(strings.Split(licenses.String(), "\n                                 "), "\n"), want) {
			t.Errorf("no %q in the licences", want)
		}
	}
	for _, wrong := range [][]string{nil, {"sbom", program}, {"sbom", "docs/licenses.md", "1"}} {
		if err := run(t.Context(), &licenses, wrong); err == nil {
			t.Errorf("%q is accepted", wrong)
		}
	}
}

func TestLicencesOfTheTable(t *testing.T) {
	rows := parseTable("| Name | Version | Licence |\n| --- | --- | --- |\n| a/b | v1 | Apache-2.0, MIT |\n| c | 2 | BSD-3-Clause, public domain |\n")
	if len(rows) != 2 || rows[0] != (part{name: "a/b", version: "v1", license: "Apache-2.0 AND MIT"}) || rows[1].license != "BSD-3-Clause AND LicenseRef-public-domain" {
		t.Errorf("rows %+v", rows)
	}
}
