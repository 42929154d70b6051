package load

import (
	"net/http"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/gorilla/websocket"
)

// The message type may be before or after the payload.
func TestDashboardReadsDataAnswersPingsAndReportsErrors(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if name, password, _ := r.BasicAuth(); name != "ana" || password != "secret" || r.URL.Path != "/graphql" {
			http.Error(w, "wrong credentials", http.StatusUnauthorized)
			return
		}
		c, err := (&websocket.Upgrader{Subprotocols: []string{"graphql-transport-ws"}}).Upgrade(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = c.Close() }()
		read := func(kind string) {
			var m socketMessage
			if err := c.ReadJSON(&m); err != nil || m.Type != kind {
				t.Errorf("got %+v, %v; want %s", m, err, kind)
			}
		}
		read("connection_init")
		for _, text := range []string{`{"type":"connection_ack"}`, `{"type":"ping"}`, `{"payload":{"data":` + strings.Repeat(" ", 100) + `1},"id":"1","type":"next"}`,
			`{"id":"1","type":"next","payload":{"data":2` + strings.Repeat(" ", 100) + `}}`, `{"type":"error","id":"1","payload":[{"message":"no such group"}]}`} {
			if err := c.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
				t.Error(err)
			}
		}
		read("subscribe")
		read("pong")
		read("complete")
	})
	if _, err := Open(t.Context(), s.URL, "eve", "x"); err == nil {
		t.Error("wrong credentials were accepted")
	}
	d, err := Open(t.Context(), s.URL, "ana", "secret")
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := d.Subscribe("1", "subscription { x }", map[string]any{"a": 1}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`1},"id"`, `"data":2`} {
		if m, err := d.Next(); err != nil || !strings.Contains(string(m), want) {
			t.Errorf("got %s, %v; want %s", m, err, want)
		}
	}
	if m, err := d.Next(); err == nil || !strings.Contains(err.Error(), "no such group") {
		t.Errorf("got %s, %v", m, err)
	}
	if err := d.Complete("1"); err != nil {
		t.Error(err)
	}
}

func TestOperationIncludesExactlyTheFragmentsItUses(t *testing.T) {
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	d, err := ReadDocuments(fstest.MapFS{
		"pages/Page.svelte": file("const document = graphql(\n  `\n subscription Page($id: ID!) {\n a(id: $id) { ...One ...Two }\n }`,\n [one])"),
		"lib/one.ts":        file("export const one = graphql(`fragment One on A { x ...Three }`)"),
		"lib/two.ts":        file("graphql(`\n fragment Two on A { y }`); graphql(`fragment Four on A { z }`)"),
		"lib/Three.svelte":  file("graphql(`fragment Three on A { w }`)"),
		"lib/style.css":     file("graphql(`fragment Five on A { v }`)"),
	})
	if err != nil || len(d) != 5 {
		t.Fatalf("%d documents, %v", len(d), err)
	}
	operation, err := d.Operation("Page")
	if err != nil || strings.Count(operation, "fragment") != 3 || !strings.Contains(operation, "...Two") || strings.Contains(operation, "Four") {
		t.Errorf("%v\n%s", err, operation)
	}
	if _, err := d.Operation("Nothing"); err == nil || !strings.Contains(err.Error(), "Nothing") {
		t.Errorf("missing document: %v", err)
	}
}
