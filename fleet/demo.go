package fleet

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/change"
	"github.com/coreroller/coreroller/fleet/fault"
)

// DemoFleet is simulated machines and the applications they run, which the
// program can bring to life in itself.
type DemoFleet interface {
	// Applications are the ids of the applications of the demo: always the same
	// ones, so that they are known again after a restart.
	Applications() []uuid.UUID
	// Build makes the applications through the verbs of the service and returns
	// the ids of those it made, also when it fails half-way.
	Build(ctx context.Context, s *Service) ([]uuid.UUID, error)
	// Begin lets the machines check; anew says that the applications were made
	// just now. The machines live until End, or until the applications are gone.
	Begin(ctx context.Context, anew bool) error
	// End stops the machines and waits for the last of them. It does nothing
	// when none lives.
	End()
	// Running reports whether machines live.
	Running() bool
}

// Demo is how the demo stands.
type Demo struct {
	Present   bool // its applications are there
	Running   bool // its machines check against this process
	Available bool // it can be started
}

// Demo looks at the demo.
func (s *Service) Demo(ctx context.Context) (*Demo, error) {
	if _, err := fault.Require(ctx, auth.Read); err != nil {
		return nil, err
	}
	d := &Demo{}
	if s.demo == nil {
		return d, nil
	}
	snapshot := s.catalog.Catalog()
	d.Running = s.demo.Running()
	d.Present = slices.ContainsFunc(s.demo.Applications(), func(id uuid.UUID) bool { return snapshot.App(id) != nil })
	if d.Present || d.Running {
		d.Available = !d.Running
		return d, nil
	}
	for _, id := range snapshot.Apps() {
		if id != catalog.FlatcarID() {
			return d, nil
		}
	}
	some, err := s.store.Reader().Instance.Query().Exist(ctx)
	if err != nil {
		return nil, fmt.Errorf("look for machines: %w", err)
	}
	d.Available = !some
	return d, nil
}

// StartDemo fills a database that holds nothing of its own with the demo's
// applications and lets its machines check against this process, until it ends
// or StopDemo. When the applications are there, from before a restart, the
// machines go on.
func (s *Service) StartDemo(ctx context.Context) (*Demo, error) {
	who, release, err := s.holdDemo(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	d, err := s.Demo(ctx)
	switch {
	case err != nil:
		return nil, err
	case d.Running:
		return nil, fault.Errorf(fault.Conflict, "", "the demo is running already")
	case !d.Available:
		return nil, fault.Errorf(fault.Conflict, "", "the database has machines or applications of its own; the demo would stand among them")
	}
	var made []uuid.UUID
	if !d.Present {
		if made, err = s.demo.Build(ctx, s); err != nil {
			return nil, errors.Join(err, s.clear(ctx, made))
		}
	}
	if err := s.demo.Begin(ctx, !d.Present); err != nil {
		return nil, errors.Join(err, s.clear(ctx, made))
	}
	if err := s.auditDemo(ctx, "startDemo", who, d, &Demo{Present: true, Running: true}); err != nil {
		s.demo.End()
		return nil, errors.Join(err, s.clear(ctx, made))
	}
	return s.Demo(ctx)
}

// StopDemo stops the machines of the demo and deletes its applications with
// everything below them, and nothing else.
func (s *Service) StopDemo(ctx context.Context) (*Demo, error) {
	who, release, err := s.holdDemo(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	d, err := s.Demo(ctx)
	if err != nil {
		return nil, err
	}
	if !d.Present && !d.Running {
		return nil, fault.Errorf(fault.Conflict, "", "the demo is not there")
	}
	s.demo.End()
	if err := s.clear(ctx, s.demo.Applications()); err != nil {
		return nil, err
	}
	if err := s.auditDemo(ctx, "stopDemo", who, d, &Demo{}); err != nil {
		return nil, err
	}
	return s.Demo(ctx)
}

// holdDemo lets one caller at a time start or stop the demo.
func (s *Service) holdDemo(ctx context.Context) (who auth.Principal, release func(), err error) {
	if who, err = fault.Require(ctx, auth.Configure); err != nil {
		return who, nil, err
	}
	if s.demo == nil {
		return who, nil, fault.Errorf(fault.Unavailable, "", "this server has no demo")
	}
	if !s.demoing.TryLock() {
		return who, nil, fault.Errorf(fault.Conflict, "", "the demo is being started or stopped by somebody else")
	}
	return who, s.demoing.Unlock, nil
}

// clear deletes applications of the demo that are there.
func (s *Service) clear(ctx context.Context, ids []uuid.UUID) error {
	for _, id := range ids {
		err := s.DeleteApplication(ctx, DeleteApplication{ID: id, Reason: "the demo was stopped"})
		if err != nil && fault.CodeOf(err) != fault.NotFound {
			return err
		}
	}
	return nil
}

func (s *Service) auditDemo(ctx context.Context, name string, who auth.Principal, before, after *Demo) error {
	v := change.Verb{Name: name, By: who, Object: "demo", ID: s.demo.Applications()[0]}
	return s.changes.Do(ctx, v, func(c *change.Change) error {
		c.Before, c.After = before, after
		return nil
	})
}
