// Package coreroller_test keeps the house of docs/ARCHITECTURE.md standing: who
// may import whom, and what belongs in one room only.
package coreroller_test

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
)

const module = "github.com/coreroller/coreroller"

// rooms are folders with Go code and the rooms that each may import. A folder
// below a room belongs to it, unless it is a room of its own. Arrows point down.
// No room lists cmd, so none can import it.
var rooms = map[string]struct{ imports, because string }{
	"rollout":    {"", "a decision is a function of its arguments, so that it can be explained, replayed and simulated"},
	"event":      {"", "an event is a kind and ids, which everybody can send and hear"},
	"auth":       {"", "it declares the interface it needs; whoever calls it depends on it, never the reverse"},
	"frontend":   {"", "it only embeds the built interface"},
	"ent":        {"rollout", "a schema knows value types, not what is done with them"},
	"store":      {"ent event rollout", "it persists and tells; who may do what, and why, is decided above it"},
	"fleet":      {"store ent event auth rollout", "the service layer knows no protocol: the dialects translate to it"},
	"graph":      {"fleet ent event auth rollout", "a dialect has no rules and no SQL inside, and no dialect needs another"},
	"rest":       {"fleet ent auth rollout", "a dialect has no rules and no SQL inside, and no dialect needs another"},
	"omaha":      {"fleet rollout", "a dialect has no rules and no SQL inside, and no dialect needs another"},
	"server":     {"graph rest omaha fleet event auth frontend", "it routes: what is behind a route is not its business"},
	"simulate":   {"simulate/load", "simulated machines speak Omaha over HTTP and do not know what answers"},
	"bench":      {"simulate/load server store fleet auth rollout omaha", "it measures the server over HTTP, on a database it fills itself"},
	"acceptance": {"", "only tests: requests in, answers and state out"},
	"cmd":        {"server store fleet event auth rollout omaha simulate simulate/demo", "it wires; what a page shows or a protocol says is below"},

	"simulate/load": {"", "it sends requests to any server and does not know what answers"},
	"simulate/demo": {"simulate store fleet auth rollout", "it fills a server through the service layer and runs machines against it over HTTP"},
}

// libraries are the imports that belong in some rooms only. A path covers
// everything below it, and the longest that fits decides.
var libraries = []struct{ path, rooms, because string }{
	{"database/sql", "store ent bench", "SQL, transactions and opening a database live in store"},
	{"database/sql/driver", "store ent rollout", "SQL, transactions and opening a database live in store; a value type may say how it is kept"},
	{"github.com/lib/pq", "store", "the database is opened in one place"},
	{"modernc.org/sqlite", "store", "the database is opened in one place"},
	{"github.com/pressly/goose/v3", "store", "the schema is migrated in one place"},
	{"ariga.io/atlas", "store ent", "the schema is migrated in one place"},
	{"github.com/99designs/gqlgen", "graph", "only graph speaks GraphQL"},
	{"github.com/gorilla/websocket", "graph simulate/load", "subscriptions are the only use of websockets"},
	{"github.com/spf13", "cmd", "flags are read in one place; everybody else gets a plain struct"},
	{"flag", "cmd bench", "flags are read in one place; everybody else gets a plain struct"},
	{"github.com/pb33f", "", "it holds the REST API against its description, in tests"},
	{"github.com/kinvolk/go-omaha", "", "it is the other side of our tests, not a part of the server"},
}

// names are the functions and variables that belong in some rooms only
// (rooms), or must not be used in some (not). A folder stands for what is below.
var names = []struct{ path, names, rooms, not, because string }{
	{
		path: "os", names: "Getenv LookupEnv Environ ExpandEnv Args",
		rooms:   "cmd bench store/storetest store/makemigration", // the tests' cluster is named by the Makefile
		because: "the environment and the command line are read in one place; everybody else gets a plain struct",
	},
	{
		path: "time", names: "Now Since Until After AfterFunc NewTimer Tick NewTicker Sleep",
		not:     "rollout",
		because: "now is a parameter: the same inputs always give the same decision",
	},
	{
		path: "time", names: "Now Since Until",
		not:     "fleet",
		because: "the clock is a field that cmd fills, so that tests own the time",
	},
}

