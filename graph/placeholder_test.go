package graph

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

func TestPlaceholdersDoNotChangeWhatIsSent(t *testing.T) {
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
	var p placeholders
	var frames [][]byte
	for _, m := range messages {
		frame, err := json.Marshal(envelope{"1", p.replace(m)})
		if err != nil {
			t.Fatal(err)
		}
		if len(m.Errors) == 0 && bytes.Contains(frame, []byte("group")) {
			t.Errorf("the transport gets the whole message %s", frame)
		}
		frames = append(frames, frame)
	}
	for i, frame := range slices.Backward(frames) {
		want, err := json.Marshal(envelope{"1", messages[i]})
		if err != nil {
			t.Fatal(err)
		}
		if sent := bytes.Join(p.expand(frame), nil); !bytes.Equal(sent, want) {
			t.Errorf("sent %s, want %s", sent, want)
		}
	}
	p.held.Range(func(number, _ any) bool {
		t.Errorf("message %v was not removed", number)
		return true
	})
}
