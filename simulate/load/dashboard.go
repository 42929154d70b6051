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

// Dashboard is one websocket with GraphQL subscriptions, like that of an open
// dashboard. Only one goroutine may call Next.
type Dashboard struct{ conn *websocket.Conn }

// readTimeout is longer than the interval of the server's pings.
const readTimeout = time.Minute

type socketMessage struct {
	ID      string          `json:"id,omitempty"`
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload,omitempty"`
}

// Open connects to the server at a URL such as http://localhost:8000.
func Open(ctx context.Context, url, name, password string) (*Dashboard, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return nil, err
	}
	r.SetBasicAuth(name, password)
	dialer := websocket.Dialer{Subprotocols: []string{"graphql-transport-ws"}, HandshakeTimeout: requestTimeout}
	conn, resp, err := dialer.DialContext(ctx, "ws"+strings.TrimPrefix(url, "http")+"/graphql", http.Header{"Authorization": r.Header["Authorization"]})
	if resp != nil {
		_ = resp.Body.Close() // conn owns the connection
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
		return nil, d.fail(fmt.Errorf("the server answered connection_init with %q: %w", hello.Type, err))
	}
	return d, nil
}

func (d *Dashboard) fail(err error) error {
	_ = d.conn.Close() // err is more useful than the error of Close
	return err
}

// Subscribe starts a subscription with an id.
func (d *Dashboard) Subscribe(id, document string, variables map[string]any) error {
	payload, err := json.Marshal(map[string]any{"query": document, "variables": variables})
	if err != nil {
		return err
	}
	return d.conn.WriteJSON(socketMessage{ID: id, Type: "subscribe", Payload: payload})
}

// Complete ends a subscription. Messages in flight still arrive.
func (d *Dashboard) Complete(id string) error {
	return d.conn.WriteJSON(socketMessage{ID: id, Type: "complete"})
}

// Next waits for the next data of a subscription and returns the raw message,
// because decoding is too slow for a thousand dashboards.
func (d *Dashboard) Next() ([]byte, error) {
	for {
		if err := d.conn.SetReadDeadline(time.Now().Add(readTimeout)); err != nil {
			return nil, err
		}
		_, raw, err := d.conn.ReadMessage()
		if err != nil {
			return nil, err
		}
		// The type is either before or after the payload.
		ends := append(append(make([]byte, 0, 128), raw[:min(len(raw), 64)]...), raw[max(0, len(raw)-64):]...)
		switch {
		case bytes.Contains(ends, []byte(`"type":"next"`)):
			if bytes.Contains(raw, []byte(`"errors":[`)) {
				return nil, fmt.Errorf("the subscription failed: %.1000s", raw)
			}
			return raw, nil
		case bytes.Contains(ends, []byte(`"type":"error"`)):
			return nil, fmt.Errorf("the subscription failed: %.1000s", raw)
		case bytes.Contains(ends, []byte(`"type":"ping"`)):
			if err := d.conn.WriteJSON(socketMessage{Type: "pong"}); err != nil {
				return nil, err
			}
		}
	}
}

// Close closes the connection. A blocked Next returns an error.
func (d *Dashboard) Close() {
	_ = d.conn.Close() // nothing is left to read
}
