package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/clock"
	"github.com/coreroller/coreroller/omaha"
	"github.com/coreroller/coreroller/server"
	"github.com/coreroller/coreroller/simulate/demo"
	"github.com/coreroller/coreroller/store"
)

// Program is a complete server. Run starts it and returns when it accepts
// requests. Close stops it in order. Tests run it on port 0.
type Program struct {
	config   Config
	timeouts timeouts
	log      *slog.Logger
	now      func() time.Time

	parts  []*part      // listeners with their servers; the first is --listen
	unlock func() error // releases the lock of the database; nil: there is none
	store  *store.Store
	fleet  *fleet.Service
	demo   *demo.Fleet
	server *server.Server
	admin  *admin // nil without --admin-listen

	stopWorker context.CancelFunc
	running    sync.WaitGroup
	failed     chan error // errors of parts that ended too early; one slot per goroutine
	stopped    bool
	tls        bool // people and machines use TLS
}

// NewProgram returns a Program that is not started yet.
func NewProgram(c Config, log *slog.Logger, now func() time.Time) *Program {
	p := &Program{config: c, timeouts: defaultTimeouts(), log: log, now: now, failed: make(chan error, 4)}
	p.demo = demo.New(p.OmahaURL)
	return p
}

// timeouts are limits of the HTTP servers. Subscriptions and long downloads extend the
// time for writing with each part.
type timeouts struct {
	header  time.Duration // from the first byte of a request to the end of its header
	request time.Duration // to the end of its body; the largest request has 1 MiB
	write   time.Duration // of the answer; the longest operation takes 20 s
	idle    time.Duration // between two requests of a connection
}

func defaultTimeouts() timeouts {
	return timeouts{header: 10 * time.Second, request: 20 * time.Second, write: time.Minute, idle: 2 * time.Minute}
}

// Further limits of the HTTP servers.
const (
	maxHeaderBytes = 64 << 10
	maxStreams     = 100 // requests in progress on one connection of HTTP/2
)

// Run opens the port and the database and starts all goroutines. ctx limits the
// start only. If Run fails, it closes everything.
func (p *Program) Run(ctx context.Context) (err error) {
	defer func() {
		if err != nil {
			err = errors.Join(err, p.Close())
		}
	}()
	if err = p.config.check(); err != nil {
		return err
	}
	certificate, err := readCertificate(p.config.Web, p.log, p.now)
	if err != nil {
		return err
	}
	machines, err := readMachineCA(p.config.Web, p.log, p.now)
	if err != nil {
		return err
	}
	signIns, err := p.config.SignIn.providers(func() time.Time { return p.now() }) // p.now changes in open
	if err != nil {
		return err
	}
	if err = p.listen(ctx); err != nil {
		return err
	}
	if p.admin, err = p.listenAdmin(ctx); err != nil {
		return err
	}
	if err = p.open(ctx); err != nil {
		return err
	}
	endpoint := omaha.NewHandler(p.fleet.Machines, omaha.Options{
		TrustedProxies: p.config.TrustedProxies, Secret: p.config.OmahaSecret, Log: p.log, Now: p.now,
		CrossSite: p.fleet.Machines.RefuseCrossSite,
	})
	introspection, err := server.ParseIntrospection(p.config.Web.Introspection)
	if err != nil {
		return err
	}
	p.tls = certificate != nil
	p.server = server.New(server.Options{
		Fleet: p.fleet, Store: p.store, Omaha: endpoint, Log: p.log, Now: p.now, TrustedProxies: p.config.TrustedProxies,
		OmahaSecret: p.config.OmahaSecret, Version: version, Postgres: p.config.DatabaseURL != "",
		PerAddress: p.config.perAddress(), UserBudget: p.config.Web.budget(), Introspection: introspection,
		SeparateMachines: p.part("listen-machines") != nil, SeparateMetrics: p.part("listen-metrics") != nil, MachinesPort: p.machinesPort(),
		SignIns: signIns, Payloads: p.config.Payloads.limits(), Connections: p.connections(), MetricsToken: p.config.Web.MetricsToken.secret,
	})
	p.connect(certificate.config(), machines)
	p.parts[0].http.RegisterOnShutdown(p.server.Close) // Shutdown would wait for event streams
	p.start()
	return nil
}

