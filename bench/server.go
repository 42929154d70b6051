package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/omaha"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/rollout/policy"
	"github.com/coreroller/coreroller/server"
	"github.com/coreroller/coreroller/simulate/load"
	"github.com/coreroller/coreroller/store"
)

// testServer is a server in this process with one group of machines.
type testServer struct {
	address  string
	store    *store.Store
	fleet    *fleet.Service
	server   *server.Server
	http     *http.Server
	stop     context.CancelFunc
	done     sync.WaitGroup
	postgres *sql.DB // for PostgreSQL's statistics; nil on SQLite

	ctx      context.Context // with a principal
	app      uuid.UUID
	group    uuid.UUID   // of the track
	groups   []uuid.UUID // of the machines: those with an expression, else group
	channel  uuid.UUID
	machines int
}

// openServer opens an empty database and creates the group with its machines.
func openServer(ctx context.Context, databaseURL string, machines, smart int, log *slog.Logger) (*testServer, error) {
	s := &testServer{machines: machines, ctx: auth.With(ctx, auth.Principal{Name: "bench", TeamID: catalog.DefaultTeamID(), Role: auth.Owner, Credential: auth.CredentialCommand})}
	var err error
	if s.store, err = store.Open(ctx, store.Options{URL: databaseURL, Log: log}); err != nil {
		return nil, err
	}
	if store.IsPostgres(databaseURL) {
		if s.postgres, err = sql.Open("postgres", databaseURL); err != nil {
			return nil, err
		}
	}
	if s.fleet, err = fleet.New(ctx, fleet.Options{Store: s.store, Now: time.Now, Log: log}); err != nil {
		return nil, errors.Join(err, s.store.Close())
	}
	if err := errors.Join(s.createGroup(), s.createSmartGroups(smart), s.createMachines(ctx)); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// close closes the database.
func (s *testServer) close() error {
	s.fleet.Close()
	if s.postgres != nil {
		_ = s.postgres.Close()
	}
	return s.store.Close()
}

// serve starts to serve HTTP, until stopServing.
func (s *testServer) serve(ctx context.Context, log *slog.Logger) error {
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stop = stop
	s.done.Go(func() { s.fleet.Run(background) })
	s.done.Go(func() { server.TuneGC(background) })
	<-s.fleet.Machines.Filled()
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s.address = listener.Addr().String()
	s.server = server.New(server.Options{Fleet: s.fleet, Store: s.store, Omaha: omaha.NewHandler(s.fleet.Machines, omaha.Options{Log: log, Now: time.Now}),
		Log: log, Now: time.Now, Postgres: s.postgres != nil})
	s.http = &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == barePath {
			bare(w, r)
			return
		}
		s.server.ServeHTTP(w, r)
	}), ReadHeaderTimeout: time.Minute}
	s.done.Go(func() { _ = s.http.Serve(listener) }) // returns after Close
	return nil
}

// bare is the baseline: it reads the body and writes a fixed response as long as
// a real one.
func bare(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	w.Header().Set("Content-Type", "text/xml; charset=utf-8")
	_, _ = io.WriteString(w, fixedResponse)
}

const fixedResponse = `<?xml version="1.0" encoding="UTF-8"?>
<response protocol="3.0" server="coreroller"><daystart elapsed_seconds="40000" elapsed_days="7000"/>` +
	`<app appid="{e96281a6-d1af-4bde-9a0a-97b76e56dc57}" status="ok"><ping status="ok"/><event status="ok"/>` +
	`<updatecheck status="noupdate" info="up_to_date"/></app></response>
`

// createGroup creates an application, a channel with a package of version 2.0.0,
// and a group without limits.
func (s *testServer) createGroup() error {
	if err := s.fleet.Preinstall(s.ctx); err != nil {
		return err
	}
	app, err := s.fleet.CreateApplication(s.ctx, fleet.CreateApplication{Name: "bench"})
	if err != nil {
		return err
	}
	s.app = app.ID
	pkg, err := s.fleet.CreatePackage(s.ctx, fleet.CreatePackage{ApplicationID: s.app, Type: 1, Version: "2.0.0",
		URL: "http://localhost/2.0.0/", Filename: "update.gz", Size: 1 << 20, SHA256: strings.Repeat("ab", 32)})
	if err != nil {
		return err
	}
	channel, err := s.fleet.CreateChannel(s.ctx, fleet.CreateChannel{ApplicationID: s.app, Name: "stable", PackageID: &pkg.ID})
	if err != nil {
		return err
	}
	s.channel = channel.ID
	p := s.policy(unlimited)
	group, err := s.fleet.CreateGroup(s.ctx, fleet.CreateGroup{ApplicationID: s.app, Name: "t", Track: "t", ChannelID: &s.channel, Policy: &p})
	if err != nil {
		return err
	}
	s.group, s.groups = group.ID, []uuid.UUID{group.ID}
	return nil
}

