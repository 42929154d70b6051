package fleet

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db/application"
	"github.com/coreroller/coreroller/ent/db/instance"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/change"
	"github.com/coreroller/coreroller/fleet/fault"
)

// DemoFleet is the demo: sample applications and simulated machines that run
// inside this process.
type DemoFleet interface {
	// Applications returns the ids of the demo's applications. They never change,
	// so that a restarted process recognises them.
	Applications() []uuid.UUID
	// Build creates the applications through the verbs of the service. It returns
	// the ids of the created ones, also after an error.
	Build(ctx context.Context, s *Service) ([]uuid.UUID, error)
	// Begin starts the machines; created reports whether Build has just created the
	// applications. The machines run until End or until the applications are deleted.
	Begin(ctx context.Context, created bool) error
	// End stops the machines and waits for them. It does nothing when none runs.
	End()
	// Running reports whether the machines run.
	Running() bool
}

// Demo is the state of the demo.
type Demo struct {
	Present   bool // its applications exist
	Running   bool // its machines send check-ins to this process
	Available bool // it can be started
}

// Demo returns the state of the demo.
func (s *Service) Demo(ctx context.Context) (*Demo, error) {
	who, err := fault.Require(ctx, auth.Viewer)
	if err != nil {
		return nil, err
	}
	d := &Demo{}
	if s.demo == nil || !who.SeesAll() {
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
	some, err := s.store.Reader().Instance.Query().Where(instance.HasApplicationWith(application.DeletedAtIsNil())).Exist(ctx)
	if err != nil {
		return nil, fmt.Errorf("look for machines: %w", err)
	}
	d.Available = !some
	return d, nil
}

// StartDemo creates the demo's applications in a database without other
// applications or machines, and starts the machines until the process ends or
// StopDemo is called. After a restart it continues with the existing applications.
func (s *Service) StartDemo(ctx context.Context) (*Demo, error) {
	who, release, err := s.holdDemo(ctx, "startDemo")
	if err != nil {
		return nil, err
	}
	defer release()
	d, err := s.Demo(ctx)
	switch {
	case err != nil:
		return nil, err
	case d.Running:
		return nil, fault.Errorf(fault.Conflict, "", "the demo is already running")
	case !d.Available:
		return nil, fault.Errorf(fault.Conflict, "", "the database already contains applications or machines; the demo needs an empty one")
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

// StopDemo stops the demo's machines and deletes its applications with everything
// below them.
func (s *Service) StopDemo(ctx context.Context) (*Demo, error) {
	who, release, err := s.holdDemo(ctx, "stopDemo")
	if err != nil {
		return nil, err
	}
	defer release()
	d, err := s.Demo(ctx)
	if err != nil {
		return nil, err
	}
	if !d.Present && !d.Running {
		return nil, fault.Errorf(fault.Conflict, "", "the demo has not been started")
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
func (s *Service) holdDemo(ctx context.Context, verb string) (who auth.Principal, release func(), err error) {
	if who, err = fault.RequireVerb(ctx, verb); err != nil {
		return who, nil, err
	}
	if err := fault.RequireOn(who, verb, auth.Place{}); err != nil {
		return who, nil, err
	}
	if s.demo == nil {
		return who, nil, fault.Errorf(fault.Unavailable, "", "this server has no demo")
	}
	if !s.demoing.TryLock() {
		return who, nil, fault.Errorf(fault.Conflict, "", "another call is starting or stopping the demo")
	}
	return who, s.demoing.Unlock, nil
}

// clear deletes the applications of the demo that exist.
func (s *Service) clear(ctx context.Context, ids []uuid.UUID) error {
	for _, id := range ids {
		err := s.DeleteApplication(ctx, DeleteApplication{ID: id, Reason: "the demo was stopped", Force: true})
		if err != nil && fault.CodeOf(err) != fault.NotFound {
			return err
		}
		// Completely, because the next demo has the same ids.
		for gone := false; !gone; {
			if gone, err = s.store.DropApplication(ctx, s.now(), id, dropAtOnce); err != nil {
				return err
			}
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
