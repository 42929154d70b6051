// Package change runs every change of the service layer: one transaction under
// the locks of the application and its groups, the engine's reactions, activity,
// audit, and the new catalog after the commit.
package change

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/event"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
)

// Verb describes a change for the audit and for errors.
type Verb struct {
	Name    string // as in the API, such as pauseUpdates
	Invalid error  // the problems of the input; nil: none
	By      auth.Principal
	App     uuid.UUID   // application; zero: not created yet, or none
	Groups  []uuid.UUID // of the application, which alone it concerns; none: all of the application
	TeamID  uuid.UUID   // of what has no application; zero: that of By
	Object  string      // kind of the changed object, such as group
	ID      uuid.UUID   // of the changed object
	Reason  string      // given by the person
	Unique  string      // field to name when a unique constraint is violated
	Part    bool        // of a job, whose start is in the audit: it gets no entry of its own
}

// Change is one verb inside its transaction.
type Change struct {
	Verb
	Ctx    context.Context
	Tx     *store.Tx
	Now    time.Time
	Config *catalog.App // the configuration under the lock, before the verb
	after  *catalog.App // the configuration after the verb; nil: unchanged or deleted
	moved  bool         // the configuration was changed
	trial  *Trial       // nil: the change is made
	clock  func() time.Time

	States map[uuid.UUID]*store.GroupState // groups whose ledger row is locked
	Batch  store.Batch
	Before any // of the object, for the audit
	After  any // of the object, for the audit
}

// MaxTries limits the attempts of a verb. It is repeated if another process changed
// its machines between reading and locking them.
const MaxTries = 5

// ErrUnchanged ends a verb without a change, activity or audit: the requested state
// already holds.
var ErrUnchanged = errors.New("nothing to change")

// Writer runs verbs. It is safe for concurrent use.
type Writer struct {
	store     *store.Store
	catalog   *catalog.Cache
	now       func() time.Time
	committed func(*store.Batch)
}

// NewWriter makes a Writer. committed is called with the rows of each committed
// change, so that caches of machines and groups can drop them.
func NewWriter(s *store.Store, c *catalog.Cache, now func() time.Time, committed func(*store.Batch)) *Writer {
	return &Writer{store: s, catalog: c, now: now, committed: committed}
}

// Configure changes the configuration of v.App, or creates an application when
// v.App is zero. It holds the locks of the application and all its groups, so no
// check-in of the application is decided while f runs, and later ones see the
// result. Groups with a new target or policy then start or adapt their rollout.
func (w *Writer) Configure(ctx context.Context, v Verb, f func(c *Change) error) error {
	return w.Do(ctx, v, func(c *Change) error {
		if v.App != uuid.Nil {
			if _, err := c.Tx.LockApplication(ctx, v.App); err != nil {
				return fault.Missing(err, v.appField(), "application")
			}
			if err := c.Load(); err != nil {
				return err
			}
		}
		if err := c.admit(); err != nil {
			return err
		}
		c.moved = true
		if err := f(c); err != nil {
			return err
		}
		return c.follow()
	})
}

// Operate changes groups and machines of v.App but not its configuration. It
// holds the ledger locks of v.Groups.
func (w *Writer) Operate(ctx context.Context, v Verb, f func(c *Change) error) error {
	return w.Do(ctx, v, func(c *Change) error {
		if err := c.Lock(v.Groups...); err != nil {
			return err
		}
		if err := c.Load(); err != nil {
			return err
		}
		if err := c.admit(); err != nil {
			return err
		}
		return f(c)
	})
}

// Do runs one verb without locks: transaction, journal, audit, catalog. It tries
// again when store.ErrRetry asks for it.
func (w *Writer) Do(ctx context.Context, v Verb, f func(c *Change) error) error {
	for range MaxTries {
		done, err := w.attempt(ctx, v, f)
		switch {
		case errors.Is(err, store.ErrRetry):
			continue
		case errors.Is(err, ErrUnchanged) && approvalOf(ctx) != nil:
			return fault.Errorf(fault.Conflict, "id", "it would change nothing any more: what was proposed is so already")
		case errors.Is(err, ErrUnchanged):
			return nil
		case err != nil:
			return v.Expected(err)
		}
		if done.moved && done.App != uuid.Nil {
			w.catalog.Put(done.App, done.after)
		}
		w.committed(&done.Batch)
		return nil
	}
	return fault.Errorf(fault.Unavailable, "", "too many changes at the same time; try again")
}

func (w *Writer) attempt(ctx context.Context, v Verb, f func(c *Change) error) (*Change, error) {
	now := w.now()
	c := &Change{Verb: v, Ctx: ctx, Now: now, trial: trialOf(ctx), clock: w.now, States: map[uuid.UUID]*store.GroupState{}}
	return c, w.store.Write(ctx, now, func(tx *store.Tx) error {
		c.Tx = tx
		if err := f(c); err != nil {
			return err
		}
		if err := c.settle(); err != nil {
			return err
		}
		if err := tx.Save(ctx, &c.Batch); err != nil {
			return err
		}
		if c.Part {
			return nil
		}
		return tx.Audit(c.record())
	})
}

// Audit records events that change nothing else, such as failed sign-ins. Those without
// a team belong to the default team.
func (w *Writer) Audit(ctx context.Context, events []store.Audit) error {
	return w.store.Write(ctx, w.now(), func(tx *store.Tx) error {
		for _, a := range events {
			if a.TeamID == uuid.Nil {
				a.TeamID = catalog.DefaultTeamID()
			}
			if err := tx.Audit(a); err != nil {
				return err
			}
		}
		return nil
	})
}

