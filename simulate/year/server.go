package year

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/omaha"
	"github.com/coreroller/coreroller/simulate"
	"github.com/coreroller/coreroller/store"
)

// server is the server of the simulation, in this process, with a clock that the
// simulation sets. It can be closed and opened again, as a restart does.
type server struct {
	options Options
	now     atomic.Pointer[time.Time]
	store   *store.Store
	fleet   *fleet.Service
	handler http.Handler // nil: down
}

func (s *server) set(now time.Time)     { s.now.Store(&now) }
func (s *server) clock() time.Time      { return *s.now.Load() }
func (s *server) down() bool            { return s.handler == nil }
func (s *server) log() *slog.Logger     { return s.options.Log }
func (s *server) outage() time.Duration { return 3 * s.options.Step }

func (s *server) open(ctx context.Context) (err error) {
	if s.store, err = store.Open(ctx, store.Options{URL: s.options.Database, Log: s.log(), OutageAfter: s.outage()}); err != nil {
		return err
	}
	if s.fleet, err = fleet.New(ctx, fleet.Options{Store: s.store, Now: s.clock, Log: s.log()}); err != nil {
		return errors.Join(err, s.store.Close())
	}
	if err := errors.Join(s.fleet.Preinstall(ctx), s.fleet.Upkeep.Beat(ctx)); err != nil {
		return errors.Join(err, s.close())
	}
	mux := http.NewServeMux()
	omaha.NewHandler(s.fleet.Machines, omaha.Options{Log: s.log(), Now: s.clock}).Mount(mux)
	s.handler = mux
	return nil
}

func (s *server) close() error {
	s.handler = nil
	if s.fleet == nil {
		return nil
	}
	s.fleet.Close()
	s.fleet = nil
	return s.store.Close()
}

// work does the background work once.
func (s *server) work(ctx context.Context) error {
	u := s.fleet.Upkeep
	if err := errors.Join(u.Beat(ctx), u.Work(ctx), u.WorkMachineJobs(ctx)); err != nil {
		return fmt.Errorf("background work: %w", err)
	}
	return nil
}

// send hands a request to the Omaha endpoint, without a network.
func (s *server) send(ctx context.Context, body []byte) simulate.Response {
	if s.down() {
		return simulate.Response{}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "/v1/update/", io.NopCloser(bytes.NewReader(body)))
	if err != nil {
		return simulate.Response{}
	}
	req.ContentLength = int64(len(body))
	req.RemoteAddr = "192.0.2.1:1"
	req.Header.Set("Content-Type", "text/xml")
	w := &recorder{status: http.StatusOK, header: http.Header{}}
	s.handler.ServeHTTP(w, req)
	return simulate.Response{Status: w.status, Body: w.body}
}

// recorder keeps a response.
type recorder struct {
	status int
	header http.Header
	body   []byte
}

func (r *recorder) Header() http.Header  { return r.header }
func (r *recorder) WriteHeader(code int) { r.status = code }

func (r *recorder) Write(p []byte) (int, error) {
	r.body = append(r.body, p...)
	return len(p), nil
}
