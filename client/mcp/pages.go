package mcp

import (
	"fmt"
	"strings"
	"sync"
)

// maxPages caps the places in lists that are kept. An assistant must ask again for an older one.
const maxPages = 1_000

// pages keeps where lists continue. An assistant copies a short name instead of a cursor,
// which can have hundreds of characters.
type pages struct {
	mu   sync.Mutex
	last int
	kept [maxPages]struct{ name, tool, cursor string }
}

// keep returns the name of a place in the list of a tool.
func (p *pages) keep(tool, cursor string) string {
	if cursor == "" {
		return ""
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last++
	place := &p.kept[p.last%maxPages]
	place.name, place.tool, place.cursor = fmt.Sprintf("page-%d", p.last), tool, cursor
	return place.name
}

// find returns the cursor of a place.
func (p *pages) find(tool, name string) (string, error) {
	name = strings.TrimSpace(name)
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, place := range p.kept {
		if name != "" && place.name == name && place.tool == tool {
			return place.cursor, nil
		}
	}
	return "", fmt.Errorf("after is %s, which is not known for %s: use the value next of its last answer, or leave it out", Quote(name), tool)
}

// Resumer is implemented by arguments of tools with lists.
type Resumer interface {
	// Resume replaces the name of a place, if there is one, by its cursor.
	Resume(find func(name string) (string, error)) error
}
