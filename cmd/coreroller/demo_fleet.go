package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/view"
)

// demoFleet lets the machines of the demo check against the server it is part
// of, over HTTP at its own address. It is what fleet.DemoFleet wants.
type demoFleet struct {
	program *Program
	say     func(string) // what the story tells; set before it begins

	mu     sync.Mutex
	world  *demo // made by this process; nil: from before
	stop   context.CancelFunc
	ended  chan struct{} // closed when the last machine stopped; nil: none ever lived
	closed bool
}

func newDemoFleet(p *Program) *demoFleet {
	return &demoFleet{program: p, say: func(text string) { p.log.Info("demo", "story", text) }}
}

// Applications implements fleet.DemoFleet.
func (f *demoFleet) Applications() (ids []uuid.UUID) {
	for _, app := range demoWorld() {
		ids = append(ids, uuid.MustParse(app.id))
	}
	return ids
}

// Build implements fleet.DemoFleet.
func (f *demoFleet) Build(ctx context.Context, s *fleet.Service) (made []uuid.UUID, err error) {
	d := &demo{fleet: s, store: f.program.store, say: f.say}
	err = d.build(ctx)
	for _, id := range d.ids.apps {
		made = append(made, id)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.world = d
	return made, err
}

// Begin implements fleet.DemoFleet.
func (f *demoFleet) Begin(ctx context.Context, anew bool) error {
	machines, err := f.machines(ctx, anew)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return fault.Errorf(fault.Unavailable, "", "the server is stopping")
	}
	// The machines outlive the request that wants them.
	living, stop := context.WithCancel(auth.With(context.WithoutCancel(ctx), commandPrincipal("demo")))
	ended := make(chan struct{})
	f.stop, f.ended = stop, ended
	world := f.world
	if !anew {
		world = nil
	}
	go func() {
		defer close(ended)
		defer stop()
		f.live(living, stop, machines, world)
	}()
	return nil
}

// live returns when the context ends or nothing is left of the demo.
func (f *demoFleet) live(ctx context.Context, stop context.CancelFunc, machines []*machine, world *demo) {
	const senders = 8
	client := newOmahaClient(f.program.OmahaURL(), senders)
	defer client.close()
	s := simulation{Machines: machines, Speed: demoSpeed, Senders: senders, Send: client.send, Now: time.Now}
	var all sync.WaitGroup
	all.Go(func() { s.Run(ctx) })
	all.Go(func() { f.watch(ctx, stop) })
	if world != nil {
		all.Go(func() {
			if err := world.story(ctx); err != nil && ctx.Err() == nil {
				f.say(fmt.Sprintf("the story breaks off: %v", err))
			}
		})
	} else {
		f.say(fmt.Sprintf("%d machines go on where they were", len(machines)))
	}
	all.Wait()
}

// watch stops the machines when somebody deleted what they are machines of.
func (f *demoFleet) watch(ctx context.Context, stop context.CancelFunc) {
	look := time.NewTicker(5 * time.Second)
	defer look.Stop()
	for f.there() {
		select {
		case <-ctx.Done():
			return
		case <-look.C:
		}
	}
	stop()
}

func (f *demoFleet) there() bool {
	for _, id := range f.Applications() {
		if f.program.fleet.Catalog().App(id) != nil {
			return true
		}
	}
	return false
}

// machines are those whose application is there. When the demo lived before
// they run what the server saw them run last.
func (f *demoFleet) machines(ctx context.Context, anew bool) ([]*machine, error) {
	all, err := demoMachines()
	if err != nil || anew {
		return all, err
	}
	type key struct{ product, machine string }
	there, running := map[string]bool{}, map[key]string{}
	for _, app := range demoWorld() {
		id := uuid.MustParse(app.id)
		if f.program.fleet.Catalog().App(id) == nil {
			continue
		}
		there[app.product] = true
		l := view.MachineList{MachineFilter: view.MachineFilter{Application: &id}, Limit: 2 * len(all)}
		rows, err := f.program.fleet.View.Machines(ctx, l, nil)
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			running[key{app.product, row.MachineID}] = row.Version
		}
	}
	var machines []*machine
	for _, m := range all {
		if !there[m.id.App] {
			continue
		}
		if version := running[key{m.id.App, m.id.Machine}]; version != "" {
			m.version = version
		}
		machines = append(machines, m)
	}
	return machines, nil
}

// End implements fleet.DemoFleet.
func (f *demoFleet) End() {
	f.mu.Lock()
	stop, ended := f.stop, f.ended
	f.mu.Unlock()
	if ended != nil {
		stop()
		<-ended
	}
}

// Running implements fleet.DemoFleet.
func (f *demoFleet) Running() bool {
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

// close ends the machines for good.
func (f *demoFleet) close() {
	f.mu.Lock()
	f.closed = true
	f.mu.Unlock()
	f.End()
}