// pure are the only imports of rollout besides the standard library, and
// impure those of the standard library it must do without.
const (
	pure   = "golang.org/x/mod/semver"
	impure = "context log log/slog os io io/fs net net/http math/rand math/rand/v2 crypto/rand sync sync/atomic runtime"
)

// nameless are package and folder names that say nothing about what is inside.
const nameless = "utils util common helpers helper models pkg internal misc shared"

// longest is the length, in lines, at which a written file holds two nouns.
const longest = 500

func in(list, word string) bool { return slices.Contains(strings.Fields(list), word) }

// roomOf returns the innermost room that contains a folder, or the name of the
// top-level folder if there is none, or "" at the root.
func roomOf(folder string) string {
	for room := folder; room != "."; room = path.Dir(room) {
		if _, known := rooms[room]; known {
			return room
		}
	}
	room, _, _ := strings.Cut(strings.TrimPrefix(folder, "."), "/")
	return room
}

// below reports whether a slash-separated path is one of the list or below one.
func below(list, name string) bool {
	return slices.ContainsFunc(strings.Fields(list), func(p string) bool {
		return name == p || strings.HasPrefix(name, p+"/")
	})
}

// file is one Go file while it is checked.
type file struct {
	name      string // slash-separated, from the root
	folder    string
	room      string // "" at the root
	test      bool
	generated bool
	source    []byte
	syntax    *ast.File
	aliases   map[string]string // local name of an import → its path
	found     *[]string
}

func (f *file) complain(format string, args ...any) {
	*f.found = append(*f.found, f.name+": "+fmt.Sprintf(format, args...))
}

// violations returns a sentence for everything in the tree that breaks a rule.
func violations(tree fs.FS) ([]string, error) {
	var found []string
	err := fs.WalkDir(tree, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := path.Base(name)
		if entry.IsDir() {
			switch {
			case name == ".":
			case base == "node_modules", base == "testdata", strings.HasPrefix(base, "."),
				in("bin build data", name):
				return fs.SkipDir
			}
			return nil
		}
		if path.Ext(name) != ".go" {
			return nil
		}
		f := &file{name: name, folder: path.Dir(name), test: strings.HasSuffix(name, "_test.go"), found: &found}
		f.room = roomOf(f.folder)
		if f.source, err = fs.ReadFile(tree, name); err != nil {
			return err
		}
		return f.check()
	})
	return found, err
}

func (f *file) check() error {
	var err error
	mode := parser.SkipObjectResolution
	f.generated = bytes.HasPrefix(f.source, []byte("// Code generated "))
	if f.generated {
		mode |= parser.ImportsOnly // a quarter of a million lines nobody wrote
	}
	if f.syntax, err = parser.ParseFile(token.NewFileSet(), f.name, f.source, mode); err != nil {
		return err
	}
	f.checkPlace()
	// Tests may reach up: they start the real server or fill the real store.
	if f.test || f.room == "" {
		return nil
	}
	f.aliases = map[string]string{}
	for _, spec := range f.syntax.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return err
		}
		f.aliases[path.Base(imported)] = imported
		if spec.Name != nil {
			f.aliases[spec.Name.Name] = imported
		}
		f.checkImport(imported)
	}
	f.checkNames()
	return nil
}

// checkPlace checks what a file and its folder are called and how long it is.
func (f *file) checkPlace() {
	if _, known := rooms[f.room]; !known && f.room != "" {
		f.complain("there is no room called %s: add it to rooms with what it may import, and to docs/ARCHITECTURE.md", f.room)
	}
	if f.room == "frontend" && f.name != "frontend/embed.go" {
		f.complain("the only Go file of frontend is embed.go: everything else there is the interface")
	}
	for _, word := range append(strings.Split(f.folder, "/"), strings.TrimSuffix(f.syntax.Name.Name, "_test")) {
		if in(nameless, word) {
			f.complain("%s says nothing about what is inside: name the noun", word)
			break
		}
	}
	if lines := bytes.Count(f.source, []byte("\n")); !f.generated && lines > longest {
		f.complain("%d lines, more than %d: which two nouns are in it?", lines, longest)
	}
}

