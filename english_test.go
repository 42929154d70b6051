package coreroller_test

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

const wordsFile = "docs/wordlist.txt"

// unchecked are files that are generated, recorded or written by others.
var unchecked = regexp.MustCompile(`^(ent/db/|graph/generated/|graph/model/generated\.go|store/migrations/|LICENSE$|fleet/account/common_passwords\.txt$|go\.sum$|docs/wordlist\.txt$|docs/(commands|configuration)\.md$|` +
	`frontend/src/lib/api/(graphql-env\.d\.ts|schema\.graphql)$)|/testdata/|(^|/)package-lock\.json$|\.(png|ico|svg|woff2)$`)

// TestEnglish rejects the words of docs/wordlist.txt in every tracked text file.
func TestEnglish(t *testing.T) {
	source, err := os.ReadFile(wordsFile)
	if err != nil {
		t.Fatal(err)
	}
	list, err := parseWords(string(source))
	if err != nil {
		t.Fatal(err)
	}
	// This includes files that are not committed yet.
	out, err := exec.Command("git", "ls-files", "-co", "--exclude-standard", "-z").Output()
	if err != nil {
		if _, missing := os.Stat(".git"); missing == nil {
			t.Fatalf("git ls-files: %v", err)
		}
		t.Skip("this is no git work tree, so the tracked files are not known")
	}
	for name := range strings.SplitSeq(strings.Trim(string(out), "\x00"), "\x00") {
		if unchecked.MatchString(name) {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil || !utf8.Valid(text) || bytes.IndexByte(text, 0) >= 0 {
			continue
		}
		for _, found := range list.find(name, string(text)) {
			t.Error(found)
		}
	}
}

// TestEnglishCheckFindsWords tests the matching and the list's own rules.
func TestEnglishCheckFindsWords(t *testing.T) {
	list, err := parseWords("# comment\n\ntold|tells => sent\naword => another\nwords => text\nstands? among => is among\nfile cell => value\nallow a/b.go words because it splits text\n")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"a.go", "// It was told\n", []string{`a.go:1: "told": write sent`}},
		{"a.go", "x\ny\n\tlog(\"Told twice, tells\")", []string{`a.go:3: "Told": write sent`, `a.go:3: "tells": write sent`}},
		{"a.md", "it stands\namong them", []string{`a.md:1: "stands among": write is among`}},
		{"a.go", "// it stand\n\t// among them", []string{`a.go:1: "stand among": write is among`}},
		{"a.sh", "# it stands\n# among them", []string{`a.sh:1: "stands among": write is among`}},
		{"a.go", "func haltWords() { wordsOf(h.words) }", []string{`a.go:1: "Words": write text`, `a.go:1: "words": write text`, `a.go:1: "words": write text`}},
		{"a.sql", "group_words", []string{`a.sql:1: "words": write text`}},
		{"a.go", "retold untold keywords swords Wordsworth password StartsAWord words_", []string{`a.go:1: "words": write text`}},
		{"a/b.go", "words, told", []string{`a/b.go:1: "told": write sent`}},
		{"a/b.go2", "words", nil}, // below the allowed path
		{"cell_test.go", "cell", []string{`cell_test.go: file name "cell_test": write value`}},
		{"a/c.go", "words", []string{`a/c.go:1: "words": write text`}},
	} {
		if got := list.find(c.name, c.text); !slices.Equal(got, c.want) {
			t.Errorf("%s %q:\n got %q\nwant %q", c.name, c.text, got, c.want)
		}
	}
	for _, wrong := range []string{"told", "told =>", "( => x", "allow a words", "allow a other because b\nwords => text", "allow a words because\nwords => text"} {
		if _, err := parseWords(wrong); err == nil {
			t.Errorf("%q was accepted", wrong)
		}
	}
}

// wordList is the parsed docs/wordlist.txt.
type wordList struct {
	rules  []wordRule
	allows []struct{ path, pattern string }
}

type wordRule struct {
	pattern, replacement string
	nameOnly             bool             // applies to file names, not to texts
	matches              []*regexp.Regexp // one per alternative, in lower case
}

