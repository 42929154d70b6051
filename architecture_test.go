// Package coreroller_test checks the rules that apply to the whole repository,
// such as the imports that docs/ARCHITECTURE.md permits.
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

// areas lists the folders with Go code and which of them each may import. A folder
// below an area belongs to that area, unless it is listed itself. No area lists cmd,
// so none can import it.
var areas = map[string]struct{ imports, because string }{
	"rollout":        {"", "a decision is a function of its arguments, so that it can be explained, replayed and simulated"},
	"event":          {"", "an event is a kind and ids, so that every area can publish and receive it"},
	"auth":           {"", "it declares the interface it needs; its callers depend on it, never the reverse"},
	"frontend":       {"", "it only embeds the built dashboard"},
	"ent":            {"auth rollout", "a schema uses value types, but not the code that works with them"},
	"store":          {"ent event rollout", "it persists and publishes; permissions and rules are checked above it"},
	"remote/payload": {"", "it reads files; the command line and the server use it"},
	"fleet":          {"remote/payload fleet/account fleet/catalog fleet/change fleet/checkin fleet/clock fleet/disk fleet/fault fleet/input fleet/job fleet/proposal fleet/quota fleet/reach fleet/seed fleet/upkeep fleet/view fleet/view/machines store ent event auth rollout fleet/hosting remote/mirror fleet/importing fleet/reboot remote/notify fleet/notice fleet/membership fleet/reassign", "the service layer knows no protocol: graph, rest and omaha translate"},
	"graph":          {"remote/payload fleet fleet/job fleet/proposal fleet/reach fleet/view fleet/view/machines fleet/catalog fleet/account fleet/fault ent event auth rollout fleet/hosting fleet/importing remote/notify fleet/notice", "a protocol contains no rules and no SQL, and does not depend on another protocol"},
	"rest":           {"rest/endpoint fleet fleet/view fleet/view/machines fleet/catalog fleet/account fleet/fault ent auth rollout", "a protocol contains no rules and no SQL, and does not depend on another protocol"},
	"remote/mirror":  {"", "it asks another server and returns values; what they change here is decided by fleet"},
	"omaha":          {"fleet/checkin fleet/catalog fleet/fault rollout", "a protocol contains no rules and no SQL, and does not depend on another protocol"},
	"server":         {"server/signin graph rest rest/endpoint rest/nebraska omaha fleet fleet/disk fleet/quota event auth frontend server/payloads fleetlock fleet/checkin fleet/notice fleet/upkeep", "it routes requests and does not depend on what the routes do"},
	"fleetlock":      {"fleet/reboot fleet/catalog fleet/fault", "a protocol contains no rules and no SQL, and does not depend on another protocol"},
	"remote/notify":  {"remote/payload", "it knows formats and connections; who gets what is decided above it"},
	"simulate":       {"simulate/load", "simulated machines send Omaha over HTTP to any server"},
	"bench":          {"simulate/load simulate/year server store fleet fleet/catalog auth rollout omaha", "it measures the server over HTTP, on a database that it fills"},
	"updater":        {"", "other programs import it: it must not bring the server's packages and libraries with it"},
	"acceptance":     {"", "only tests: requests in, answers and state out"},
	"client":         {"client/api client/mcp", "it is a program on another machine: it knows only the public API"},
	"cmd":            {"client client/api remote/payload server server/payloads server/signin store fleet fleet/account fleet/catalog fleet/clock fleet/disk fleet/fault fleet/notice fleet/quota fleet/view event auth rollout omaha simulate simulate/demo updater fleet/importing remote/notify", "it wires the areas together; pages and protocols are in other areas"},

	"fleet/account":       {"fleet/change fleet/input fleet/fault store ent auth", "users do not depend on machines"},
	"fleet/selector":      {"", "an expression sees only the values that it is given"},
	"fleet/membership":    {"fleet/catalog fleet/selector store ent", "check-ins, verbs, the walk and the preview decide the same"},
	"fleet/reassign":      {"fleet/catalog fleet/change fleet/membership auth event rollout store ent", "the walk and the verbs that move machines use the same code"},
	"fleet/catalog":       {"store ent event rollout fleet/selector", "the configuration does not depend on the code that uses it"},
	"fleet/change":        {"fleet/catalog fleet/fault store event auth rollout", "a change does not depend on the verbs that use it"},
	"fleet/checkin":       {"fleet/catalog fleet/disk fleet/quota fleet/pace fleet/fault store event rollout fleet/membership ent", "check-ins do not depend on operators"},
	"fleet/clock":         {"", "cmd gives it what it reads: the clocks of the host and of the database"},
	"fleet/disk":          {"fleet/fault", "cmd gives it what it reads: the disks of the host"},
	"fleet/fault":         {"ent auth store", "every area of fleet returns its errors, so it must not import them"},
	"fleet/hosting":       {"remote/payload fleet/fault store ent", "it knows what is stored; verbs decide who may change it"},
	"fleet/importing":     {"fleet/catalog fleet/change fleet/checkin fleet/input store ent event auth rollout", "it writes what another server had, through the same changes as verbs"},
	"fleet/input":         {"fleet/catalog fleet/fault rollout fleet/selector", "checks of input do not depend on verbs"},
	"fleet/job":           {"fleet/catalog fleet/fault store ent rollout fleet/input", "the preview of a job and its batches both use it"},
	"fleet/notice":        {"remote/notify fleet/view store ent event auth rollout", "it reads what others wrote and sends it"},
	"fleet/proposal":      {"ent", "verbs and reads both use it"},
	"fleet/quota":         {"", "numbers and counts, which cmd sets and every area of fleet reads"},
	"fleet/pace":          {"fleet/catalog store ent rollout", "check-ins and views both use it"},
	"fleet/reach":         {"fleet/catalog ent event auth", "it restricts every read, so it depends on none"},
	"fleet/reboot":        {"fleet/catalog fleet/disk fleet/quota fleet/fault store ent event rollout", "requests of machines do not depend on operators"},
	"fleet/seed":          {"fleet/catalog fleet/change fleet/fault auth rollout", "it writes the first contents of a new database"},
	"fleet/upkeep":        {"fleet/catalog fleet/checkin fleet/clock fleet/quota fleet/pace fleet/fault store event auth rollout", "it maintains data that other areas wrote"},
	"fleet/view":          {"fleet/view/machines fleet/importing fleet/job fleet/proposal fleet/catalog fleet/clock fleet/disk fleet/input fleet/quota fleet/pace fleet/fault fleet/reach store ent auth rollout fleet/reboot fleet/membership fleet/selector", "a read changes nothing"},
	"fleet/view/machines": {"fleet/catalog fleet/fault fleet/reach store ent auth rollout fleet/job", "a read changes nothing"},

	"scripts/packaging": {"", "it reads a built program and the files that install it"},

	"rest/endpoint": {"fleet fleet/view fleet/catalog fleet/fault ent auth rollout", "it serves the routes of any API for scripts and knows none"},
	"rest/nebraska": {"rest/endpoint fleet fleet/view fleet/view/machines fleet/fault ent rollout", "a protocol contains no rules and no SQL, and does not depend on another protocol"},

	"client/api": {"", "it sends documents to any server"},
	"client/mcp": {"", "it knows the form of tools and answers, and no document"},

	"server/payloads": {"remote/payload fleet fleet/fault fleet/hosting auth", "it sends and receives files; which may be stored is a rule of fleet"},

	"server/signin": {"fleet/account fleet/fault auth", "it talks to identity providers; users, rights and sessions belong to the service layer"},

	"updater/example": {"updater", "a program that uses the updater as others do"},

	"simulate/load": {"", "it sends requests to any server"},
	"simulate/year": {"simulate ent store fleet fleet/catalog fleet/fault fleet/view fleet/view/machines auth rollout rollout/forecast omaha", "it judges a server from inside: it sets its clock, and compares counters with machines"},
	"simulate/demo": {"simulate store fleet fleet/catalog fleet/fault fleet/view/machines auth rollout", "it fills a server through the service layer and runs machines against it over HTTP"},
}

