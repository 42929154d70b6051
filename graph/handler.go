// Package graph is the GraphQL API: a schema written by hand, resolvers that call
// the fleet for each mutation and read rows and counters, and subscriptions that
// read the current state again after an event. It contains no rollout rules.
package graph

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/extension"
	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/graph/generated"
	"github.com/coreroller/coreroller/graph/model"
)

const (
	// initTimeout is how long a websocket may take to send connection_init.
	initTimeout = 5 * time.Second
	// pingInterval is the time between pings of a websocket, which is closed when
	// it answers none for twice as long. Proxies close idle connections after a
	// minute.
	pingInterval = 20 * time.Second
	// streamPingInterval is the time between pings of an event stream, so that
	// proxies do not close it when idle.
	streamPingInterval = 10 * time.Second
)

// Handler serves the API at one path: POST and GET (queries only), websockets
// and server-sent events.
type Handler struct {
	server     *handler.Server
	guard      Guard
	resolver   *Resolver
	closing    context.Context //nolint:containedctx // ends every streaming connection, see Close
	close      context.CancelFunc
	open       sync.WaitGroup // streaming connections
	executions *executions
	callers    *callers

	sockets, streams, subscriptions atomic.Int64 // that are open; subscriptions of websockets
}

// NewHandler creates the API. Call Close after the HTTP server stopped accepting
// requests.
func NewHandler(o Options) *Handler {
	r := &Resolver{Options: o, fleet: o.Fleet, executions: &executions{open: map[executionKey]*execution{}}}
	srv := handler.New(costed{generated.NewExecutableSchema(generated.Config{Resolvers: root{r}, Complexity: complexity()})})
	h := &Handler{server: srv, guard: o.Guard, resolver: r, executions: r.executions, callers: newCallers()}
	h.closing, h.close = context.WithCancel(context.Background())
	h.open.Go(func() { h.callers.watch(h.closing, o.Store.Bus(), o.Guard) })

	srv.AddTransport(transport.Websocket{
		Implementation:        &gorilla{writeTimeout: writeTimeout},
		InitFunc:              h.authorizeSocket,
		InitTimeout:           initTimeout,
		PingPongInterval:      pingInterval,
		KeepAlivePingInterval: pingInterval,
	})
	srv.AddTransport(transport.SSE{KeepAlivePingInterval: streamPingInterval}) // before POST, which accepts the same requests
	srv.AddTransport(transport.Options{})
	srv.AddTransport(transport.GET{})
	srv.AddTransport(transport.POST{})
	srv.AddTransport(transport.GRAPHQL{}) // the body is the document, for curl
	srv.AddTransport(upload{})

	srv.SetQueryCache(newDocumentCache(documentMemory))
	srv.SetParserTokenLimit(maxTokens)
	srv.SetDisableSuggestion(true) // suggestions would reveal field names without sign-in
	srv.Use(extentLimit{})         // first: it bounds the work of the others
	srv.Use(depthLimit(maxDepth))
	srv.Use(extension.FixedComplexityLimit(maxComplexity))
	srv.SetErrorPresenter(r.present)
	srv.SetRecoverFunc(r.recovered)
	srv.AroundOperations(r.authorizeOperation)
	srv.AroundResponses(r.addLoaders)
	srv.AroundFields(countValues)
	return h
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Header.Get("Upgrade") != "":
		h.serveStreaming(r, &socket{closing: h.closing.Done(), all: &h.subscriptions}, func(r *http.Request) { h.serveSocket(w, r) })
	case strings.Contains(r.Header.Get("Accept"), "text/event-stream"):
		if readableBody(w, r) && h.signedIn(w, r) {
			h.serveStreaming(r, nil, func(r *http.Request) { h.server.ServeHTTP(newStream(w), r) })
		}
	case isMultipart(r):
		w.Header().Set("Cache-Control", "no-store")
		if h.mayUpload(w, r) {
			h.server.ServeHTTP(w, r)
		}
	default:
		w.Header().Set("Cache-Control", "no-store")
		if readableBody(w, r) {
			h.server.ServeHTTP(w, r)
		}
	}
}

// signedIn reports whether the caller of an event stream is signed in, and sends an
// error response if not. The stream's status is sent before its operation begins.
func (h *Handler) signedIn(w http.ResponseWriter, r *http.Request) bool {
	_, err := auth.Require(r.Context(), auth.Viewer)
	if err != nil {
		w.Header().Set("Content-Type", "application/json")
		h.guard.Challenge(r.Context())
		encodeRefusal(w, model.ErrorCodeUnauthenticated, err.Error())
	}
	return err == nil
}

// readableBody reports whether the transports can parse the body of a request,
// and sends an error response if not. The transports would copy the body, which
// may contain a password, into their error and the log.
func readableBody(w http.ResponseWriter, r *http.Request) bool {
	if r.Method != http.MethodPost {
		return true
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxDocument))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return rejectRequest(w, http.StatusRequestEntityTooLarge, "the request is larger than 1 MiB")
	}
	// With application/graphql the body is the document, not JSON.
	document := strings.HasPrefix(r.Header.Get("Content-Type"), "application/graphql") && utf8.Valid(body)
	if err != nil || !document && json.Unmarshal(body, new(graphql.RawParams)) != nil {
		return rejectRequest(w, http.StatusBadRequest, "the request is not a JSON object with query and variables")
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return true
}

func rejectRequest(w http.ResponseWriter, status int, message string) bool {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	encodeRefusal(w, model.ErrorCodeInvalid, message)
	return false
}

func encodeRefusal(w io.Writer, code model.ErrorCode, message string) {
	_ = json.NewEncoder(w).Encode(graphql.Response{Errors: gqlerror.List{refusal(code, "%s", message)}})
}

// serveStreaming serves a connection that ends when the handler is closed, or when its
// caller's credentials end. c is nil for an event stream.
func (h *Handler) serveStreaming(r *http.Request, c *socket, serve func(*http.Request)) {
	h.open.Add(1)
	defer h.open.Done()
	ctx, cancel := context.WithCancel(context.WithValue(r.Context(), socketKey{}, c))
	defer cancel()
	defer context.AfterFunc(h.closing, cancel)()
	kind := &h.sockets
	if c != nil { // see authorizeSocket
		c.cancel = cancel
	} else {
		kind = &h.streams
		h.open.Go(func() { h.endWithCaller(ctx, cancel) })
	}
	kind.Add(1)
	defer kind.Add(-1)
	serve(r.WithContext(ctx))
}

// Streams are the open connections that get messages.
type Streams struct {
	Websockets, EventStreams int64
	Subscriptions            int64 // of the websockets; an event stream has one
}

// Streams counts the open connections.
func (h *Handler) Streams() Streams {
	return Streams{Websockets: h.sockets.Load(), EventStreams: h.streams.Load(), Subscriptions: h.subscriptions.Load()}
}

// Close ends all websockets and event streams and waits for them. Their clients
// reconnect to another process.
func (h *Handler) Close() {
	h.close()
	h.open.Wait()
	h.executions.running.Wait()
}