func parseWords(source string) (*wordList, error) {
	list := &wordList{}
	for number, line := range lines(source) {
		fail := func(why string) (*wordList, error) {
			return nil, fmt.Errorf("%s:%d: %s: %q", wordsFile, number, why, line)
		}
		if rest, ok := strings.CutPrefix(line, "allow "); ok {
			what, reason, _ := strings.Cut(rest, " because ")
			name, pattern, ok := strings.Cut(what, " ")
			if !ok || reason == "" {
				return fail("want allow PATH PATTERN because REASON")
			}
			list.allows = append(list.allows, struct{ path, pattern string }{name, pattern})
			continue
		}
		pattern, replacement, _ := strings.Cut(line, " => ")
		if replacement == "" {
			return fail("want PATTERN => REPLACEMENT")
		}
		pattern, nameOnly := strings.CutPrefix(pattern, "file ")
		rule := wordRule{pattern: pattern, replacement: replacement, nameOnly: nameOnly}
		for _, alternative := range alternatives(pattern) {
			// A space also matches a line break with the comment marker that follows.
			match, err := regexp.Compile(strings.ReplaceAll(alternative, " ", `(?:[ \t]+|[ \t]*\r?\n[ \t]*(?:(?://|#|\*)+[ \t]*)?)`))
			if err != nil {
				return fail(err.Error())
			}
			match.Longest()
			rule.matches = append(rule.matches, match)
		}
		list.rules = append(list.rules, rule)
	}
	for _, a := range list.allows {
		if a.pattern != ".*" && !slices.ContainsFunc(list.rules, func(r wordRule) bool { return r.pattern == a.pattern }) {
			return nil, fmt.Errorf("%s: no rule has the allowed pattern %q", wordsFile, a.pattern)
		}
	}
	return list, nil
}

// alternatives splits a pattern at the bars outside of parentheses. regexp is much
// faster on single alternatives, because each starts with plain letters.
func alternatives(pattern string) []string {
	depth, from := 0, 0
	var parts []string
	for i, c := range pattern {
		switch {
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == '|' && depth == 0:
			parts = append(parts, pattern[from:i])
			from = i + 1
		}
	}
	return append(parts, pattern[from:])
}

// lines yields the number and text of each line that is not empty and not a comment.
func lines(source string) func(func(int, string) bool) {
	return func(yield func(int, string) bool) {
		scanner := bufio.NewScanner(strings.NewReader(source))
		for number := 1; scanner.Scan(); number++ {
			line := strings.TrimSpace(scanner.Text())
			if line != "" && !strings.HasPrefix(line, "#") && !yield(number, line) {
				return
			}
		}
	}
}

// find returns one sentence for each listed word in a file's name and text.
func (l *wordList) find(name, text string) []string {
	type finding struct {
		at       int
		sentence string
	}
	var found []finding
	lower := lowerASCII(text)
	base, _, _ := strings.Cut(path.Base(name), ".")
	for _, r := range l.rules {
		if slices.ContainsFunc(l.allows, func(a struct{ path, pattern string }) bool {
			return strings.HasPrefix(name, a.path) && (a.pattern == ".*" || a.pattern == r.pattern)
		}) {
			continue
		}
		for _, match := range r.matches {
			if len(words(match, base, lowerASCII(base))) > 0 {
				found = append(found, finding{-1, fmt.Sprintf("%s: file name %q: write %s", name, base, r.replacement)})
			}
			if r.nameOnly {
				continue
			}
			for _, w := range words(match, text, lower) {
				word := strings.Join(strings.FieldsFunc(text[w[0]:w[1]], func(c rune) bool { return strings.ContainsRune(" \t\r\n/#*", c) }), " ")
				found = append(found, finding{w[0], fmt.Sprintf("%s:%d: %q: write %s", name, 1+strings.Count(text[:w[0]], "\n"), word, r.replacement)})
			}
		}
	}
	slices.SortStableFunc(found, func(a, b finding) int { return a.at - b.at })
	var sentences []string
	for _, f := range found {
		sentences = append(sentences, f.sentence)
	}
	return sentences
}

// words returns the positions of whole words that match. A word begins after a
// character that is not a letter or, in a camelCase name, with a capital letter.
func words(match *regexp.Regexp, text, lower string) [][]int {
	var found [][]int
	for _, m := range match.FindAllStringIndex(lower, -1) {
		starts := m[0] == 0 || !isLower(text[m[0]-1]) && !isUpper(text[m[0]-1]) || isLower(text[m[0]-1]) && isUpper(text[m[0]])
		if starts && oneWord(text[m[0]:m[1]]) && (m[1] == len(text) || !isLower(text[m[1]])) {
			found = append(found, m)
		}
	}
	return found
}

// oneWord reports whether a matched text is whole words. It is not if it joins parts
// of a camelCase name, such as "ANew" in StartsANewWindow.
func oneWord(text string) bool {
	return strings.ContainsAny(text, " \t\n") || strings.ToUpper(text) == text || strings.ToLower(text[1:]) == text[1:]
}

func isLower(b byte) bool { return 'a' <= b && b <= 'z' }
func isUpper(b byte) bool { return 'A' <= b && b <= 'Z' }

// lowerASCII returns lower case of the same length. strings.ToLower may change the
// length, and the positions would differ.
func lowerASCII(text string) string {
	b := []byte(text)
	for i, c := range b {
		if isUpper(c) {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}