// createSmartGroups creates groups of the machines of one rack each.
func (s *testServer) createSmartGroups(n int) error {
	p := s.policy(unlimited)
	for i := range n {
		group, err := s.fleet.CreateGroup(s.ctx, fleet.CreateGroup{ApplicationID: s.app, Name: rack(i), ChannelID: &s.channel, Policy: &p,
			Expression: "attributes.rack == '" + rack(i) + "'"})
		if err != nil {
			return err
		}
		if i == 0 {
			s.groups = nil
		}
		s.groups = append(s.groups, group.ID)
	}
	return nil
}

func rack(i int) string { return fmt.Sprintf("rack-%02d", i) }

// unlimited is a limit that no benchmark reaches.
const unlimited = 1 << 30

func (s *testServer) policy(limit int) rollout.Policy {
	p := policy.Default()
	p.SafeMode, p.HaltFailureShare, p.HaltMinAttempts = false, 0, 0
	p.MaxUpdatesPerPeriod, p.MaxConcurrentUpdates = limit, limit
	return p
}

// setLimit sets the maximum number of concurrent updates of all groups together.
func (s *testServer) setLimit(n int) error {
	for _, group := range s.groups {
		if _, err := s.fleet.UpdatePolicy(s.ctx, fleet.UpdatePolicy{GroupID: group, Policy: s.policy(n / len(s.groups)), Reason: "bench"}); err != nil {
			return err
		}
	}
	return nil
}

// machineID is the id of the n-th machine of the group. Even ones run the target
// version, odd ones the version before.
func machineID(n int) string {
	return load.MachineID(0, uint64(n)) //nolint:gosec // G115: n is an index
}

func upToDateMachine(n int) string { return machineID(2 * n) }

func outdatedMachine(n int) string { return machineID(2*n + 1) }

// createMachines writes the machines to the database in batches.
func (s *testServer) createMachines(ctx context.Context) error {
	const batch = 5000
	one, _ := rollout.ParseVersion("1.0.0")
	two, _ := rollout.ParseVersion("2.0.0")
	now := time.Now().UTC().Truncate(time.Microsecond)
	selectors := s.fleet.Catalog().App(s.app).Selectors()
	for from := 0; from < s.machines; from += batch {
		err := s.store.Write(ctx, now, func(tx *store.Tx) error {
			groups, err := tx.LockGroups(ctx, s.groups)
			if err != nil {
				return err
			}
			b := &store.Batch{Groups: groups}
			states := map[uuid.UUID]*store.GroupState{}
			for _, g := range groups {
				states[g.GroupID] = g
			}
			for n := from; n < min(from+batch, s.machines); n++ {
				at := n / 2 % len(s.groups)
				g := states[s.groups[at]]
				m := &store.Machine{InstanceID: store.InstanceID(s.app, machineID(n)), ApplicationID: s.app, GroupID: g.GroupID,
					Reported: store.Reported{Arch: "amd64", Address: "127.0.0.1", OEM: "ami"}, StateChangedAt: now}
				m.ID, m.Version, m.Reason = machineID(n), one, rollout.ReasonConcurrencyLimit
				m.FirstSeenAt, m.LastSeenAt = now, now
				if m.Selectors = selectors; selectors != 0 {
					m.HomeGroup = s.group
					b.Labels = append(b.Labels, store.Label{InstanceID: m.InstanceID, ApplicationID: s.app, MachineID: m.ID, Name: "rack", Value: rack(at), By: "bench", At: now})
				}
				m.State = rollout.StateOnHold
				g.Census.Behind++
				if n%2 == 0 {
					m.Version, m.Reason, m.State = two, rollout.ReasonUpToDate, rollout.StateNone
					g.Census.Behind--
					g.Census.OnTarget++
				}
				b.Machines = append(b.Machines, m)
			}
			return tx.Save(ctx, b)
		})
		if err != nil {
			return fmt.Errorf("create machines: %w", err)
		}
	}
	return nil
}

// recount returns an error if a counter differs from a recount.
func (s *testServer) recount(ctx context.Context) (string, error) {
	differences, err := s.store.Recount(ctx)
	if err == nil && len(differences) > 0 {
		err = fmt.Errorf("%d counters are wrong; first: %+v", len(differences), differences[0])
	}
	return "all counters equal a recount", err
}

// stopServing stops what serve started.
func (s *testServer) stopServing() error {
	err := s.http.Close()
	s.server.Close()
	s.stop()
	s.done.Wait()
	return err
}

// createDatabase creates an empty database in a PostgreSQL cluster.
func createDatabase(ctx context.Context, cluster string) (databaseURL string, drop func() error, err error) {
	d, err := sql.Open("postgres", cluster)
	if err != nil {
		return "", nil, err
	}
	name := "bench_" + strings.ToLower(rand.Text())
	if _, err := d.ExecContext(ctx, "CREATE DATABASE "+name); err != nil {
		return "", nil, errors.Join(err, d.Close())
	}
	u, err := url.Parse(cluster)
	if err != nil {
		return "", nil, err
	}
	u.Path = "/" + name
	return u.String(), func() error {
		_, err := d.ExecContext(ctx, "DROP DATABASE "+name+" WITH (FORCE)")
		return errors.Join(err, d.Close())
	}, nil
}