// libraries are imports that only the listed areas may use. A path covers itself
// and everything below it; a path with a trailing slash covers only what is below.
// The longest matching path decides.
var libraries = []struct{ path, areas, because string }{
	{"database/sql", "store ent bench", "only store runs SQL, opens transactions and opens databases"},
	{"database/sql/driver", "store ent rollout", "only store runs SQL; a value type may define how it is stored"},
	{"github.com/lib/pq", "store", "the database is opened in one place"},
	{"modernc.org/sqlite", "store", "the database is opened in one place"},
	{"github.com/pressly/goose/v3", "store", "the schema is migrated in one place"},
	{"entgo.io/ent", "store ent fleet/reach fleet/view fleet/view/machines", "queries that need SQL are part of the read layer; other areas use ent's generated queries or read through fleet/view"},
	{module + "/ent/db/", "store ent bench fleet fleet/account fleet/catalog fleet/change fleet/checkin fleet/hosting fleet/pace fleet/proposal fleet/reach fleet/seed fleet/upkeep fleet/view fleet/view/machines fleet/importing fleet/reboot fleet/notice fleet/reassign", "queries are built in the service layer; graph and rest call fleet/view"},
	{"ariga.io/atlas", "store ent", "the schema is migrated in one place"},
	{"github.com/99designs/gqlgen", "graph", "only graph implements GraphQL"},
	{"github.com/gorilla/websocket", "graph simulate/load", "subscriptions are the only use of websockets"},
	{"github.com/coreos/go-oidc/v3", "server/signin", "browsers sign in with identity providers in one place"},
	{"golang.org/x/oauth2", "server/signin", "browsers sign in with identity providers in one place"},
	{"github.com/minio/minio-go", "remote/payload", "files are kept in one place"},
	{"golang.org/x/time", "server/payloads", "downloads are the only use of rates per second"},
	{"github.com/johannesboyne/gofakes3", "", "only tests use it, as a server of S3"},
	{"github.com/wneessen/go-mail", "remote/notify", "mail is sent in one place"},
	{"github.com/emersion/go-smtp", "", "only tests use it, as a mail server"},
	{"github.com/spf13", "cmd client", "flags are read in one place; other areas receive a plain struct"},
	{"github.com/modelcontextprotocol/go-sdk", "client/mcp", "assistants are answered in one place, which limits and marks every answer"},
	{"flag", "cmd bench updater/example", "flags are read in one place; other areas receive a plain struct"},
	{"github.com/pb33f", "", "only tests use it, to compare the REST API with its description"},
	{"github.com/oauth2-proxy/mockoidc", "", "only tests use it, as an identity provider"},
	{"github.com/kinvolk/go-omaha", "", "only tests use it, as an independent client"},
}

