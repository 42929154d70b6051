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
	// writeTime is how long a client may take to receive one message. Without
	// it a client that stopped reading would block its connection for ever.
	writeTime = 10 * time.Second
	// writeBuffer holds most messages whole: one write to the system for each.
	writeBuffer = 16 << 10
	// maxWatches is how many subscriptions one connection may have; a page has
	// about five.
	maxWatches = 100

	// closeUnauthorized tells the client to sign in again and not to come back
	// by itself: the code that graphql-ws clients take as final.
	closeUnauthorized = 4401
)

// serveSocket upgrades a request and serves it until either side ends.
func (h *Handler) serveSocket(w http.ResponseWriter, r *http.Request) {
	if !websocket.IsWebSocketUpgrade(r) {
		illegible(w, http.StatusBadRequest, "the only upgrade is to a websocket")
		return
	}
	if !sameOrigin(r) {
		http.Error(w, "a page of another origin may not connect", http.StatusForbidden)
		return
	}
	c := &socket{closing: h.closing.Done()}
	ctx, cancel := context.WithCancel(context.WithValue(r.Context(), socketKey{}, c))
	defer cancel()
	c.cancel = cancel
	h.server.ServeHTTP(w, r.WithContext(ctx))
}

// sameOrigin reports whether a request comes from a page of this server, or from
// no page at all: browsers send cookies along with any page's websockets.
func sameOrigin(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && strings.EqualFold(u.Host, r.Host)
}

// greet admits a websocket: only people who are signed in may watch.
func greet(ctx context.Context, _ transport.InitPayload) (context.Context, *transport.InitPayload, error) {
	if _, err := auth.Require(ctx, auth.Read); err != nil {
		ctx = transport.AppendCloseReason(transport.WithWebsocketCloseCode(ctx, closeUnauthorized), "Unauthorized")
		return ctx, nil, err
	}
	return ctx, nil, nil
}

// socket is one websocket connection, from the upgrade to its end.
type socket struct {
	cancel  context.CancelFunc
	closing <-chan struct{} // the server stops
	code    atomic.Int32    // to close with; 0: as the transport says
	watches atomic.Int32
	tickets tickets
}

type socketKey struct{}

// socketOf is the websocket a call came over, nil for other connections.
func socketOf(ctx context.Context) *socket {
	c, _ := ctx.Value(socketKey{}).(*socket)
	return c
}

// end closes the connection with a code.
func (c *socket) end(code int32) {
	c.code.Store(code)
	c.cancel()
}

// watch counts a subscription; done is to be called when it ends.
func (c *socket) watch() (done func(), err error) {
	if c == nil {
		return func() {}, nil
	}
	if c.watches.Add(1) > maxWatches {
		c.watches.Add(-1)
		return nil, refusal(model.ErrorCodeInvalid, "at most %d subscriptions per connection", maxWatches)
	}
	return sync.OnceFunc(func() { c.watches.Add(-1) }), nil
}

// gorilla lets the transport use github.com/gorilla/websocket, whose
// connections have a write deadline.
type gorilla struct {
	patience time.Duration // how long one message may take
	buffers  sync.Pool     // those that write have one, those that wait have none
}

// Accept implements transport.WebsocketImplementation.
func (g *gorilla) Accept(w http.ResponseWriter, r *http.Request, o transport.WebsocketAcceptOptions) (transport.WebsocketConn, error) {
	u := websocket.Upgrader{
		HandshakeTimeout: initTime,
		WriteBufferPool:  &g.buffers,
		WriteBufferSize:  writeBuffer,
		Subprotocols:     o.Subprotocols,
		// The transport answers.
		Error: func(http.ResponseWriter, *http.Request, int, error) {},
	}
	conn, err := u.Upgrade(w, r, o.ResponseHeader)
	if err != nil {
		return nil, err
	}
	return &gorillaConn{Conn: conn, socket: socketOf(r.Context()), patience: g.patience}, nil
}

// gorillaConn adds deadlines and close codes. SetReadLimit and SetReadDeadline
// are those of the connection.
type gorillaConn struct {
	*websocket.Conn
	socket   *socket
	patience time.Duration
}

// NextReader implements transport.WebsocketConn.
func (c *gorillaConn) NextReader() (int, io.Reader, error) {
	kind, reader, err := c.Conn.NextReader()
	if websocket.IsCloseError(err, websocket.CloseNormalClosure, websocket.CloseNoStatusReceived) {
		err = transport.ErrWebsocketClosed
	}
	return kind, reader, err
}

// WriteJSON implements transport.WebsocketConn. A client that does not take a
// message in time loses its connection; it comes back and gets a snapshot.
func (c *gorillaConn) WriteJSON(v any) error {
	message, err := json.Marshal(v)
	if err == nil {
		err = c.send(c.socket.tickets.redeem(message))
	}
	if err != nil {
		c.socket.cancel()
		return errors.Join(err, c.Conn.Close())
	}
	return nil
}

// send sends the parts of a text as one message.
func (c *gorillaConn) send(parts [][]byte) error {
	if err := c.SetWriteDeadline(time.Now().Add(c.patience)); err != nil {
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

// WriteClose implements transport.WebsocketConn. A server that stops says
// "going away", which makes clients come back; the transport would say
// "normal", which they take as final.
func (c *gorillaConn) WriteClose(code int, message string) error {
	if own := c.socket.code.Load(); own != 0 {
		code = int(own)
	} else if code == websocket.CloseNormalClosure {
		select {
		case <-c.socket.closing:
			code, message = websocket.CloseGoingAway, "the server stops"
		default:
		}
	}
	return c.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, message), time.Now().Add(time.Second))
}
