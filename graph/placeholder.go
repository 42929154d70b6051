package graph

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/99designs/gqlgen/graphql"
)

// placeholders holds shared messages of one websocket between the transport and
// the socket. The transport copies and validates every byte of a message twice,
// which is most of the cost of sending it. It gets a short placeholder instead,
// and the socket writes the message in its place.
type placeholders struct {
	last atomic.Int64
	held sync.Map // number → json.RawMessage
}

// placeholderPrefix begins each placeholder. It is random and secret, so no
// other message can contain it.
var placeholderPrefix = []byte(`"` + rand.Text())

// replace stores the data of a message and returns a message with a placeholder.
// Messages with errors or extensions are returned unchanged.
func (p *placeholders) replace(m *graphql.Response) *graphql.Response {
	if len(m.Data) == 0 || len(m.Errors) > 0 || len(m.Extensions) > 0 {
		return m
	}
	number := strconv.FormatInt(p.last.Add(1), 10)
	p.held.Store(number, m.Data)
	placeholder := append(bytes.Clone(placeholderPrefix), number...)
	return &graphql.Response{Data: append(placeholder, '"')}
}

// expand splits a message at its placeholder and inserts the stored data.
func (p *placeholders) expand(message []byte) [][]byte {
	before, rest, found := bytes.Cut(message, placeholderPrefix)
	if !found {
		return [][]byte{message}
	}
	number, after, _ := bytes.Cut(rest, []byte(`"`))
	data, _ := p.held.LoadAndDelete(string(number))
	return [][]byte{before, data.(json.RawMessage), after}
}
