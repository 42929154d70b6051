package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/omaha"
	"github.com/coreroller/coreroller/server"
	"github.com/coreroller/coreroller/store"
)

// Program is a whole server. Run wires and starts it and returns when it
// answers requests; Close stops it in order. A test uses it on port 0 with a
// database of its own.
type Program struct {
	config Config
	log    *slog.Logger
	now    func() time.Time

	listener net.Listener
	store    *store.Store
	fleet    *fleet.Service
	demo     *demoFleet
	server   *server.Server
	http     *http.Server
	admin    *admin // nil: none

	stopWorker context.CancelFunc
	running    sync.WaitGroup
	failed     chan error // what ended by itself; one slot for each goroutine
	stopped    bool
}

// NewProgram makes a Program; nothing is opened yet.
func NewProgram(c Config, log *slog.Logger, now func() time.Time) *Program {
	p := &Program{config: c, log: log, now: now, failed: make(chan error, 3)}
	p.demo = newDemoFleet(p)
	return p
}

// Limits on connections. Machines send a kilobyte and are answered in
// milliseconds; subscriptions stay open and are written to for as long as they
// live, so there is no limit on writing as a whole.
const (
	readHeaderTimeout = 10 * time.Second
	readTimeout       = time.Minute // the largest upload is a policy
	idleTimeout       = 2 * time.Minute
	maxHeaderBytes    = 64 << 10
	stopTimeout       = 10 * time.Second // for requests under way when it stops
)

// Run opens the port and the database, starts the background work and begins
// to serve. ctx bounds the start, not the life; when Run fails, nothing stays.
func (p *Program) Run(ctx context.Context) (err error) {
	defer func() {
		if err != nil {
			err = errors.Join(err, p.Close())
		}
	}()
	if p.config.MaxConnections < 0 {
		return errors.New("--max-connections has to be above zero")
	}
	// The port first: it is what fails most, and a second program on the same
	// data must not get as far as the database.
	if p.listener, err = new(net.ListenConfig).Listen(ctx, "tcp", p.config.Listen); err != nil {
		return explainListen("listen", p.config.Listen, err)
	}
	connections := server.Bound(p.listener, cmp.Or(p.config.MaxConnections, defaultMaxConnections))
	p.listener = connections
	if p.admin, err = p.listenAdmin(ctx); err != nil {
		return err
	}
	if err = p.open(ctx); err != nil {
		return err
	}
	endpoint := omaha.NewHandler(p.fleet.Machines, omaha.Options{
		TrustedProxies: p.config.TrustedProxies, Secret: p.config.OmahaSecret, Log: p.log, Now: p.now,
	})
	p.server = server.New(server.Options{
		Fleet: p.fleet, Store: p.store, Omaha: endpoint, Log: p.log, Now: p.now, TrustedProxies: p.config.TrustedProxies,
		OmahaSecret: p.config.OmahaSecret, Version: version, Postgres: p.config.DatabaseURL != "",
	})
	p.http = &http.Server{
		Handler: connections.Spare(p.server), ReadHeaderTimeout: readHeaderTimeout, ReadTimeout: readTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: maxHeaderBytes, ErrorLog: slog.NewLogLogger(p.log.Handler(), slog.LevelDebug),
	}
	p.http.RegisterOnShutdown(p.server.Close) // event streams would keep it waiting
	p.start()
	return nil
}

// open opens the database and brings the fleet to life on it.
func (p *Program) open(ctx context.Context) error {
	database, err := p.config.database()
	if err != nil {
		return err
	}
	if p.store, err = store.Open(ctx, store.Options{URL: database, Log: p.log}); err != nil {
		return p.config.explainOpen(err)
	}
	if p.fleet, err = fleet.New(ctx, fleet.Options{Store: p.store, Now: p.now, Log: p.log, Demo: p.demo}); err != nil {
		return err
	}
	ctx = auth.With(ctx, commandPrincipal("coreroller"))
	if err := p.fleet.Preinstall(ctx); err != nil {
		return fmt.Errorf("fill a new database: %w", err)
	}
	if err := p.fleet.Accounts.EnsureFirstUser(ctx); err != nil {
		return fmt.Errorf("make the first user: %w", err)
	}
	p.warnOfFirstPassword(ctx)
	return nil
}

// warnOfFirstPassword says at every start that the documented first password
// still opens the door.
func (p *Program) warnOfFirstPassword(ctx context.Context) {
	const first = "admin" // name and password, as documented
	if _, err := p.fleet.Accounts.Authenticate(ctx, first, first); err == nil {
		p.log.Warn("user admin still has the password admin: change it in the dashboard, or with `coreroller user password admin`")
	}
}

// start starts the goroutines of a running program.
func (p *Program) start() {
	var worker context.Context
	worker, p.stopWorker = context.WithCancel(context.Background())
	p.running.Go(func() { p.fleet.Run(worker) })
	p.running.Go(func() { server.PaceGarbage(worker) })
	p.running.Go(func() {
		if err := p.http.Serve(p.listener); !errors.Is(err, http.ErrServerClosed) {
			p.failed <- fmt.Errorf("serve: %w", err)
		}
	})
	if p.admin != nil {
		p.running.Go(func() {
			if err := p.admin.serve(); err != nil {
				p.failed <- fmt.Errorf("serve profiles: %w", err)
			}
		})
	}
}

// Failed tells what ended by itself while the program should run.
func (p *Program) Failed() <-chan error { return p.failed }

// Close stops the machines of the demo, accepts no more requests and lets those under way finish, drains the
// lane, stops the background work and closes the database, in this order. It
// may be called twice, and after a failed Run.
func (p *Program) Close() error {
	if p.stopped {
		return nil
	}
	p.stopped = true
	var errs []error
	p.demo.close() // its machines are clients
	if p.http != nil {
		ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
		defer cancel()
		if err := p.http.Shutdown(ctx); err != nil {
			errs = append(errs, fmt.Errorf("stop serving: %w", err), p.http.Close())
		}
		p.server.Close() // waits for subscriptions, which Shutdown does not know
	} else if p.listener != nil {
		errs = append(errs, p.listener.Close())
	}
	if p.admin != nil {
		errs = append(errs, p.admin.close())
	}
	if p.fleet != nil {
		p.fleet.Close()
	}
	if p.stopWorker != nil {
		p.stopWorker()
	}
	p.running.Wait()
	if p.store != nil {
		errs = append(errs, p.store.Close())
	}
	return errors.Join(errs...)
}

// URL is where the server is, seen from the same machine; "" before Run.
func (p *Program) URL() string {
	if p.listener == nil {
		return ""
	}
	return localURL(p.listener.Addr().String())
}

// OmahaURL is where machines ask.
func (p *Program) OmahaURL() string {
	if p.config.OmahaSecret == "" {
		return p.URL() + "/v1/update/"
	}
	return p.URL() + "/v1/update/" + p.config.OmahaSecret
}
