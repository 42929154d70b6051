// Package reboot answers clients of FleetLock: which of them may reboot now. Each
// request for a slot is decided by rollout in one transaction under the ledger lock of
// the group, so the number of slots is exact over several processes.
package reboot

import (
	"cmp"
	"context"
	"crypto/x509"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/instance"
	"github.com/coreroller/coreroller/ent/db/rebootslot"
	"github.com/coreroller/coreroller/event"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/disk"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/quota"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
)

// maxUnknown bounds the clients of a group that no machine is known for, because their
// ids can be made up.
const maxUnknown = 10_000

// maxWriting bounds the transactions of clients at once. Check-ins and operators need
// the other connections of a process.
const maxWriting = 2

// Options are what a Service needs. Now must return UTC microseconds.
type Options struct {
	Store    *store.Store
	Catalog  *catalog.Cache
	Now      func() time.Time
	Quotas   quota.Quotas
	Refusals *quota.Refusals
	Disk     *disk.Watch // nil: no client is refused because of it
}

// Service answers clients. It is safe for concurrent use.
type Service struct {
	store    *store.Store
	catalog  *catalog.Cache
	now      func() time.Time
	quotas   quota.Quotas
	refusals *quota.Refusals
	disk     *disk.Watch

	newcomers quota.Newcomers
	writing   chan struct{} // holds one element for each transaction of a client

	matching sync.Mutex // held by match
	matched  time.Time  // the last run of match

	using  sync.Mutex // guards the two below
	uses   []Use      // as read at usedAt
	usedAt time.Time
}

// New makes a Service.
func New(o Options) *Service {
	return &Service{store: o.Store, catalog: o.Catalog, now: o.Now, quotas: o.Quotas, refusals: o.Refusals, disk: o.Disk, writing: make(chan struct{}, maxWriting)}
}

// write runs a transaction of a client. Those of one group wait for each other in the
// database, so they may not use all connections.
func (s *Service) write(ctx context.Context, f func(tx *store.Tx) error) error {
	select {
	case s.writing <- struct{}{}:
		defer func() { <-s.writing }()
	case <-ctx.Done():
		return ctx.Err()
	}
	return s.store.Write(ctx, s.now(), f)
}

// Request is one request of a client.
type Request struct {
	Client  string // opaque id, see ValidClientID
	Group   string // track, name or id of a group; an unknown one is ignored if the client is a known machine
	Address string

	Secret      catalog.SecretHash // zero: none was sent
	Certificate *x509.Certificate  // nil: none
}

// Answer is the answer to a request for a slot. It is on disk before it is returned.
type Answer struct {
	Group    *catalog.Group
	Decision rollout.RebootDecision
}

// Take asks for a slot. It fails with NotFound if no group can be found, with Forbidden
// if the group requires a secret or certificate that was not sent, and with Unavailable
// if the client must come back later.
func (s *Service) Take(ctx context.Context, r Request) (Answer, error) {
	found, err := s.find(ctx, &r)
	if err != nil {
		return Answer{}, err
	}
	others, err := s.rows(ctx, rebootslot.LockID(r.Client), rebootslot.ApplicationID(found.group.App.ID), rebootslot.GroupIDNEQ(found.group.ID))
	if err != nil {
		return Answer{}, err
	}
	groups := []uuid.UUID{found.group.ID}
	for _, row := range others {
		groups = append(groups, row.GroupID)
	}
	var out Answer
	err = s.write(ctx, func(tx *store.Tx) error {
		out, err = s.take(ctx, tx, &r, found, distinct(groups))
		return err
	})
	return out, err
}

