// Command inventory lists what a built program contains: its Go modules, read from
// the program, and the npm packages of the embedded dashboard, read from
// docs/licenses.md and the lock files. Run it at the root of the repository.
//
//	inventory sbom PROGRAM VERSION      CycloneDX 1.6 as JSON; the same input gives the same bytes
//	inventory licenses PROGRAM          the licence texts, which must be shipped with it
package main

import (
	"bufio"
	"context"
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"slices"
	"strings"
)

func main() {
	out := bufio.NewWriter(os.Stdout)
	err := run(context.Background(), out, os.Args[1:])
	if err = errors.Join(err, out.Flush()); err != nil {
		fmt.Fprintln(os.Stderr, "inventory:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, args []string) error {
	switch {
	case len(args) == 3 && args[0] == "sbom":
		c, err := read(args[1])
		if err != nil {
			return err
		}
		return c.writeSBOM(out, args[2])
	case len(args) == 2 && args[0] == "licenses":
		c, err := read(args[1])
		if err != nil {
			return err
		}
		return c.writeLicenses(ctx, out)
	}
	return errors.New("usage: inventory sbom PROGRAM VERSION | inventory licenses PROGRAM")
}

// contents is what a program consists of.
type contents struct {
	build    *debug.BuildInfo
	program  string // file
	modules  []part // of Go
	packages []part // of npm
}

// part is a module or package.
type part struct {
	name, version string
	hash          string // "h1:…" of a module, "sha512-…" of a package
	license       string // SPDX expression; "" is not known
	folder        string // of a package, where npm installed it
}

func read(program string) (*contents, error) {
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return nil, err
	}
	page, err := os.ReadFile("docs/licenses.md")
	if err != nil {
		return nil, err
	}
	goTable, npmTable, found := strings.Cut(string(page), "\n## npm packages\n")
	if !found {
		return nil, errors.New("docs/licenses.md has no npm packages")
	}
	licenses := map[string]string{}
	for _, p := range parseTable(goTable) {
		licenses[p.name+"@"+p.version] = p.license
	}
	c := &contents{build: info, program: program, packages: parseTable(npmTable)}
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		c.modules = append(c.modules, part{name: m.Path, version: m.Version, hash: m.Sum, license: licenses[m.Path+"@"+m.Version]})
	}
	byName := func(a, b part) int { return strings.Compare(a.name+"@"+a.version, b.name+"@"+b.version) }
	slices.SortFunc(c.modules, byName)
	slices.SortFunc(c.packages, byName)
	return c, c.readHashes()
}

// projects are the folders whose npm packages are in the embedded pages.
var projects = []string{"frontend", "docs/site"}

// readHashes completes the packages from the lock files.
func (c *contents) readHashes() error {
	for _, project := range projects {
		var lock struct {
			Packages map[string]struct{ Version, Integrity string }
		}
		text, err := os.ReadFile(project + "/package-lock.json")
		if err == nil {
			err = json.Unmarshal(text, &lock)
		}
		if err != nil {
			return err
		}
		for path, locked := range lock.Packages {
			i := strings.LastIndex(path, "node_modules/")
			if i < 0 {
				continue
			}
			for j, p := range c.packages {
				if p.hash == "" && p.name == path[i+len("node_modules/"):] && p.version == locked.Version {
					c.packages[j].hash, c.packages[j].folder = locked.Integrity, project+"/"+path
				}
			}
		}
	}
	for _, p := range c.packages {
		if p.hash == "" {
			return fmt.Errorf("no package-lock.json of %s has %s %s", strings.Join(projects, ", "), p.name, p.version)
		}
	}
	return nil
}

// parseTable returns the rows of a table of docs/licenses.md. Several licences apply all.
func parseTable(text string) []part {
	var all []part
	for line := range strings.Lines(text) {
		cells := strings.Split(strings.Trim(line, "| \n"), " | ")
		if len(cells) != 3 || cells[0] == "Name" || cells[0] == "---" {
			continue
		}
		license := strings.ReplaceAll(cells[2], ", ", " AND ")
		if strings.Contains(license, "public domain") { // SPDX has no name for it
			license = strings.Trim(strings.ReplaceAll(license, "public domain", "LicenseRef-public-domain"), " ")
		}
		all = append(all, part{name: cells[0], version: cells[1], license: license})
	}
	return all
}
