package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"golang.org/x/mod/module"
)

// licenseFiles are the names of files with the licence of a module or package.
var licenseFiles = regexp.MustCompile(`(?i)^(licen[sc]e|copying|notice)([-.][-a-z0-9.]*)?$`)

// writeLicenses writes the licence texts of all parts. Most licences require that their
// text is shipped with the program.
func (c *contents) writeLicenses(ctx context.Context, out io.Writer) error {
	dirs, err := exec.CommandContext(ctx, "go", "env", "GOMODCACHE", "GOROOT").Output()
	if err != nil {
		return err
	}
	cache, root, _ := strings.Cut(strings.TrimSpace(string(dirs)), "\n")
	if _, err := fmt.Fprintln(out, "The program coreroller contains the following parts of others."); err != nil {
		return err
	}
	if err := writeTexts(out, "Go "+strings.TrimPrefix(c.build.GoVersion, "go"), root); err != nil {
		return err
	}
	for _, m := range c.modules {
		path, err := module.EscapePath(m.name)
		if err != nil {
			return err
		}
		version, err := module.EscapeVersion(m.version)
		if err != nil {
			return err
		}
		if err := writeTexts(out, m.name+" "+m.version, filepath.Join(cache, path+"@"+version)); err != nil {
			return err
		}
	}
	for _, p := range c.packages {
		if err := writeTexts(out, p.name+" "+p.version+" ("+p.license+")", p.folder); err != nil {
			return err
		}
	}
	return nil
}

// writeTexts writes the licence texts of a folder. A few npm packages have none: their
// licence is in the title then.
func writeTexts(out io.Writer, title, folder string) error {
	files, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(out, "\n%s\n%s\n\n", strings.Repeat("=", 80), title); err != nil {
		return err
	}
	for _, f := range files {
		if f.IsDir() || !licenseFiles.MatchString(f.Name()) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(folder, f.Name()))
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(out, "%s\n", strings.TrimSpace(strings.ReplaceAll(string(text), "\r\n", "\n"))); err != nil {
			return err
		}
	}
	return nil
}
