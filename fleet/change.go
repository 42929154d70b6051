package fleet

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/event"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
)

// verb says what is about to be done, for the audit and for errors.
type verb struct {
	name   string // as in the API, such as pauseUpdates
	by     auth.Principal
	app    uuid.UUID // application it happens in; zero: none yet, or none at all
	object string    // kind of what is changed, such as group
	id     uuid.UUID // of what is changed
	reason string    // as the person gave it
	unique string    // field to name when a unique constraint is violated
}

// change is one verb inside its transaction.
type change struct {
	verb
	ctx   context.Context
	tx    *store.Tx
	now   time.Time
	app   *App // the configuration under the lock, before the verb touched it
	after *App // the configuration the verb left, nil when it was not changed or is gone
	moved bool // the configuration was changed

	states map[uuid.UUID]*store.GroupState // groups whose ledger row was read under its lock
	batch  store.Batch
	before any // for the audit
	is     any
}

// overtaken is how often a verb is tried when machines it is about to change
// are changed by another process in between.
const overtaken = 5

// errUnchanged ends a verb that found everything as it was asked for.
var errUnchanged = errors.New("nothing to change")

// require is how every verb begins.
func require(ctx context.Context, p auth.Permission) (auth.Principal, error) {
	who, err := auth.Require(ctx, p)
	switch {
	case err == nil:
		return who, nil
	case errors.Is(err, auth.ErrForbidden):
		return who, Errorf(Forbidden, "", "%s", err)
	}
	return who, Errorf(Unauthenticated, "", "%s", err)
}

// configure changes the configuration of v.app, or makes a new application
// when it is zero. No check-in of the application decides while f runs; those
// after it see what f left. Groups that f gave another target or policy follow.
func (s *Service) configure(ctx context.Context, v verb, f func(c *change) error) error {
	return s.change(ctx, v, func(c *change) error {
		if v.app != uuid.Nil {
			if _, err := c.tx.LockApplication(ctx, v.app); err != nil {
				return found(err, v.appField(), "application")
			}
			if err := c.load(); err != nil {
				return err
			}
		}
		c.moved = true
		if err := f(c); err != nil {
			return err
		}
		return c.settle()
	})
}

// operate changes groups and machines of v.app, not its configuration. It
// holds the ledgers of the named groups.
func (s *Service) operate(ctx context.Context, v verb, groups []uuid.UUID, f func(c *change) error) error {
	return s.change(ctx, v, func(c *change) error {
		if err := c.lock(groups...); err != nil {
			return err
		}
		if err := c.load(); err != nil {
			return err
		}
		return f(c)
	})
}

// change runs one verb: transaction, journal, audit, catalog.
func (s *Service) change(ctx context.Context, v verb, f func(c *change) error) error {
	for range overtaken {
		done, err := s.attempt(ctx, v, f)
		switch {
		case errors.Is(err, store.ErrRetry):
			continue
		case errors.Is(err, errUnchanged):
			return nil
		case err != nil:
			return v.expected(err)
		}
		if done.moved && done.verb.app != uuid.Nil {
			s.install(done.verb.app, done.after)
		}
		s.forget(&done.batch)
		return nil
	}
	return Errorf(Unavailable, "", "too much changes at the same time, try again")
}

func (s *Service) attempt(ctx context.Context, v verb, f func(c *change) error) (*change, error) {
	now := s.now()
	c := &change{verb: v, ctx: ctx, now: now, states: map[uuid.UUID]*store.GroupState{}}
	return c, s.store.Write(ctx, now, func(tx *store.Tx) error {
		c.tx = tx
		if err := f(c); err != nil {
			return err
		}
		if err := tx.Save(ctx, &c.batch); err != nil {
			return err
		}
		return tx.Audit(ctx, c.record())
	})
}

// forget drops what is remembered of the groups and machines a verb changed, so
// that their next check is answered by what the verb left.
func (s *Service) forget(b *store.Batch) {
	for _, st := range b.Groups {
		s.idle.views.Delete(st.GroupID)
	}
	for _, m := range b.Machines {
		s.idle.forget(m.InstanceID)
	}
}

// expected turns a violated constraint into an error for the caller and names
// the operation in everything else that is not one already.
func (v verb) expected(err error) error {
	if CodeOf(err) != "" {
		return err
	}
	if store.IsConflict(err) {
		return Errorf(Conflict, v.unique, "already taken, or what it refers to was deleted meanwhile")
	}
	return fmt.Errorf("%s: %w", v.name, err)
}

// appField is the field of the input that names the application.
func (v verb) appField() string {
	if v.object == "application" {
		return "id"
	}
	return "applicationId"
}

// found makes a missing row an error that names the field it was named by.
func found(err error, field, what string) error {
	if db.IsNotFound(err) {
		return Errorf(NotFound, field, "there is no such %s", what)
	}
	return err
}

// load reads the configuration under the lock.
func (c *change) load() error {
	app, err := loadApp(c.ctx, c.tx.Client(), c.verb.app)
	if err != nil {
		return err
	}
	if app == nil {
		return Errorf(NotFound, c.appField(), "there is no such application")
	}
	c.app = app
	return nil
}

// group is a group of the application under the lock.
func (c *change) group(id uuid.UUID, field string) (*Group, error) {
	if g := c.app.Group(id); g != nil {
		return g, nil
	}
	return nil, Errorf(NotFound, field, "there is no such group")
}

// channel is a channel of the application under the lock.
func (c *change) channel(id uuid.UUID, field string) (*Channel, error) {
	if ch := c.app.Channel(id); ch != nil {
		return ch, nil
	}
	return nil, Errorf(NotFound, field, "there is no such channel in this application")
}

// lock reads the ledger rows of groups under their locks, those not yet read.
func (c *change) lock(groups ...uuid.UUID) error {
	var missing []uuid.UUID
	for _, id := range groups {
		if c.states[id] == nil {
			missing = append(missing, id)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	states, err := c.tx.LockGroups(c.ctx, missing)
	if err != nil {
		return err
	}
	for _, st := range states {
		c.keep(st)
	}
	return nil
}

func (c *change) keep(st *store.GroupState) {
	c.states[st.GroupID] = st
	c.batch.Groups = append(c.batch.Groups, st)
}

// run lets the engine work on one group, under its lock.
func (c *change) run(g *Group, f func(w *rollout.World, fx *rollout.Effects)) error {
	if err := c.lock(g.ID); err != nil {
		return err
	}
	st := c.states[g.ID]
	if st == nil {
		return Errorf(NotFound, "groupId", "the group was deleted meanwhile")
	}
	w := g.World(st)
	var fx rollout.Effects
	f(&w, &fx)
	g.Keep(&w, st)
	g.journal(&c.batch, &fx, c.by.Name)
	return nil
}

// tell queues events besides those the store queues by itself.
func (c *change) tell(kind event.Kind) {
	c.tx.Publish(event.Event{Kind: kind, App: c.verb.app})
}

func (c *change) record() store.Audit {
	return store.Audit{
		TeamID: c.team(), Actor: c.by.Name, Credential: string(c.by.Credential),
		Verb: c.name, Object: c.object, ObjectID: c.id, ApplicationID: c.verb.app,
		Before: c.before, After: c.is, Reason: c.reason,
	}
}

// team owns what the person makes; the command line acts for the first one.
func (c *change) team() uuid.UUID {
	if c.by.TeamID == uuid.Nil {
		return DefaultTeamID()
	}
	return c.by.TeamID
}