func (f *file) checkImport(imported string) {
	if imported == module || strings.HasPrefix(imported, module+"/") {
		room := roomOf(strings.TrimPrefix(imported, module+"/"))
		if own := rooms[f.room]; room != f.room && !in(own.imports, room) {
			f.complain("%s must not import %s: %s", f.room, room, own.because)
		}
		return
	}
	if f.room == "rollout" && (in(impure, imported) || strings.Contains(imported, ".") && !below(pure, imported)) {
		f.complain("rollout must not import %s: %s", imported, rooms["rollout"].because)
		return
	}
	decides := -1
	for i, l := range libraries {
		if below(l.path, imported) && (decides < 0 || len(l.path) > len(libraries[decides].path)) {
			decides = i
		}
	}
	if decides >= 0 && !in(libraries[decides].rooms, f.room) {
		f.complain("%s must not import %s: %s", f.room, imported, libraries[decides].because)
	}
}

// checkNames finds uses of the names that belong elsewhere, called or not.
func (f *file) checkNames() {
	ast.Inspect(f.syntax, func(node ast.Node) bool {
		selector, ok := node.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		local, ok := selector.X.(*ast.Ident)
		if !ok {
			return true
		}
		for _, n := range names {
			if f.aliases[local.Name] != n.path || !in(n.names, selector.Sel.Name) {
				continue
			}
			if n.rooms != "" && !below(n.rooms, f.folder) || below(n.not, f.folder) {
				f.complain("%s must not use %s.%s: %s", f.room, n.path, selector.Sel.Name, n.because)
			}
		}
		return true
	})
}

func TestArchitecture(t *testing.T) {
	found, err := violations(os.DirFS("."))
	if err != nil {
		t.Fatal(err)
	}
	for _, sentence := range found {
		t.Error(sentence)
	}
}