func (s *Service) take(ctx context.Context, tx *store.Tx, r *Request, found target, groups []uuid.UUID) (Answer, error) {
	states, err := tx.LockGroups(ctx, groups)
	if err != nil {
		return Answer{}, err
	}
	g, st, err := s.current(ctx, tx, states, found.group)
	if err != nil {
		return Answer{}, err
	}
	now := s.now() // after the lock, see catalog.Group.World
	if err := admits(g, r, found.machine, now); err != nil {
		return Answer{}, err
	}
	c := tx.Client().RebootSlot
	own, err := c.Query().Where(rebootslot.GroupID(g.ID), rebootslot.LockID(r.Client)).First(ctx)
	if err != nil && !db.IsNotFound(err) {
		return Answer{}, err
	}
	counted, err := Counted(ctx, tx.Client(), g.ID, r.Client)
	if err != nil {
		return Answer{}, err
	}
	w := g.World(st, now, &rollout.Effects{})
	out := Answer{Group: g, Decision: w.DecideReboot(counted, r.Client, now)}
	k := keeping{Service: s, tx: tx, r: r, found: found, group: g, own: own, decision: out.Decision, now: now}
	if err := k.keep(ctx); err != nil {
		return Answer{}, err
	}
	if out.Decision.Reason == rollout.RebootGranted {
		// A client holds one slot, also if its group changed.
		_, err = c.Delete().Where(rebootslot.LockID(r.Client), rebootslot.ApplicationID(g.App.ID), rebootslot.GroupIDIn(groups...), rebootslot.GroupIDNEQ(g.ID)).Exec(ctx)
	}
	return out, err
}

// current returns the group and its state under the lock. It reloads an application that
// was changed under a newer configuration than the catalog's.
func (s *Service) current(ctx context.Context, tx *store.Tx, states []*store.GroupState, was *catalog.Group) (*catalog.Group, *store.GroupState, error) {
	i := slices.IndexFunc(states, func(st *store.GroupState) bool { return st.GroupID == was.ID })
	if i < 0 {
		return nil, nil, errNoGroup(was.Name)
	}
	app := s.catalog.Catalog().App(was.App.ID)
	if app == nil || app.Revision < states[i].ConfigRevision {
		var err error
		if app, err = catalog.LoadApp(ctx, tx.Client(), was.App.ID); err != nil {
			return nil, nil, err
		}
		s.catalog.Put(was.App.ID, app)
	}
	if g := app.Group(was.ID); g != nil {
		return g, states[i], nil
	}
	return nil, nil, errNoGroup(was.Name)
}

// Counted reads what counts when a client of a group asks: the holders, and how many
// others were lost.
func Counted(ctx context.Context, c *db.Client, group uuid.UUID, client string) (*rollout.Reboots, error) {
	held, err := c.RebootSlot.Query().Where(rebootslot.GroupID(group), rebootslot.TakenAtNotNil()).Order(rebootslot.ByTakenAt(), rebootslot.ByID()).All(ctx)
	if err != nil {
		return nil, err
	}
	lost, err := c.RebootSlot.Query().Where(rebootslot.GroupID(group), rebootslot.LostAtNotNil(), rebootslot.LockIDNEQ(client)).Count(ctx)
	if err != nil {
		return nil, err
	}
	return CountedAs(ctx, c, held, lost)
}

// CountedAs returns what counts from the rows of the holders, the oldest first, with the
// names of their machines.
func CountedAs(ctx context.Context, c *db.Client, held []*db.RebootSlot, lost int) (*rollout.Reboots, error) {
	names, err := namesOf(ctx, c, held)
	if err != nil {
		return nil, err
	}
	out := &rollout.Reboots{Lost: lost}
	for i, row := range held {
		s := rollout.RebootSlot{Client: row.LockID, TakenAt: *row.TakenAt}
		if i < len(names) {
			s.Name = names[i]
		}
		out.Held = append(out.Held, s)
	}
	return out, nil
}

