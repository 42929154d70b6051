package graph

import (
	"context"
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/lexer"

	"github.com/coreroller/coreroller/auth"
)

const (
	// documentMemory bounds the memory of parsed documents, in bytes. The documents
	// of the dashboard take about a tenth of it.
	documentMemory = 16 << 20
	// tokenMemory is the memory in bytes that one token takes in a parsed document.
	tokenMemory = 400
)

// documentCache holds parsed documents. It keeps those of signed-in callers only, so
// that others cannot fill it, and drops the least recently used ones above its limit.
type documentCache struct {
	limit int // in bytes

	mu    sync.Mutex
	used  int // in bytes
	texts *simplelru.LRU[string, parsedDocument]
}

type parsedDocument struct {
	document *ast.QueryDocument
	size     int // in bytes
}

func newDocumentCache(limit int) *documentCache {
	c := &documentCache{limit: limit}
	// A document takes at least the memory of one token.
	texts, err := simplelru.NewLRU(limit/tokenMemory+1, func(_ string, d parsedDocument) { c.used -= d.size })
	if err != nil {
		panic(err) // only if the size is below 1
	}
	c.texts = texts
	return c
}

// Get implements graphql.Cache.
func (c *documentCache) Get(_ context.Context, text string) (*ast.QueryDocument, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	d, ok := c.texts.Get(text)
	return d.document, ok
}

// Add implements graphql.Cache.
func (c *documentCache) Add(ctx context.Context, text string, document *ast.QueryDocument) {
	if _, signedIn := auth.From(ctx); !signedIn {
		return
	}
	size := documentSize(text)
	if size > c.limit {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.texts.Contains(text) { // parsed twice at the same time
		return
	}
	for c.used+size > c.limit {
		c.texts.RemoveOldest()
	}
	c.used += size
	c.texts.Add(text, parsedDocument{document, size})
}

// documentSize estimates the memory in bytes of a parsed document, which refers to
// its text.
func documentSize(text string) int {
	tokens := 0
	for l := lexer.New(&ast.Source{Input: text}); ; tokens++ {
		if t, err := l.ReadToken(); err != nil || t.Kind == lexer.EOF {
			return len(text) + (tokens+1)*tokenMemory
		}
	}
}
