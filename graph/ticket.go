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

// tickets are messages that one websocket is about to send and others send too.
// On the way to the socket the transport copies and checks every byte of a
// message twice, which is most of what sending it costs. Of one that many are
// sent it gets a ticket instead, and the socket puts the message in its place.
type tickets struct {
	last atomic.Int64
	held sync.Map // number → json.RawMessage
}

// ticketMark begins each ticket. Nobody outside knows it, so no other message
// can contain it.
var ticketMark = []byte(`"` + rand.Text())

// take keeps the data of a message and returns a message with a ticket for it.
// Those with more than data stay as they are.
func (t *tickets) take(m *graphql.Response) *graphql.Response {
	if len(m.Data) == 0 || len(m.Errors) > 0 || len(m.Extensions) > 0 {
		return m
	}
	number := strconv.FormatInt(t.last.Add(1), 10)
	t.held.Store(number, m.Data)
	ticket := append(bytes.Clone(ticketMark), number...)
	return &graphql.Response{Data: append(ticket, '"')}
}

// redeem cuts what is to be sent at its ticket and puts the data between.
func (t *tickets) redeem(message []byte) [][]byte {
	before, rest, found := bytes.Cut(message, ticketMark)
	if !found {
		return [][]byte{message}
	}
	number, after, _ := bytes.Cut(rest, []byte(`"`))
	data, _ := t.held.LoadAndDelete(string(number))
	return [][]byte{before, data.(json.RawMessage), after}
}
