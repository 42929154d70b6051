package graph_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// caller is an HTTP client of the API.
type caller struct {
	*site
	t       testing.TB
	client  *http.Client // nil: the server's own
	prepare func(*http.Request)
}

// ana is a caller that signs in as the user ana with basic authentication.
func (s *site) ana(t testing.TB) *caller {
	return &caller{site: s, t: t, prepare: func(r *http.Request) { r.SetBasicAuth("ana", password) }}
}

// anonymous is a caller without sign-in.
func (s *site) anonymous(t testing.TB) *caller {
	return &caller{site: s, t: t, prepare: func(*http.Request) {}}
}

type vars map[string]any

// failure is one error of a response.
type failure struct {
	Message    string
	Path       []any
	Extensions struct{ Code, Field, RequestID string }
}

// reply is a response over HTTP.
type reply struct {
	Data   json.RawMessage
	Errors []failure

	status int
	header http.Header
}

// ask sends a document with POST.
func (c *caller) ask(document string, v vars) reply {
	c.t.Helper()
	body, err := json.Marshal(map[string]any{"query": document, "variables": v})
	if err != nil {
		c.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, c.http.URL+"/graphql", bytes.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	return c.send(req)
}

func (c *caller) send(req *http.Request) reply {
	c.t.Helper()
	c.prepare(req)
	resp, err := cmp.Or(c.client, c.http.Client()).Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	r := reply{status: resp.StatusCode, header: resp.Header}
	if err := json.Unmarshal(data, &r); err != nil {
		c.t.Fatalf("response %d %q: %v", resp.StatusCode, data, err)
	}
	return r
}

// get sends a document that must succeed and returns the value of its only root
// field.
func (c *caller) get(document string, v vars) map[string]any {
	c.t.Helper()
	r := c.ask(document, v)
	if len(r.Errors) > 0 {
		c.t.Fatalf("%s\nfailed: %+v", document, r.Errors)
	}
	var data map[string]map[string]any
	if err := json.Unmarshal(r.Data, &data); err != nil {
		c.t.Fatalf("%s\nreturned %s: %v", document, r.Data, err)
	}
	for _, value := range data {
		return value
	}
	c.t.Fatal("no data")
	return nil
}

// at returns the value at a path of a response: "group.numbers.byVersion.0.machines".
func at(t testing.TB, v any, path string) any {
	t.Helper()
	for part := range strings.SplitSeq(path, ".") {
		switch x := v.(type) {
		case map[string]any:
			if _, ok := x[part]; !ok {
				t.Fatalf("no %q of %q in %v", part, path, x)
			}
			v = x[part]
		case []any:
			i := int(part[0] - '0')
			if i >= len(x) {
				t.Fatalf("no entry %d of %q in %v", i, path, x)
			}
			v = x[i]
		default:
			t.Fatalf("%q of %q in %v", part, path, v)
		}
	}
	return v
}

// want compares values of a response; pairs are paths and expected values.
func want(t testing.TB, v any, pairs ...any) {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		got, _ := json.Marshal(at(t, v, pairs[i].(string)))
		expected, _ := json.Marshal(pairs[i+1])
		if !bytes.Equal(got, expected) {
			t.Errorf("%s = %s, want %s", pairs[i], got, expected)
		}
	}
}

// watcher is a websocket with the protocol graphql-transport-ws.
type watcher struct {
	t    testing.TB
	conn *websocket.Conn
}

type message struct {
	ID      string          `json:"id,omitempty"`
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload,omitempty"`
}

// dial opens a websocket and initializes the connection.
func (c *caller) dial() *watcher {
	c.t.Helper()
	w := c.connect(nil)
	w.write(message{Type: "connection_init"})
	if m := w.read(); m.Type != "connection_ack" {
		c.t.Fatalf("connection_init was answered with %+v", m)
	}
	return w
}

// connect opens a websocket.
func (c *caller) connect(header http.Header) *watcher {
	c.t.Helper()
	req, _ := http.NewRequestWithContext(c.t.Context(), http.MethodGet, "http://unused", http.NoBody)
	c.prepare(req)
	maps.Copy(req.Header, header)
	d := websocket.Dialer{Subprotocols: []string{"graphql-transport-ws"}, HandshakeTimeout: 10 * time.Second}
	conn, resp, err := d.DialContext(c.t.Context(), "ws"+strings.TrimPrefix(c.http.URL, "http")+"/graphql", req.Header)
	if resp != nil {
		_ = resp.Body.Close()
	}
	if err != nil {
		c.t.Fatalf("dial: %v (%v)", err, resp)
	}
	c.t.Cleanup(func() { _ = conn.Close() })
	return &watcher{t: c.t, conn: conn}
}

func (w *watcher) write(m message) {
	w.t.Helper()
	if err := w.conn.WriteJSON(m); err != nil {
		w.t.Fatalf("write: %v", err)
	}
}

// read returns the next message that is not a ping.
func (w *watcher) read() message {
	w.t.Helper()
	for {
		var m message
		_ = w.conn.SetReadDeadline(time.Now().Add(20 * time.Second))
		if err := w.conn.ReadJSON(&m); err != nil {
			w.t.Fatalf("read: %v", err)
		}
		if m.Type != "ping" {
			return m
		}
	}
}

// subscribe starts a subscription.
func (w *watcher) subscribe(id, document string, v vars) {
	w.t.Helper()
	payload, _ := json.Marshal(map[string]any{"query": document, "variables": v})
	w.write(message{ID: id, Type: "subscribe", Payload: payload})
}

// next returns the value of the root field in the next message of the only
// subscription.
func (w *watcher) next() map[string]any {
	w.t.Helper()
	m := w.read()
	var r struct {
		Data   map[string]map[string]any
		Errors []failure
	}
	if m.Type != "next" || json.Unmarshal(m.Payload, &r) != nil || len(r.Errors) > 0 {
		w.t.Fatalf("got %s %s", m.Type, m.Payload)
	}
	for _, value := range r.Data {
		return value
	}
	w.t.Fatal("no data")
	return nil
}

// until reads messages until one has the value at the path.
func (w *watcher) until(path string, value any) map[string]any {
	w.t.Helper()
	for range 20 {
		m := w.next()
		if at(w.t, m, path) == value {
			return m
		}
	}
	w.t.Fatalf("no message with %s = %v", path, value)
	return nil
}

// stop ends a subscription and waits for its completion.
func (w *watcher) stop(id string) {
	w.t.Helper()
	w.write(message{ID: id, Type: "complete"})
	for m := w.read(); m.Type != "complete" || m.ID != id; m = w.read() {
		if m.ID != id {
			w.t.Fatalf("got %+v", m)
		}
	}
}

// closes waits until the server closes the connection with a code.
func (w *watcher) closes(code int) {
	w.t.Helper()
	_ = w.conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	for {
		if _, _, err := w.conn.ReadMessage(); err != nil {
			if !websocket.IsCloseError(err, code) {
				w.t.Errorf("closed with %v, want %d", err, code)
			}
			return
		}
	}
}
