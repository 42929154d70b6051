package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// shellBlock is a block of commands on a page of the documentation.
type shellBlock struct{ page, text string }

func shellBlocks(t *testing.T) (all []shellBlock) {
	t.Helper()
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil || len(pages) < 30 {
		t.Fatalf("%d pages: %v", len(pages), err)
	}
	for _, file := range append(pages, "../../README.md") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
			all = append(all, shellBlock{filepath.Base(file), m[1]})
		}
	}
	return all
}

// commandLine is a call of our program in a block.
var commandLine = regexp.MustCompile(`(?m)^(?:\w+=\S+ )*(?:bin/)?coreroller ((?:[^\n\\]|\\\n)*)`)

// arg is one argument in a shell.
var arg = regexp.MustCompile(`(?:[^\s'"]|'[^']*'|"[^"]*")+`)

// Every call of the program in the documentation is one that it accepts: the command, its
// flags with their values, and the number of arguments.
func TestCommandsOfTheDocsAreAccepted(t *testing.T) {
	calls := 0
	for _, b := range shellBlocks(t) {
		for _, m := range commandLine.FindAllStringSubmatch(b.text, -1) {
			line, _, _ := strings.Cut(strings.ReplaceAll(m[1], "\\\n", " "), " #")
			line, _, _ = strings.Cut(line, " ||")
			line, _, _ = strings.Cut(line, " >")
			var args []string
			for _, a := range arg.FindAllString(line, -1) {
				args = append(args, strings.NewReplacer("'", "", `"`, "").Replace(a))
			}
			calls++
			c, rest, err := rootCommand(process{}).Find(args)
			if err != nil || !c.Runnable() {
				t.Errorf("%s: coreroller %s: %v", b.page, line, err)
				continue
			}
			if err := c.ParseFlags(rest); err != nil {
				t.Errorf("%s: coreroller %s: %v", b.page, line, err)
			} else if err := c.ValidateArgs(c.Flags().Args()); err != nil {
				t.Errorf("%s: coreroller %s: %v", b.page, line, err)
			}
		}
	}
	if calls < 60 {
		t.Errorf("only %d calls were found", calls)
	}
}