// open opens the database and creates the rows that every server needs.
func (p *Program) open(ctx context.Context) error {
	database, err := p.config.database()
	if err != nil {
		return err
	}
	if p.unlock, err = store.Lock(database); err != nil {
		return err
	}
	if p.store, err = store.OpenWithin(ctx, store.Options{URL: database, Log: p.log, AnswerWithin: p.config.DatabaseTimeout, NoBackup: !p.config.MigrationBackup, Keep: p.config.Keep}, p.config.WaitForDatabase); err != nil {
		return p.config.explainOpen(err)
	}
	sender, err := p.config.Notify.sender()
	if err != nil {
		return err
	}
	host, err := newClock(ctx, p.store, p.now, p.log)
	if err != nil {
		return err
	}
	p.now = host.Now
	hosted, err := p.config.Payloads.open(ctx, p.config.DataDir, p.config.Disk.bounds())
	if err != nil {
		return err
	}
	if p.fleet, err = fleet.New(ctx, fleet.Options{
		Store: p.store, Clock: host, Log: p.log, Demo: p.demo, Quotas: p.config.Quotas, Inspect: p.config.Inspect, Hosting: hosted, Disk: p.config.watchDisks(p.log),
		Agent: "CoreRoller/" + version, Sender: sender, PublicURL: p.publicURL(), SessionIdle: p.config.SessionIdle, MachineCertificates: p.config.Web.MachineClientCA != "",
	}); err != nil {
		return err
	}
	if err = p.fleet.Upkeep.Beat(ctx); err != nil {
		return err
	}
	p.demo.Attach(p.fleet, p.store, func(text string) { p.log.Info("demo", "message", text) })
	ctx = auth.With(ctx, commandPrincipal("coreroller"))
	if err := p.fleet.Preinstall(ctx); err != nil {
		return fmt.Errorf("initialize the database: %w", err)
	}
	if err := p.fleet.Accounts.EnsureFirstUserWith(ctx, p.config.FirstPassword); err != nil {
		return fmt.Errorf("create the first user: %w", err)
	}
	p.warnOfFirstPassword(ctx)
	if p.config.MirrorFlatcar {
		if err := p.fleet.FollowFlatcarOnce(ctx); err != nil {
			return fmt.Errorf("mirror the public Flatcar server: %w", err)
		}
	}
	return nil
}

// newClock returns the time of this process: the database's on PostgreSQL.
func newClock(ctx context.Context, s *store.Store, host func() time.Time, log *slog.Logger) (*clock.Clock, error) {
	return clock.New(ctx, clock.Options{Host: clock.Host(host), Database: s.Clock(), Log: log})
}

// warnOfFirstPassword warns at every start if the documented first password is
// still valid.
func (p *Program) warnOfFirstPassword(ctx context.Context) {
	if used, err := p.fleet.Accounts.FirstPasswordIsUsed(ctx); err == nil && used {
		p.log.Warn("user admin still has the password admin, which works on this machine only: change it in the dashboard, or with `coreroller user password admin`")
	}
}

// start starts the goroutines of the program.
func (p *Program) start() {
	var worker context.Context
	worker, p.stopWorker = context.WithCancel(context.Background())
	p.running.Go(func() { p.fleet.Run(worker) })
	p.running.Go(func() { server.TuneGC(worker) })
	for _, one := range p.parts {
		p.serve("serve --"+one.flag, one.http, one.listener)
	}
	if p.admin != nil {
		p.serve("serve profiles", p.admin.http, p.admin.listener)
	}
}

// serve serves until the server is closed.
func (p *Program) serve(what string, s *http.Server, l net.Listener) {
	p.running.Go(func() {
		serve := s.Serve
		if s.TLSConfig != nil {
			serve = func(l net.Listener) error { return s.ServeTLS(l, "", "") }
		}
		if err := serve(l); !errors.Is(err, http.ErrServerClosed) {
			p.failed <- fmt.Errorf("%s: %w", what, err)
		}
	})
}

// Failed receives the error of a part that ended before Close.
func (p *Program) Failed() <-chan error { return p.failed }

// Drain lets /readyz answer that the server stops, and waits so that load balancers notice.
func (p *Program) Drain() {
	if p.server == nil || p.config.StopDelay <= 0 {
		return
	}
	p.server.Drain()
	time.Sleep(p.config.StopDelay) // a second signal ends the process
}

// Close stops the machines of the demo, waits for requests in flight, drains the
// lane, stops the background work and closes the database, in this order. It may
// be called twice, and after a failed Run.
func (p *Program) Close() error {
	if p.stopped {
		return nil
	}
	p.stopped = true
	var errs []error
	p.demo.Close() // its machines are clients of this server
	ctx, cancel := context.WithTimeout(context.Background(), cmp.Or(p.config.StopWithin, defaultStopWithin))
	defer cancel()
	switch err := p.closeParts(ctx); {
	case errors.Is(err, context.DeadlineExceeded): // what they waited for is not acknowledged
		p.log.Warn("closed the connections of requests that did not end in time")
	case err != nil:
		errs = append(errs, fmt.Errorf("shut down the HTTP servers: %w", err))
	}
	if p.server != nil {
		p.server.Close() // waits for websockets, which Shutdown does not do
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
	if p.unlock != nil {
		errs = append(errs, p.unlock())
	}
	return errors.Join(errs...)
}

// URL is the server's URL for clients on the same machine, or "" before Run.
func (p *Program) URL() string { return p.urlOf(p.part("listen")) }

func (p *Program) urlOf(one *part) string {
	if one == nil {
		return ""
	}
	url := localURL(one.listener.Addr().String())
	if p.tls {
		url = "https" + strings.TrimPrefix(url, "http")
	}
	return url
}

// OmahaURL is the update URL for machines.
func (p *Program) OmahaURL() string {
	base := p.urlOf(cmp.Or(p.part("listen-machines"), p.part("listen")))
	return base + "/v1/update/" + p.config.OmahaSecret
}

// machinesPort is the port of the update URL with --listen-machines, else "".
func (p *Program) machinesPort() string {
	one := p.part("listen-machines")
	if one == nil {
		return ""
	}
	_, port, _ := net.SplitHostPort(one.listener.Addr().String())
	return port
}
