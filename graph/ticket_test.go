package graph

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// What is sent is the same with a ticket and without, whatever comes between.
func TestTickets(t *testing.T) {
	type envelope struct {
		ID      string            `json:"id"`
		Payload *graphql.Response `json:"payload"`
	}
	messages := []*graphql.Response{
		{Data: json.RawMessage(`{"group":{"name":"a \"b\""}}`)},
		{Data: json.RawMessage(`null`), Errors: gqlerror.List{{Message: "gone"}}},
		{Data: json.RawMessage(`{"group":null}`)},
		{},
	}
	var held tickets
	var frames [][]byte
	for _, m := range messages {
		frame, err := json.Marshal(envelope{"1", held.take(m)})
		if err != nil {
			t.Fatal(err)
		}
		if len(m.Errors) == 0 && bytes.Contains(frame, []byte("group")) {
			t.Errorf("the transport gets all of %s", frame)
		}
		frames = append(frames, frame)
	}
	for i, frame := range slices.Backward(frames) {
		want, err := json.Marshal(envelope{"1", messages[i]})
		if err != nil {
			t.Fatal(err)
		}
		if sent := bytes.Join(held.redeem(frame), nil); !bytes.Equal(sent, want) {
			t.Errorf("sent %s, not %s", sent, want)
		}
	}
	held.held.Range(func(number, _ any) bool {
		t.Errorf("number %v is kept", number)
		return true
	})
}
