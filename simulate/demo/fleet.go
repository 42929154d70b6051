// Package demo fills an empty server with sample data and runs simulated
// machines in the same process, over HTTP at the server's own address.
package demo

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/view/machines"
	"github.com/coreroller/coreroller/simulate"
	"github.com/coreroller/coreroller/store"
)

// Fleet is the demo of one server. It implements fleet.DemoFleet. Call Attach
// before any other method.
type Fleet struct {
	service *fleet.Service
	store   *store.Store
	url     func() string
	report  func(text string)

	mu     sync.Mutex
	world  *world // nil if another process built it
	stop   context.CancelFunc
	ended  chan struct{} // closed when the machines have stopped; nil if they never ran
	closed bool
}

// New returns a demo whose machines check at url, which is read when they start.
func New(url func() string) *Fleet { return &Fleet{url: url} }

// Attach sets the server to fill and the receiver of progress messages. Call it
// again to change report before the demo starts.
func (f *Fleet) Attach(service *fleet.Service, s *store.Store, report func(text string)) {
	f.service, f.store, f.report = service, s, report
}

// Applications implements fleet.DemoFleet.
func (f *Fleet) Applications() (ids []uuid.UUID) {
	for _, app := range applications() {
		ids = append(ids, app.id)
	}
	return ids
}

// Build implements fleet.DemoFleet.
func (f *Fleet) Build(ctx context.Context, s *fleet.Service) (created []uuid.UUID, err error) {
	w := newWorld(s, f.store, f.report)
	err = w.build(ctx)
	for _, id := range w.ids.apps {
		created = append(created, id)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.world = w
	return created, err
}

// Begin implements fleet.DemoFleet.
func (f *Fleet) Begin(ctx context.Context, fresh bool) error {
	machines, err := f.machines(ctx, fresh)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return fault.Errorf(fault.Unavailable, "", "the server is stopping")
	}
	// The machines outlive the request that starts them.
	ctx, stop := context.WithCancel(auth.With(context.WithoutCancel(ctx), principal()))
	ended := make(chan struct{})
	f.stop, f.ended = stop, ended
	world := f.world
	if !fresh {
		world = nil
	}
	go func() {
		defer close(ended)
		defer stop()
		f.run(ctx, stop, machines, world)
	}()
	return nil
}

// principal is who the audit names for the demo's own changes.
func principal() auth.Principal {
	return auth.Principal{Name: "demo", TeamID: catalog.DefaultTeamID(), Role: auth.Owner, Credential: auth.CredentialCommand}
}

// run returns when the context ends or the demo's applications were deleted.
func (f *Fleet) run(ctx context.Context, stop context.CancelFunc, machines []*simulate.Machine, world *world) {
	const connections = 8
	client := simulate.NewClient(f.url(), connections)
	defer client.Close()
	s := simulate.Simulation{Machines: machines, Speed: speed, Connections: connections, Send: client.Send, Now: time.Now}
	var g sync.WaitGroup
	g.Go(func() { s.Run(ctx) })
	g.Go(func() { f.stopWhenDeleted(ctx, stop) })
	if world != nil {
		g.Go(func() {
			if err := world.runScript(ctx); err != nil && ctx.Err() == nil {
				f.report(fmt.Sprintf("the demo's script failed: %v", err))
			}
		})
	} else {
		f.report(fmt.Sprintf("%d machines continue", len(machines)))
	}
	g.Wait()
}

func (f *Fleet) stopWhenDeleted(ctx context.Context, stop context.CancelFunc) {
	tick := time.NewTicker(5 * time.Second)
	defer tick.Stop()
	for f.exists() {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
	stop()
}

// exists reports whether one of the demo's applications exists.
func (f *Fleet) exists() bool {
	for _, id := range f.Applications() {
		if f.service.Catalog().App(id) != nil {
			return true
		}
	}
	return false
}

// machines returns the machines whose application exists. Unless the demo is
// fresh, they run the version that the server saw last.
func (f *Fleet) machines(ctx context.Context, fresh bool) ([]*simulate.Machine, error) {
	all, err := newMachines()
	if err != nil || fresh {
		return all, err
	}
	type key struct{ product, machine string }
	existing, running := map[string]bool{}, map[key]string{}
	for _, app := range applications() {
		if f.service.Catalog().App(app.id) == nil {
			continue
		}
		existing[app.product] = true
		l := machines.List{Filter: machines.Filter{Application: &app.id}, Limit: 2 * len(all)}
		rows, err := f.service.View.Machines(ctx, l, nil)
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			running[key{app.product, row.MachineID}] = row.Version
		}
	}
	var machines []*simulate.Machine
	for _, m := range all {
		if !existing[m.Identity.App] {
			continue
		}
		if version := running[key{m.Identity.App, m.Identity.Machine}]; version != "" {
			m.Version = version
		}
		machines = append(machines, m)
	}
	return machines, nil
}

// End implements fleet.DemoFleet.
func (f *Fleet) End() {
	f.mu.Lock()
	stop, ended := f.stop, f.ended
	f.mu.Unlock()
	if ended != nil {
		stop()
		<-ended
	}
}

// Running implements fleet.DemoFleet.
func (f *Fleet) Running() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ended == nil {
		return false
	}
	select {
	case <-f.ended:
		return false
	default:
		return true
	}
}

// Close stops the machines. Begin fails afterwards.
func (f *Fleet) Close() {
	f.mu.Lock()
	f.closed = true
	f.mu.Unlock()
	f.End()
}
