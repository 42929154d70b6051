// Package graph is the GraphQL API: a schema written by hand, one line for each
// write, reads from rows and counters, and subscriptions that read again what
// an event says has changed. It holds no rules.
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
	"time"
	"unicode/utf8"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/extension"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/coreroller/coreroller/graph/generated"
	"github.com/coreroller/coreroller/graph/model"
)

const (
	// initTime is how long a websocket may take to say hello.
	initTime = 5 * time.Second
	// pingTime is how often a websocket is asked for a sign of life; it is
	// closed when none came for twice as long. Proxies cut idle connections
	// after a minute.
	pingTime = 20 * time.Second
	// streamPing keeps proxies from cutting an idle event stream.
	streamPing = 10 * time.Second
)

// Handler serves the API at one path: POST and GET (queries only), websockets
// and server-sent events.
type Handler struct {
	server  *handler.Server
	closing context.Context //nolint:containedctx // ends every long connection, see Close
	close   context.CancelFunc
	open    sync.WaitGroup // long connections
	shares  *shares
}

// NewHandler makes the API. Close it after the HTTP server stopped taking
// requests.
func NewHandler(o Options) *Handler {
	r := &Resolver{Options: o, fleet: o.Fleet, reader: o.Store.Reader(), projections: newProjections(), shares: &shares{open: map[shareKey]*share{}}}
	srv := handler.New(generated.NewExecutableSchema(generated.Config{Resolvers: r, Complexity: complexity()}))
	h := &Handler{server: srv, shares: r.shares}
	h.closing, h.close = context.WithCancel(context.Background())

	srv.AddTransport(transport.Websocket{
		Implementation:        &gorilla{patience: writeTime},
		InitFunc:              greet,
		InitTimeout:           initTime,
		PingPongInterval:      pingTime,
		KeepAlivePingInterval: pingTime,
	})
	srv.AddTransport(transport.SSE{KeepAlivePingInterval: streamPing}) // before POST, which would take its requests
	srv.AddTransport(transport.Options{})
	srv.AddTransport(transport.GET{})
	srv.AddTransport(transport.POST{})
	srv.AddTransport(transport.GRAPHQL{}) // the document itself as body: for curl

	srv.SetQueryCache(lru.New[*ast.QueryDocument](parsedDocuments))
	srv.SetParserTokenLimit(maxTokens)
	srv.SetDisableSuggestion(true) // would name fields to strangers
	srv.Use(depthLimit(maxDepth))
	srv.Use(extension.FixedComplexityLimit(maxComplexity))
	srv.SetErrorPresenter(r.present)
	srv.SetRecoverFunc(r.recovered)
	srv.AroundOperations(r.admit)
	srv.AroundResponses(r.perResponse)
	return h
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Header.Get("Upgrade") != "":
		h.long(r, func(r *http.Request) { h.serveSocket(w, r) })
	case strings.Contains(r.Header.Get("Accept"), "text/event-stream"):
		if legible(w, r) {
			h.long(r, func(r *http.Request) { h.server.ServeHTTP(newStream(w), r) })
		}
	default:
		w.Header().Set("Cache-Control", "no-store")
		if legible(w, r) {
			h.server.ServeHTTP(w, r)
		}
	}
}

// legible reports whether the body of a request is one that the transports can
// read; if not it has answered. They would write what they cannot read into
// their error and even the log: passwords, and whatever a stranger sends.
func legible(w http.ResponseWriter, r *http.Request) bool {
	if r.Method != http.MethodPost {
		return true
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxDocument))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return illegible(w, http.StatusRequestEntityTooLarge, "the request is larger than 1 MiB")
	}
	// A bare document (application/graphql) has nothing to decode.
	document := strings.HasPrefix(r.Header.Get("Content-Type"), "application/graphql") && utf8.Valid(body)
	if err != nil || !document && json.Unmarshal(body, new(graphql.RawParams)) != nil {
		return illegible(w, http.StatusBadRequest, "the request is not a JSON object with query and variables")
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return true
}

func illegible(w http.ResponseWriter, status int, message string) bool {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(graphql.Response{Errors: gqlerror.List{refusal(model.ErrorCodeInvalid, "%s", message)}})
	return false
}

// long serves a connection that ends when the handler is closed.
func (h *Handler) long(r *http.Request, serve func(*http.Request)) {
	h.open.Add(1)
	defer h.open.Done()
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(h.closing, cancel)()
	serve(r.WithContext(ctx))
}

// Close ends websockets and event streams, so that their clients come back to
// another process, and waits for them.
func (h *Handler) Close() {
	h.close()
	h.open.Wait()
	h.shares.running.Wait()
}
