package coreroller_test

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/coreroller/coreroller/rollout"
)

// errorsPage lists every code a client can receive.
const errorsPage = "docs/errors.md"

// statusSections are the tables of HTTP statuses in errorsPage: the areas whose
// code sends them, and the statuses that a library sends for those areas.
var statusSections = map[string]struct{ areas, libraries string }{
	"Machines":             {"omaha", "200 404"},                          // net/http: the answer itself; the secret's http.NotFound
	"GraphQL":              {"graph auth", "101 200 400 405 406 422 500"}, // gqlgen's transports
	"REST":                 {"rest auth", "405"},                          // net/http's router
	"Pages and operations": {"server", "206 304 404 416"},                 // net/http's ServeContent and NotFound
}

// TestErrorsPageMatchesTheCode compares docs/errors.md with the reasons, codes
// and statuses in the code, in both directions.
func TestErrorsPageMatchesTheCode(t *testing.T) {
	page, err := os.ReadFile(errorsPage)
	if err != nil {
		t.Fatal(err)
	}
	found, err := errorsPageFaults(string(page), os.DirFS("."))
	if err != nil {
		t.Fatal(err)
	}
	for _, fault := range found {
		t.Error(fault)
	}
}

// TestErrorsPageCheckFindsFaults changes the page once in each direction for
// each table.
func TestErrorsPageCheckFindsFaults(t *testing.T) {
	source, err := os.ReadFile(errorsPage)
	if err != nil {
		t.Fatal(err)
	}
	page := string(source)
	for _, c := range []struct{ old, new, want string }{
		{"\n| `soaking`", "\n| `soaked`", "Reasons: no row for soaking"},
		{"\n| `soaking`", "\n| `soaked`", "Reasons: soaked is not in the code"},
		{"`disabled_by_client`", "`disabled`", "Reasons: no row for disabled_by_client"},
		{"`error-unknownGroup`", "`error-group`", "Omaha app statuses: no row for error-unknownGroup"},
		{"\n| `conflict`", "\n| `clash`", "Error codes: no row for conflict"},
		{"\n| `conflict`", "\n| `clash`", "Error codes: clash is not in the code"},
		{"\n| 429 |", "\n| 418 |", "GraphQL: no row for 429"},
		{"\n| 429 |", "\n| 418 |", "REST: 418 is not in the code"},
		{"\n| 413 |", "\n| 414 |", "Machines: no row for 413"},
		{"\n| 301 |", "\n| 308 |", "Pages and operations: no row for 301"},
		{"\n| 4401 |", "\n| 4400 |", "Websocket close codes: no row for 4401"},
	} {
		found, err := errorsPageFaults(strings.ReplaceAll(page, c.old, c.new), os.DirFS("."))
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(found, func(f string) bool { return strings.Contains(f, c.want) }) {
			t.Errorf("%q as %q: found %q, want %q", c.old, c.new, found, c.want)
		}
	}
	if _, err := errorsPageFaults(page, fstest.MapFS{}); err == nil {
		t.Error("a tree without codes was accepted")
	}
}

// errorsPageFaults returns one sentence for each difference between the page
// and the code below tree.
func errorsPageFaults(page string, tree fs.FS) ([]string, error) {
	code, err := readCodes(tree)
	if err != nil {
		return nil, err
	}
	rows := tableCodes(page)
	var found []string
	for section, want := range code {
		for _, c := range slices.Sorted(maps.Keys(want)) {
			if !rows[section][c] {
				found = append(found, fmt.Sprintf("%s, %s: no row for %s: add what it means and what to do", errorsPage, section, c))
			}
		}
		for _, c := range slices.Sorted(maps.Keys(rows[section])) {
			if !want[c] {
				found = append(found, fmt.Sprintf("%s, %s: %s is not in the code: remove the row", errorsPage, section, c))
			}
		}
	}
	return found, nil
}

// set is a set of codes.
type set map[string]bool

// tableCodes returns the codes in the first cells of each section's table:
// text in backticks, or numbers.
func tableCodes(page string) map[string]set {
	codes := regexp.MustCompile("^`([A-Za-z_-]+)`$|^([0-9]{3,4})$")
	rows := map[string]set{}
	section := ""
	for line := range strings.Lines(page) {
		line = strings.TrimSpace(line)
		if heading := strings.TrimLeft(line, "#"); heading != line {
			section = strings.TrimSpace(heading)
			rows[section] = set{}
		}
		if !strings.HasPrefix(line, "|") {
			continue
		}
		cell, _, _ := strings.Cut(line[1:], "|")
		for c := range strings.SplitSeq(cell, ",") {
			if m := codes.FindStringSubmatch(strings.TrimSpace(c)); m != nil {
				rows[section][m[1]+m[2]] = true
			}
		}
	}
	return rows
}

