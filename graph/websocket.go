package graph

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/gorilla/websocket"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/graph/model"
)

const (
	// writeTimeout is how long a client may take to receive one message. Without
	// it a client that stopped reading would block its connection forever.
	writeTimeout = 10 * time.Second
	// writeBuffer in bytes holds most messages, which are then one system call.
	writeBuffer = 16 << 10
	// maxSubscriptions limits the subscriptions of one connection; a page of the
	// dashboard has about five.
	maxSubscriptions = 100

	// closeUnauthorized makes the client sign in again; graphql-ws clients do
	// not reconnect after this code.
	closeUnauthorized = 4401
)

// serveSocket upgrades a request and serves it until either side closes it.
func (h *Handler) serveSocket(w http.ResponseWriter, r *http.Request) {
	if !websocket.IsWebSocketUpgrade(r) {
		rejectRequest(w, http.StatusBadRequest, "the only supported upgrade is websocket")
		return
	}
	if !sameOrigin(r) {
		http.Error(w, "pages of another origin must not connect", http.StatusForbidden)
		return
	}
	h.server.ServeHTTP(w, r)
}

// sameOrigin reports whether a request comes from a page of this server, or not
// from a browser. Browsers send cookies with the websockets of any page.
func sameOrigin(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && strings.EqualFold(u.Host, r.Host)
}

// authorizeSocket accepts the websockets of signed-in users, and of clients that send a
// token in connection_init: pages cannot set the header Authorization of a websocket.
func (h *Handler) authorizeSocket(ctx context.Context, payload transport.InitPayload) (context.Context, *transport.InitPayload, error) {
	if header := payload.Authorization(); header != "" {
		var err error
		if ctx, err = h.guard.Bearer(ctx, header); err != nil {
			ctx = auth.With(ctx, auth.Principal{}) // not the caller of the request's cookie
		}
	}
	if _, err := auth.RequireSelf(ctx); err != nil { // operations check the rest
		ctx = transport.AppendCloseReason(transport.WithWebsocketCloseCode(ctx, closeUnauthorized), "Unauthorized")
		return ctx, nil, err
	}
	c := socketOf(ctx)
	h.open.Go(func() { h.endWithCaller(ctx, c.cancel) })
	return ctx, nil, nil
}

// socket is one websocket connection.
type socket struct {
	cancel        context.CancelFunc
	closing       <-chan struct{} // closed when the server stops
	code          atomic.Int32    // close code; 0 for that of the transport
	subscriptions atomic.Int32
	all           *atomic.Int64 // subscriptions of all websockets
	placeholders  placeholders
}

type socketKey struct{}

// socketOf returns the websocket of a request, nil for other connections.
func socketOf(ctx context.Context) *socket {
	c, _ := ctx.Value(socketKey{}).(*socket)
	return c
}

// addSubscription counts a subscription; done must be called when it ends.
func (c *socket) addSubscription() (done func(), err error) {
	if c == nil {
		return func() {}, nil
	}
	if c.subscriptions.Add(1) > maxSubscriptions {
		c.subscriptions.Add(-1)
		return nil, refusal(model.ErrorCodeInvalid, "at most %d subscriptions per connection", maxSubscriptions)
	}
	c.all.Add(1)
	return sync.OnceFunc(func() {
		c.subscriptions.Add(-1)
		c.all.Add(-1)
	}), nil
}

// gorilla makes the transport use github.com/gorilla/websocket, whose
// connections have a write deadline.
type gorilla struct {
	writeTimeout time.Duration // for one message
	buffers      sync.Pool     // idle connections hold no buffer
}

// Accept implements transport.WebsocketImplementation.
func (g *gorilla) Accept(w http.ResponseWriter, r *http.Request, o transport.WebsocketAcceptOptions) (transport.WebsocketConn, error) {
	u := websocket.Upgrader{
		HandshakeTimeout: initTimeout,
		WriteBufferPool:  &g.buffers,
		WriteBufferSize:  writeBuffer,
		Subprotocols:     o.Subprotocols,
		// The transport writes the error response.
		Error: func(http.ResponseWriter, *http.Request, int, error) {},
	}
	conn, err := u.Upgrade(w, r, o.ResponseHeader)
	if err != nil {
		return nil, err
	}
	conn.SetReadLimit(maxDocument) // also before the caller is known
	return &gorillaConn{Conn: conn, socket: socketOf(r.Context()), writeTimeout: g.writeTimeout}, nil
}

// gorillaConn adds deadlines and close codes to a connection.
type gorillaConn struct {
	*websocket.Conn
	socket       *socket
	writeTimeout time.Duration
}

// NextReader implements transport.WebsocketConn.
func (c *gorillaConn) NextReader() (int, io.Reader, error) {
	kind, reader, err := c.Conn.NextReader()
	if websocket.IsCloseError(err, websocket.CloseNormalClosure, websocket.CloseNoStatusReceived) {
		err = transport.ErrWebsocketClosed
	}
	return kind, reader, err
}

// WriteJSON implements transport.WebsocketConn. A client that does not receive a
// message in time is disconnected; after it reconnects it gets a snapshot.
func (c *gorillaConn) WriteJSON(v any) error {
	message, err := json.Marshal(v)
	if err == nil {
		err = c.send(c.socket.placeholders.expand(message))
	}
	if err != nil {
		c.socket.cancel()
		return errors.Join(err, c.Conn.Close())
	}
	return nil
}

// send writes the parts as one text message.
func (c *gorillaConn) send(parts [][]byte) error {
	if err := c.SetWriteDeadline(time.Now().Add(c.writeTimeout)); err != nil {
		return err
	}
	w, err := c.NextWriter(websocket.TextMessage)
	if err != nil {
		return err
	}
	for _, part := range parts {
		if _, err := w.Write(part); err != nil {
			return err
		}
	}
	return w.Close()
}

// WriteClose implements transport.WebsocketConn. A stopping server closes with
// 1001 (going away), so that clients reconnect. The transport would send 1000
// (normal), after which they do not.
func (c *gorillaConn) WriteClose(code int, message string) error {
	if own := c.socket.code.Load(); own != 0 {
		code = int(own)
	} else if code == websocket.CloseNormalClosure {
		select {
		case <-c.socket.closing:
			code, message = websocket.CloseGoingAway, "the server is stopping"
		default:
		}
	}
	return c.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, message), time.Now().Add(time.Second))
}
