package coreroller_test

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// pages returns the Markdown pages by path: at the top, in docs and in code folders.
func pages(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/*/*.md", "*/README.md"} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			found[filepath.ToSlash(name)] = string(text)
		}
	}
	return found
}

var (
	fences   = regexp.MustCompile("(?s)```.*?\n```")
	links    = regexp.MustCompile(`\]\(([^)\s]+)\)|(?:src|srcset)="([^"]+)"`)
	headings = regexp.MustCompile(`(?m)^#+ (.+)$`)
)

// TestPageLinksExist checks that relative links point to an existing file, and
// anchors to an existing heading.
func TestPageLinksExist(t *testing.T) {
	all := pages(t)
	for name, text := range all {
		for _, m := range links.FindAllStringSubmatch(fences.ReplaceAllString(text, ""), -1) {
			link := m[1] + m[2]
			if strings.Contains(link, "://") {
				continue
			}
			file, anchor, _ := strings.Cut(link, "#")
			target := path.Join(path.Dir(name), file)
			if file == "" {
				target = name
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s: the file of link %s does not exist", name, link)
			} else if anchor != "" && !hasAnchor(all[target], anchor) {
				t.Errorf("%s: the heading of link %s does not exist", name, link)
			}
		}
	}
}

// hasAnchor reports whether a page has a heading with this anchor. GitHub derives
// anchors from headings: lower case, hyphens for spaces, no punctuation.
func hasAnchor(page, anchor string) bool {
	for _, m := range headings.FindAllStringSubmatch(fences.ReplaceAllString(page, ""), -1) {
		made := regexp.MustCompile(`[^a-z0-9_ -]`).ReplaceAllString(strings.ToLower(m[1]), "")
		if strings.ReplaceAll(made, " ", "-") == anchor {
			return true
		}
	}
	return false
}

// TestPagesNameExistingTests checks that the tests, fuzz targets and benchmarks
// mentioned in pages exist. "TestP2_…" means any name that begins so.
func TestPagesNameExistingTests(t *testing.T) {
	declared := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Benchmark)\w*)\(`)
	var tests []string
	err := fs.WalkDir(os.DirFS("."), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (in("node_modules testdata .git", entry.Name()) || in("bin build data", name)) {
			return fs.SkipDir
		}
		if !strings.HasSuffix(name, "_test.go") {
			return nil
		}
		source, err := os.ReadFile(name)
		for _, m := range declared.FindAllStringSubmatch(string(source), -1) {
			tests = append(tests, m[1])
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	list := "\n" + strings.Join(tests, "\n") + "\n"
	named := regexp.MustCompile(`\b((?:Test|Fuzz|Benchmark)[A-Z]\w*)(…?)`)
	for name, text := range pages(t) {
		for _, m := range named.FindAllStringSubmatch(text, -1) {
			ends := "\n"
			if m[2] != "" {
				ends = ""
			}
			if !strings.Contains(list, "\n"+m[1]+ends) {
				t.Errorf("%s: there is no test %s", name, m[1]+m[2])
			}
		}
	}
}

// TestPagesNameTestsOfTheirFolder checks that a test that a page names with its folder,
// such as `graph: TestX`, is there.
func TestPagesNameTestsOfTheirFolder(t *testing.T) {
	placed := regexp.MustCompile("`([a-z/]+): ((?:Test|Fuzz)[A-Z]\\w*)")
	checked := 0
	for name, text := range pages(t) {
		for _, m := range placed.FindAllStringSubmatch(text, -1) {
			files, err := filepath.Glob(m[1] + "/*_test.go")
			if err != nil {
				t.Fatal(err)
			}
			found := false
			for _, file := range files {
				source, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				found = found || strings.Contains(string(source), "\nfunc "+m[2])
			}
			if !found {
				t.Errorf("%s: there is no test %s in %s", name, m[2], m[1])
			}
			checked++
		}
	}
	if checked < 100 {
		t.Errorf("only %d tests with a folder", checked)
	}
}

// TestEveryAttackHasATest checks that each row of the first tables of docs/security.md
// names a test, or says that there is no protection.
func TestEveryAttackHasATest(t *testing.T) {
	text := pages(t)["docs/security.md"]
	_, text, _ = strings.Cut(text, "## Threat model\n")
	text, _, _ = strings.Cut(text, "\n## ")
	tests := regexp.MustCompile("`[a-z/]+: Test[A-Z]|`e2e/[a-z-]+\\.spec\\.ts`|no protection")
	rows := 0
	for line := range strings.SplitSeq(text, "\n") {
		if !strings.HasPrefix(line, "| ") || strings.HasSuffix(line, "| Test |") || strings.HasPrefix(line, "| Attacker") {
			continue
		}
		if rows++; !tests.MatchString(line) {
			t.Errorf("docs/security.md: no test for %.60s", line)
		}
	}
	if rows < 40 {
		t.Errorf("only %d attacks", rows)
	}
}

// TestPagesNameExistingFiles checks that paths in code style exist, such as
// `store/lane.go` or `rollout/testdata`.
func TestPagesNameExistingFiles(t *testing.T) {
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	tops := map[string]bool{}
	for _, e := range entries {
		tops[e.Name()] = e.IsDir()
	}
	printed := regexp.MustCompile("`([a-z0-9_.-]+(?:/[A-Za-z0-9_.*-]+)+)`")
	for name, text := range pages(t) {
		for _, m := range printed.FindAllStringSubmatch(fences.ReplaceAllString(text, ""), -1) {
			top, _, _ := strings.Cut(m[1], "/")
			if !tops[top] || in("bin build data", top) {
				continue // relative to the page's folder, or not a path
			}
			if found, err := filepath.Glob(m[1]); err != nil || len(found) == 0 {
				t.Errorf("%s: there is no %s", name, m[1])
			}
		}
	}
}