// readCodes returns the codes that the code below tree defines or sends, by
// section of the page.
func readCodes(tree fs.FS) (map[string]set, error) {
	reasons, statuses, codes := set{}, set{}, set{}
	for r := rollout.ReasonNone + 1; r.String() != ""; r++ {
		reasons[r.String()] = true
	}
	sent := map[string]set{} // area → statuses
	closing := set{"1001": true}
	err := eachSource(tree, func(area string, file *ast.File) {
		for name, value := range constants(file) {
			switch {
			case area == "omaha" && strings.HasPrefix(name.ident, "info"):
				reasons[value] = true
			case area == "omaha" && strings.HasPrefix(name.ident, "status"):
				statuses[value] = true
			case area == "fleet" && name.kind == "Code":
				codes[value] = true
			case area == "graph" && strings.HasPrefix(name.ident, "close"):
				closing[value] = true
			}
		}
		if sent[area] == nil {
			sent[area] = set{}
		}
		maps.Copy(sent[area], statusesOf(file))
	})
	if err != nil {
		return nil, err
	}
	graphQL, err := graphQLCodes(tree)
	if err != nil {
		return nil, err
	}
	codes["internal"] = true // every unexpected error
	if !maps.Equal(codes, graphQL) {
		return nil, fmt.Errorf("the codes of fleet and of GraphQL differ: %v, %v", codes, graphQL)
	}
	all := map[string]set{"Reasons": reasons, "Omaha app statuses": statuses, "Error codes": codes, "Websocket close codes": closing}
	for section, s := range statusSections {
		all[section] = set{}
		for code := range strings.FieldsSeq(s.libraries) {
			all[section][code] = true
		}
		for area := range strings.FieldsSeq(s.areas) {
			maps.Copy(all[section], sent[area])
		}
	}
	return all, nil
}

// eachSource visits every Go file that is neither generated nor a test.
func eachSource(tree fs.FS, visit func(area string, file *ast.File)) error {
	return fs.WalkDir(tree, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if in("node_modules testdata generated", path.Base(name)) || in("bin build data ent frontend e2e", name) {
				return fs.SkipDir
			}
			return nil
		}
		if path.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		source, err := fs.ReadFile(tree, name)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, source, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		area, _, _ := strings.Cut(name, "/")
		visit(area, file)
		return nil
	})
}

// constant names a constant and the type it is declared with, "" for none.
type constant struct{ ident, kind string }

// constants returns the literal values of a file's typed and untyped constants.
func constants(file *ast.File) map[constant]string {
	values := map[constant]string{}
	for _, decl := range file.Decls {
		group, ok := decl.(*ast.GenDecl)
		if !ok || group.Tok != token.CONST {
			continue
		}
		for _, spec := range group.Specs {
			spec := spec.(*ast.ValueSpec)
			kind := ""
			if id, ok := spec.Type.(*ast.Ident); ok {
				kind = id.Name
			}
			for i, id := range spec.Names {
				if i >= len(spec.Values) {
					break
				}
				if literal, ok := spec.Values[i].(*ast.BasicLit); ok {
					value := literal.Value
					if text, err := strconv.Unquote(value); err == nil {
						value = text
					}
					values[constant{id.Name, kind}] = value
				}
			}
		}
	}
	return values
}

// statusesOf returns the HTTP statuses whose constants a file uses.
func statusesOf(file *ast.File) set {
	numbers := map[string]string{}
	for n := 100; n < 600; n++ {
		if text := http.StatusText(n); text != "" {
			numbers["Status"+strings.NewReplacer(" ", "", "-", "", "'", "").Replace(text)] = strconv.Itoa(n)
		}
	}
	found := set{}
	ast.Inspect(file, func(node ast.Node) bool {
		if s, ok := node.(*ast.SelectorExpr); ok {
			if x, ok := s.X.(*ast.Ident); ok && x.Name == "http" && strings.HasPrefix(s.Sel.Name, "Status") && s.Sel.Name != "StatusText" {
				found[cmp.Or(numbers[s.Sel.Name], s.Sel.Name)] = true
			}
		}
		return true
	})
	return found
}

// graphQLCodes returns the values of the schema's enum ErrorCode in lower case.
func graphQLCodes(tree fs.FS) (set, error) {
	source, err := fs.ReadFile(tree, "graph/schema/scalars.graphql")
	if err != nil {
		return nil, err
	}
	body := regexp.MustCompile(`(?s)enum ErrorCode \{(.*?)\n\}`).FindSubmatch(source)
	if body == nil {
		return nil, fmt.Errorf("graph/schema/scalars.graphql has no enum ErrorCode")
	}
	codes := set{}
	for _, m := range regexp.MustCompile(`(?m)^  ([A-Z_]+)$`).FindAllSubmatch(body[1], -1) {
		codes[strings.ToLower(string(m[1]))] = true
	}
	return codes, nil
}
