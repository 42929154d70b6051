package load

import (
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
)

var (
	literal    = regexp.MustCompile("graphql\\(\\s*`([^`]+)`")
	definition = regexp.MustCompile(`(?m)^\s*(?:query|subscription|mutation|fragment)\s+(\w+)`)
	spread     = regexp.MustCompile(`\.\.\.(\w+)`)
)

// Documents are the GraphQL operations and fragments in the dashboard's source
// code, by name.
type Documents map[string]string

// ReadDocuments reads the source files; pass frontend/src of the repository.
func ReadDocuments(sources fs.FS) (Documents, error) {
	d := Documents{}
	err := fs.WalkDir(sources, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !slices.Contains([]string{".ts", ".svelte"}, path.Ext(name)) {
			return err
		}
		text, err := fs.ReadFile(sources, name)
		if err != nil {
			return err
		}
		for _, found := range literal.FindAllSubmatch(text, -1) {
			if named := definition.FindSubmatch(found[1]); named != nil {
				d[string(named[1])] = string(found[1])
			}
		}
		return nil
	})
	return d, err
}

// Operation is an operation with all the fragments it uses, as a browser sends it.
func (d Documents) Operation(name string) (string, error) {
	needed := []string{name}
	var parts []string
	for len(parts) < len(needed) {
		name := needed[len(parts)]
		text, known := d[name]
		if !known {
			return "", fmt.Errorf("the dashboard has no GraphQL document %s", name)
		}
		parts = append(parts, text)
		for _, found := range spread.FindAllStringSubmatch(text, -1) {
			if !slices.Contains(needed, found[1]) {
				needed = append(needed, found[1])
			}
		}
	}
	return strings.Join(parts, "\n"), nil
}