// names are functions and variables that may be used only in the listed folders
// (areas), or nowhere in them (not). A folder includes those below it.
var names = []struct{ path, names, areas, not, because string }{
	{
		path: "os", names: "Getenv LookupEnv Environ ExpandEnv Args",
		areas:   "cmd bench store/storetest store/makemigration updater/example scripts/packaging", // the environment contains the URL of the tests' PostgreSQL
		because: "the environment and the command line are read in one place; other areas receive a plain struct",
	},
	{
		path: "time", names: "Now Since Until After AfterFunc NewTimer Tick NewTicker Sleep",
		not:     "rollout",
		because: "now is a parameter: the same inputs always give the same decision",
	},
	{
		path: "time", names: "Now Since Until",
		not:     "fleet",
		because: "the clock is a field that cmd sets, so that tests control the time",
	},
}

// pure are the only imports of rollout besides the standard library. impure are
// packages of the standard library that rollout must not import.
const (
	pure   = "golang.org/x/mod/semver"
	impure = "context log log/slog os io io/fs net net/http math/rand math/rand/v2 crypto/rand sync sync/atomic runtime"
)

// nameless are package and folder names that do not describe the contents.
const nameless = "utils util common helpers helper models pkg internal misc shared"

// longest is the maximum length of a file that is not generated, in lines.
const longest = 500

func in(list, word string) bool { return slices.Contains(strings.Fields(list), word) }

// areaOf returns the innermost area that contains a folder, or the name of the
// top-level folder if there is none, or "" at the root.
func areaOf(folder string) string {
	for area := folder; area != "."; area = path.Dir(area) {
		if _, known := areas[area]; known {
			return area
		}
	}
	area, _, _ := strings.Cut(strings.TrimPrefix(folder, "."), "/")
	return area
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
	area      string // "" at the root
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
		f.area = areaOf(f.folder)
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
		mode |= parser.ImportsOnly // 250,000 generated lines
	}
	if f.syntax, err = parser.ParseFile(token.NewFileSet(), f.name, f.source, mode); err != nil {
		return err
	}
	f.checkPlace()
	// Tests may import areas above: they start the real server or fill the real store.
	if f.test || f.area == "" {
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
	f.checkQueries()
	return nil
}