// TestArchitectureSeesViolations breaks each rule once: a check that cannot
// fail is worth nothing.
func TestArchitectureSeesViolations(t *testing.T) {
	long := "package store\n" + strings.Repeat("\n", longest)
	for _, c := range []struct{ name, source, want string }{
		// Right as it is.
		{"rollout/a.go", "package rollout\nimport (\"time\"; \"golang.org/x/mod/semver\")\nvar _ = time.UTC; var _ = semver.Max", ""},
		{"rollout/forecast/a.go", "package forecast\nimport _ \"github.com/coreroller/coreroller/rollout\"", ""},
		{"cmd/coreroller/a.go", "package main\nimport (\"os\"; \"github.com/coreroller/coreroller/store\"; \"github.com/spf13/cobra\")\nvar _ = os.Getenv; var _ cobra.Command", ""},
		{"fleet/a_test.go", "package fleet\nimport (\"flag\"; \"time\"; \"github.com/coreroller/coreroller/server\")\nvar _ = time.Now", ""},
		{"store/storetest/a.go", "package storetest\nimport (\"os\"; _ \"github.com/lib/pq\")\nvar _ = os.Getenv", ""},
		{"store/lane.go", "package store\nimport \"time\"\nvar _ = time.Now", ""},
		{"fleet/worker.go", "package fleet\nimport \"time\"\nvar _ = time.NewTicker", ""},
		{"ent/db/a.go", "// Code generated by ent. DO NOT EDIT.\n" + strings.Repeat("\n", longest) + "package db", ""},
		{"frontend/node_modules/flatted/golang/pkg/a.go", "package flatted", ""},
		{"architecture_test.go", "package coreroller_test\nimport \"os\"\nvar _ = os.Getenv", ""},
		// Rooms.
		{"rollout/a.go", "package rollout\nimport _ \"github.com/coreroller/coreroller/event\"", "rollout must not import event"},
		{"rollout/a.go", "package rollout\nimport _ \"github.com/google/uuid\"", "rollout must not import github.com/google/uuid"},
		{"rollout/a.go", "package rollout\nimport _ \"context\"", "rollout must not import context"},
		{"rollout/calendar/a.go", "package calendar\nimport _ \"github.com/coreroller/coreroller/event\"", "rollout must not import event"},
		{"rollout/forecast/a.go", "package forecast\nimport _ \"math/rand/v2\"", "rollout must not import math/rand/v2"},
		{"event/a.go", "package event\nimport _ \"github.com/coreroller/coreroller/store\"", "event must not import store"},
		{"auth/a.go", "package auth\nimport _ \"github.com/coreroller/coreroller/fleet\"", "auth must not import fleet"},
		{"ent/schema/a.go", "package schema\nimport _ \"github.com/coreroller/coreroller/store\"", "ent must not import store"},
		{"store/a.go", "package store\nimport _ \"github.com/coreroller/coreroller/auth\"", "store must not import auth"},
		{"fleet/a.go", "package fleet\nimport _ \"github.com/coreroller/coreroller/omaha\"", "fleet must not import omaha"},
		{"graph/generated/a.go", "// Code generated by gqlgen. DO NOT EDIT.\npackage generated\nimport _ \"github.com/coreroller/coreroller/store\"", "graph must not import store"},
		{"rest/a.go", "package rest\nimport _ \"github.com/coreroller/coreroller/graph/model\"", "rest must not import graph"},
		{"omaha/a.go", "package omaha\nimport _ \"github.com/coreroller/coreroller/ent/db\"", "omaha must not import ent"},
		{"server/a.go", "package server\nimport _ \"github.com/coreroller/coreroller/store\"", "server must not import store"},
		{"server/a.go", "package server\nimport _ \"github.com/coreroller/coreroller/cmd/coreroller\"", "server must not import cmd"},
		{"simulate/a.go", "package simulate\nimport _ \"github.com/coreroller/coreroller/omaha\"", "simulate must not import omaha"},
		{"simulate/a.go", "package simulate\nimport _ \"github.com/coreroller/coreroller/simulate/demo\"", "simulate must not import simulate/demo"},
		{"simulate/load/a.go", "package load\nimport _ \"github.com/coreroller/coreroller/fleet\"", "simulate/load must not import fleet"},
		{"simulate/demo/a.go", "package demo\nimport _ \"github.com/coreroller/coreroller/fleet\"", ""},
		{"webhook/a.go", "package webhook", "there is no room called webhook"},
		// Libraries.
		{"cmd/coreroller/a.go", "package main\nimport _ \"database/sql\"", "cmd must not import database/sql"},
		{"fleet/a.go", "package fleet\nimport _ \"database/sql/driver\"", "fleet must not import database/sql/driver"},
		{"cmd/coreroller/a.go", "package main\nimport _ \"github.com/lib/pq\"", "the database is opened in one place"},
		{"fleet/a.go", "package fleet\nimport _ \"modernc.org/sqlite/lib\"", "the database is opened in one place"},
		{"server/a.go", "package server\nimport _ \"flag\"", "flags are read in one place"},
		{"server/a.go", "package server\nimport _ \"github.com/spf13/pflag\"", "flags are read in one place"},
		{"omaha/a.go", "package omaha\nimport _ \"github.com/kinvolk/go-omaha/omaha\"", "the other side of our tests"},
		// Names.
		{"store/a.go", "package store\nimport \"os\"\nvar _ = os.Getenv(\"X\")", "store must not use os.Getenv"},
		{"server/a.go", "package server\nimport sys \"os\"\nvar _, _ = sys.LookupEnv(\"X\")", "server must not use os.LookupEnv"},
		{"rollout/a.go", "package rollout\nimport \"time\"\nvar _ = time.Now()", "rollout must not use time.Now"},
		{"rollout/calendar/a.go", "package calendar\nimport \"time\"\nvar _ = time.Now()", "rollout must not use time.Now"},
		{"fleet/a.go", "package fleet\nimport \"time\"\nvar clock = time.Now", "fleet must not use time.Now"},
		// Places.
		{"frontend/serve.go", "package frontend", "the only Go file of frontend is embed.go"},
		{"store/utils/a.go", "package utils", "utils says nothing"},
		{"store/a.go", "package helpers", "helpers says nothing"},
		{"store/internal/lane/a.go", "package lane", "internal says nothing"},
		{"store/a.go", long, "501 lines, more than 500"},
		{"store/a_test.go", long, "501 lines, more than 500"},
	} {
		found, err := violations(fstest.MapFS{c.name: {Data: []byte(c.source)}})
		switch {
		case err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.want == "" && len(found) > 0:
			t.Errorf("%s is right and was refused: %s\n%s", c.name, found, c.source)
		case c.want != "" && (len(found) != 1 || !strings.Contains(found[0], c.want)):
			t.Errorf("%s: found %q, want one sentence with %q\n%.200s", c.name, found, c.want, c.source)
		}
	}
}