// admit checks, before a verb changes anything, that the caller may run it and that an
// approved proposal still fits.
func (c *Change) admit() error {
	if err := c.Allow(c.Name); err != nil {
		return err
	}
	if a := approvalOf(c.Ctx); a != nil {
		return a.Check(c)
	}
	return nil
}

// Allow checks that the caller has the role for a verb on everything that the change
// concerns. What the caller may not read does not exist. The parts of a job were checked
// when it started.
func (c *Change) Allow(verb string) error {
	if c.Part {
		return nil
	}
	if c.App != uuid.Nil && !c.By.Sees(c.Team(), c.App) {
		return c.noApplication()
	}
	place := auth.Place{Team: c.Team(), Application: c.App}
	if len(c.Groups) == 0 {
		return fault.RequireOn(c.By, verb, place)
	}
	for _, place.Group = range c.Groups {
		if c.By.RoleOn(place) == 0 {
			return noGroup("groupId")
		}
		if err := fault.RequireOn(c.By, verb, place); err != nil {
			return err
		}
	}
	return nil
}

func (c *Change) noApplication() error {
	return fault.Errorf(fault.NotFound, c.appField(), "there is no such application")
}

// Expected turns a violated constraint into a Conflict and wraps unexpected
// errors with the verb's name.
func (v Verb) Expected(err error) error {
	if fault.CodeOf(err) != "" {
		return err
	}
	if store.IsConflict(err) {
		return fault.Errorf(fault.Conflict, v.Unique, "already taken, or an object it refers to was deleted meanwhile")
	}
	return fmt.Errorf("%s: %w", v.Name, err)
}

// appField returns the input field that names the application.
func (v Verb) appField() string {
	if v.Object == "application" {
		return "id"
	}
	return "applicationId"
}

// Load reads the configuration of c.App. The caller holds a lock of the application
// or of its groups.
func (c *Change) Load() error {
	app, err := catalog.LoadApp(c.Ctx, c.Tx.Client(), c.App)
	if err != nil {
		return err
	}
	if app == nil {
		return c.noApplication()
	}
	c.Config = app
	return nil
}

// Group returns a group of the application under the lock.
func (c *Change) Group(id uuid.UUID, field string) (*catalog.Group, error) {
	if g := c.Config.Group(id); g != nil {
		return g, nil
	}
	return nil, noGroup(field)
}

func noGroup(field string) error {
	return fault.Errorf(fault.NotFound, field, "there is no such group")
}

// Channel returns a channel of the application under the lock.
func (c *Change) Channel(id uuid.UUID, field string) (*catalog.Channel, error) {
	if ch := c.Config.Channel(id); ch != nil {
		return ch, nil
	}
	return nil, fault.Errorf(fault.NotFound, field, "there is no such channel in this application")
}

// Lock locks and reads the ledger rows of groups that are not locked yet.
func (c *Change) Lock(groups ...uuid.UUID) error {
	var missing []uuid.UUID
	for _, id := range groups {
		if c.States[id] == nil {
			missing = append(missing, id)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	states, err := c.Tx.LockGroups(c.Ctx, missing)
	if err != nil {
		return err
	}
	for _, st := range states {
		c.keep(st)
	}
	return nil
}

func (c *Change) keep(st *store.GroupState) {
	c.States[st.GroupID] = st
	c.Batch.Groups = append(c.Batch.Groups, st)
}

// Run runs the engine on one group under its lock and keeps its effects.
func (c *Change) Run(g *catalog.Group, f func(w *rollout.World, fx *rollout.Effects)) error {
	if err := c.Lock(g.ID); err != nil {
		return err
	}
	st := c.States[g.ID]
	if st == nil {
		return fault.Errorf(fault.NotFound, "groupId", "the group was deleted meanwhile")
	}
	var fx rollout.Effects
	w := g.World(st, c.clock(), &fx)
	f(&w, &fx)
	g.Keep(&w, st)
	g.Journal(&c.Batch, &fx, c.By.Name)
	return nil
}

// Publish queues an event of the application besides those that the store
// queues by itself.
func (c *Change) Publish(kind event.Kind) {
	c.Tx.Publish(event.Event{Kind: kind, App: c.App})
}

func (c *Change) record() store.Audit {
	return store.Audit{
		TeamID: c.Team(), Actor: c.By.Name, Credential: c.By.Proof(), Address: auth.Address(c.Ctx),
		Verb: c.Name, Object: c.Object, ObjectID: c.ID, ApplicationID: c.App,
		Before: c.Before, After: c.After, Reason: c.Reason,
	}
}

// Team returns the team of the application, or of new objects: that of the verb, the
// person's, or the default team for the command line.
func (c *Change) Team() uuid.UUID {
	if c.Config != nil {
		return c.Config.TeamID
	}
	return cmp.Or(c.TeamID, c.By.TeamID, catalog.DefaultTeamID())
}

// Saved keeps a row as the audit's After and returns err.
func (c *Change) Saved(row any, err error) error {
	c.After = row
	return err
}

// Activity adds an activity of a channel.
func (c *Change) Activity(ch uuid.UUID, name string, a rollout.Activity) {
	app := c.Config
	if app == nil {
		app = c.after
	}
	c.Batch.Activities = append(c.Batch.Activities, store.Activity{
		Activity: a, Actor: c.By.Name, ApplicationID: app.ID, ApplicationName: app.Name,
		ChannelID: ch, ChannelName: name,
	})
}

// Because returns ": " and a reason, "" without one.
func Because(reason string) string {
	if reason == "" {
		return ""
	}
	return ": " + reason
}