// checkPlace checks the names of a file and its folder, and the file's length.
func (f *file) checkPlace() {
	if _, known := areas[f.area]; !known && f.area != "" {
		f.complain("there is no area called %s: add it to areas with what it may import, and to docs/ARCHITECTURE.md", f.area)
	}
	if f.area == "frontend" && f.name != "frontend/embed.go" {
		f.complain("the only Go file of frontend is embed.go: the rest is the dashboard")
	}
	for _, word := range append(strings.Split(f.folder, "/"), strings.TrimSuffix(f.syntax.Name.Name, "_test")) {
		if in(nameless, word) {
			f.complain("the name %s does not describe the contents: name the subject", word)
			break
		}
	}
	if lines := bytes.Count(f.source, []byte("\n")); !f.generated && lines > longest {
		f.complain("%d lines, more than %d: split the file", lines, longest)
	}
}

func (f *file) checkImport(imported string) {
	own := imported == module || strings.HasPrefix(imported, module+"/")
	if own {
		area := areaOf(strings.TrimPrefix(imported, module+"/"))
		if rule := areas[f.area]; area != f.area && !in(rule.imports, area) {
			f.complain("%s must not import %s: %s", f.area, area, rule.because)
			return
		}
	}
	if f.area == "rollout" && !own && (in(impure, imported) || strings.Contains(imported, ".") && !below(pure, imported)) {
		f.complain("rollout must not import %s: %s", imported, areas["rollout"].because)
		return
	}
	decides := -1
	for i, l := range libraries {
		covers := below(l.path, imported) || strings.HasSuffix(l.path, "/") && strings.HasPrefix(imported, l.path)
		if covers && (decides < 0 || len(l.path) > len(libraries[decides].path)) {
			decides = i
		}
	}
	if decides >= 0 && !in(libraries[decides].areas, f.area) {
		f.complain("%s must not import %s: %s", f.area, imported, libraries[decides].because)
	}
}

// queryless are the areas that must not build queries.
const queryless = "graph rest omaha fleetlock server cmd"

// checkQueries finds calls of ent's methods Query and QueryX, by their names.
func (f *file) checkQueries() {
	if !in(queryless, f.area) {
		return
	}
	ast.Inspect(f.syntax, func(node ast.Node) bool {
		call, ok := node.(*ast.CallExpr)
		if !ok {
			return true
		}
		selector, ok := call.Fun.(*ast.SelectorExpr)
		if !ok || !strings.HasPrefix(selector.Sel.Name, "Query") {
			return true
		}
		switch x := selector.X.(type) {
		case *ast.SelectorExpr: // r.URL.Query()
			if x.Sel.Name == "URL" {
				return true
			}
		case *ast.Ident: // url.QueryEscape()
			if f.aliases[x.Name] == "net/url" {
				return true
			}
		}
		f.complain("%s must not call %s: reads are in fleet/view", f.area, selector.Sel.Name)
		return true
	})
}

