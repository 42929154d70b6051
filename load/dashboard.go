package load

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/gorilla/websocket"
)

// Dashboard is one websocket that follows subscriptions, as a browser's does.
type Dashboard struct{ conn *websocket.Conn }

// silence is how long a server may say nothing at all; it pings more often.
const silence = time.Minute

type socketMessage struct {
	ID      string          `json:"id,omitempty"`
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload,omitempty"`
}

// Open opens a dashboard on a server, such as http://localhost:8000.
func Open(ctx context.Context, url, name, password string) (*Dashboard, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return nil, err
	}
	r.SetBasicAuth(name, password)
	dialer := websocket.Dialer{Subprotocols: []string{"graphql-transport-ws"}, HandshakeTimeout: patience}
	conn, resp, err := dialer.DialContext(ctx, "ws"+strings.TrimPrefix(url, "http")+"/graphql", http.Header{"Authorization": r.Header["Authorization"]})
	if resp != nil {
		_ = resp.Body.Close() // the connection is conn's
	}
	if err != nil {
		return nil, err
	}
	d := &Dashboard{conn}
	if err := conn.WriteJSON(socketMessage{Type: "connection_init"}); err != nil {
		return nil, d.fail(err)
	}
	var hello socketMessage
	if err := conn.ReadJSON(&hello); err != nil || hello.Type != "connection_ack" {
		return nil, d.fail(fmt.Errorf("the websocket answers %q: %w", hello.Type, err))
	}
	return d, nil
}

func (d *Dashboard) fail(err error) error {
	_ = d.conn.Close() // it failed already
	return err
}

// Subscribe begins a subscription under an id.
func (d *Dashboard) Subscribe(id, document string, variables map[string]any) error {
	payload, err := json.Marshal(map[string]any{"query": document, "variables": variables})
	if err != nil {
		return err
	}
	return d.conn.WriteJSON(socketMessage{ID: id, Type: "subscribe", Payload: payload})
}

// Complete ends a subscription; messages under way still come.
func (d *Dashboard) Complete(id string) error {
	return d.conn.WriteJSON(socketMessage{ID: id, Type: "complete"})
}

// Next waits for the next data of a subscription and returns the message as it
// came: whoever follows a thousand dashboards cannot afford to decode it.
func (d *Dashboard) Next() ([]byte, error) {
	for {
		if err := d.conn.SetReadDeadline(time.Now().Add(silence)); err != nil {
			return nil, err
		}
		_, raw, err := d.conn.ReadMessage()
		if err != nil {
			return nil, err
		}
		// The type stands before the payload or after it.
		ends := append(append(make([]byte, 0, 128), raw[:min(len(raw), 64)]...), raw[max(0, len(raw)-64):]...)
		switch {
		case bytes.Contains(ends, []byte(`"type":"next"`)):
			if bytes.Contains(raw, []byte(`"errors":[`)) {
				return nil, fmt.Errorf("a subscription fails: %.1000s", raw)
			}
			return raw, nil
		case bytes.Contains(ends, []byte(`"type":"error"`)):
			return nil, fmt.Errorf("a subscription fails: %.1000s", raw)
		case bytes.Contains(ends, []byte(`"type":"ping"`)):
			if err := d.conn.WriteJSON(socketMessage{Type: "pong"}); err != nil {
				return nil, err
			}
		}
	}
}

// Close ends it; a Next that waits fails.
func (d *Dashboard) Close() {
	_ = d.conn.Close() // nobody waits for what it has to say
}