// namesOf returns how operators call the machines of the first holders, which a refusal
// names; "" for clients that are not known as machines.
func namesOf(ctx context.Context, c *db.Client, held []*db.RebootSlot) ([]string, error) {
	held = held[:min(len(held), rollout.MostHolders)]
	var ids []uuid.UUID
	for _, row := range held {
		if row.InstanceID != nil {
			ids = append(ids, *row.InstanceID)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	machines, err := c.Instance.Query().Where(instance.IDIn(ids...)).All(ctx)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(held))
	for i, row := range held {
		for _, m := range machines {
			if row.InstanceID != nil && *row.InstanceID == m.ID {
				names[i] = cmp.Or(m.Alias, m.MachineAlias, m.MachineID)
			}
		}
	}
	return names, nil
}

// GiveBack ends a client's wait and gives back its slot. It succeeds for a client that
// has none, whatever the state of the group, because a client that it refuses could
// never update again. Without a group it gives back a slot only if the client has one.
func (s *Service) GiveBack(ctx context.Context, r Request) error {
	rows, err := s.rows(ctx, rebootslot.LockID(r.Client))
	if err != nil {
		return err
	}
	found, err := s.find(ctx, &r)
	switch {
	case err == nil:
		if err := admits(found.group, &r, found.machine, s.now()); err != nil {
			return err
		}
		rows = slices.DeleteFunc(rows, func(row *db.RebootSlot) bool { return row.ApplicationID != found.group.App.ID })
	case fault.CodeOf(err) != fault.NotFound:
		return err
	case len(rows) > 1: // of several applications, and nothing says which
		return nil
	}
	var groups []uuid.UUID
	for _, row := range rows {
		g := s.catalog.Catalog().Group(row.GroupID)
		if g == nil || admits(g, &r, found.machine, s.now()) == nil {
			groups = append(groups, row.GroupID)
		}
	}
	if len(groups) == 0 {
		return nil
	}
	return s.write(ctx, func(tx *store.Tx) error {
		if _, err := tx.LockGroups(ctx, distinct(groups)); err != nil {
			return err
		}
		ended, err := tx.Client().RebootSlot.Query().Where(rebootslot.LockID(r.Client), rebootslot.GroupIDIn(groups...)).All(ctx)
		if err != nil {
			return err
		}
		return End(ctx, tx, s.now(), "gave its reboot slot back", ended...)
	})
}

// End deletes the rows of clients under the locks of their groups, and notes in the
// history of a known machine how it lost a slot that it held.
func End(ctx context.Context, tx *store.Tx, now time.Time, how string, rows ...*db.RebootSlot) error {
	var b store.Batch
	for _, row := range rows {
		if err := tx.Client().RebootSlot.DeleteOne(row).Exec(ctx); err != nil && !db.IsNotFound(err) {
			return err
		}
		if row.TakenAt != nil {
			if err := note(ctx, tx, &b, row, how+" after "+now.Sub(*row.TakenAt).Round(time.Second).String()); err != nil {
				return err
			}
		}
		tx.Publish(Events(row)...)
	}
	return tx.Save(ctx, &b)
}

// note adds a line to the history of the machine of a client, if it is known.
func note(ctx context.Context, tx *store.Tx, b *store.Batch, row *db.RebootSlot, text string) error {
	if row.InstanceID == nil {
		return nil
	}
	m, err := tx.Client().Instance.Get(ctx, *row.InstanceID)
	if db.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	b.History = append(b.History, store.HistoryEntry{InstanceID: m.ID, Entry: rollout.Entry{
		Machine: m.MachineID, State: m.State, Version: cmp.Or(m.OfferVersion, m.Version), Detail: text,
	}})
	return nil
}

// Events returns what readers of the group and the machine are notified of.
func Events(row *db.RebootSlot) []event.Event {
	all := []event.Event{{Kind: event.GroupChanged, App: row.ApplicationID, Group: row.GroupID}}
	if row.InstanceID != nil {
		all = append(all, event.Event{Kind: event.MachineChanged, App: row.ApplicationID, Group: row.GroupID, Instance: *row.InstanceID})
	}
	return all
}

func distinct(ids []uuid.UUID) []uuid.UUID {
	slices.SortFunc(ids, func(a, b uuid.UUID) int { return slices.Compare(a[:], b[:]) })
	return slices.Compact(ids)
}