// checkNames finds uses of names that this folder must not use, even without a call.
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
			if n.areas != "" && !below(n.areas, f.folder) || below(n.not, f.folder) {
				f.complain("%s must not use %s.%s: %s", f.area, n.path, selector.Sel.Name, n.because)
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

// TestArchitectureFindsViolations breaks each rule once.
func TestArchitectureFindsViolations(t *testing.T) {
	long := "package store\n" + strings.Repeat("\n", longest)
	for _, c := range []struct{ name, source, want string }{
		// Allowed.
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
		// Areas.
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
		{"webhook/a.go", "package webhook", "there is no area called webhook"},
		// Areas below fleet.
		{"graph/a.go", "package graph\nimport (_ \"github.com/coreroller/coreroller/ent/db\"; _ \"github.com/coreroller/coreroller/fleet/view/machines\")", ""},
		{"fleet/view/a.go", "package view\nimport (_ \"entgo.io/ent/dialect/sql\"; _ \"github.com/coreroller/coreroller/ent/db/group\")", ""},
		{"fleet/fault/a.go", "package fault\nimport _ \"github.com/coreroller/coreroller/fleet/input\"", "fleet/fault must not import fleet/input"},
		{"fleet/view/a.go", "package view\nimport _ \"github.com/coreroller/coreroller/fleet\"", "fleet/view must not import fleet:"},
		{"fleet/view/a.go", "package view\nimport _ \"github.com/coreroller/coreroller/fleet/change\"", "fleet/view must not import fleet/change"},
		{"fleet/checkin/a.go", "package checkin\nimport _ \"github.com/coreroller/coreroller/fleet/view\"", "fleet/checkin must not import fleet/view"},
		{"omaha/a.go", "package omaha\nimport _ \"github.com/coreroller/coreroller/fleet\"", "omaha must not import fleet:"},
		{"rest/a.go", "package rest\nimport _ \"github.com/coreroller/coreroller/fleet/checkin\"", "rest must not import fleet/checkin"},
		{"client/a.go", "package client\nimport _ \"github.com/coreroller/coreroller/fleet\"", "client must not import fleet:"},
		{"client/api/a.go", "package api\nimport _ \"github.com/spf13/cobra\"", "client/api must not import github.com/spf13/cobra"},
		// Queries.
		{"graph/a.go", "package graph\nimport _ \"entgo.io/ent/dialect/sql\"", "graph must not import entgo.io/ent/dialect/sql"},
		{"fleet/change/a.go", "package change\nimport _ \"entgo.io/ent/dialect/sql\"", "fleet/change must not import entgo.io/ent/dialect/sql"},
		{"rest/a.go", "package rest\nimport _ \"github.com/coreroller/coreroller/ent/db/group\"", "rest must not import github.com/coreroller/coreroller/ent/db/group"},
		{"rest/a.go", "package rest\nimport \"net/url\"\nvar _ = r.URL.Query(); var _ = url.QueryEscape(\"\")", ""},
		{"graph/a.go", "package graph\nvar _ = row.QueryGroups()", "graph must not call QueryGroups"},
		{"cmd/coreroller/a.go", "package main\nvar _ = s.Reader().User.Query()", "cmd must not call Query"},
		// Libraries.
		{"cmd/coreroller/a.go", "package main\nimport _ \"database/sql\"", "cmd must not import database/sql"},
		{"fleet/a.go", "package fleet\nimport _ \"database/sql/driver\"", "fleet must not import database/sql/driver"},
		{"cmd/coreroller/a.go", "package main\nimport _ \"github.com/lib/pq\"", "the database is opened in one place"},
		{"fleet/a.go", "package fleet\nimport _ \"modernc.org/sqlite/lib\"", "the database is opened in one place"},
		{"server/a.go", "package server\nimport _ \"flag\"", "flags are read in one place"},
		{"server/a.go", "package server\nimport _ \"github.com/spf13/pflag\"", "flags are read in one place"},
		{"omaha/a.go", "package omaha\nimport _ \"github.com/kinvolk/go-omaha/omaha\"", "only tests use it, as an independent client"},
		// Names.
		{"store/a.go", "package store\nimport \"os\"\nvar _ = os.Getenv(\"X\")", "store must not use os.Getenv"},
		{"server/a.go", "package server\nimport sys \"os\"\nvar _, _ = sys.LookupEnv(\"X\")", "server must not use os.LookupEnv"},
		{"rollout/a.go", "package rollout\nimport \"time\"\nvar _ = time.Now()", "rollout must not use time.Now"},
		{"rollout/calendar/a.go", "package calendar\nimport \"time\"\nvar _ = time.Now()", "rollout must not use time.Now"},
		{"fleet/a.go", "package fleet\nimport \"time\"\nvar clock = time.Now", "fleet must not use time.Now"},
		// Places.
		{"frontend/serve.go", "package frontend", "the only Go file of frontend is embed.go"},
		{"store/utils/a.go", "package utils", "the name utils does not"},
		{"store/a.go", "package helpers", "the name helpers does not"},
		{"store/internal/lane/a.go", "package lane", "the name internal does not"},
		{"store/a.go", long, "501 lines, more than 500"},
		{"store/a_test.go", long, "501 lines, more than 500"},
	} {
		found, err := violations(fstest.MapFS{c.name: {Data: []byte(c.source)}})
		switch {
		case err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.want == "" && len(found) > 0:
			t.Errorf("%s is allowed but was rejected: %s\n%s", c.name, found, c.source)
		case c.want != "" && (len(found) != 1 || !strings.Contains(found[0], c.want)):
			t.Errorf("%s: found %q, want one sentence with %q\n%.200s", c.name, found, c.want, c.source)
		}
	}
}
