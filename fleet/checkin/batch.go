package checkin

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/membership"
	"github.com/coreroller/coreroller/fleet/pace"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
)

// batch is the working set of one transaction of the lane. Everything in it was
// read under the locks of its groups.
type batch struct {
	s        *Service
	ctx      context.Context
	tx       *store.Tx
	now      time.Time
	read     time.Time // when machines were read last: no right time in their rows is later
	apps     map[uuid.UUID]*catalog.App
	states   map[uuid.UUID]*store.GroupState
	worlds   map[uuid.UUID]*rollout.World
	effects  map[uuid.UUID]*rollout.Effects
	machines map[uuid.UUID]*store.Machine
	labels   map[uuid.UUID][]*db.MachineLabel // of machines for which expressions are evaluated
	peaks    map[uuid.UUID]int                // most in flight of each group, after any call
	out      store.Batch
	seq      uint64
}

// dueLimit caps the expired leases handled per group and batch. Leases left for
// the next batch still count as in flight.
const dueLimit = 500

// process decides a batch of check-ins in one transaction: lock the groups, reload
// a stale configuration, read the machines, run the engine on each check-in in
// turn, write the differences. It returns the calls that need further locks.
func (s *Service) process(ctx context.Context, tx *store.Tx, calls []*call) (again []*call, err error) {
	b := s.newBatch(ctx, tx)
	var groups, machines []uuid.UUID
	for _, c := range calls {
		groups, machines = append(append(groups, c.group.ID), c.also...), append(machines, c.instance)
	}
	if err := b.lock(distinct(groups)); err != nil {
		return nil, err
	}
	if b.machines, err = tx.Machines(ctx, distinct(machines)); err != nil {
		return nil, err
	}
	b.read = s.now()
	if err := b.readLabels(calls); err != nil {
		return nil, err
	}
	for id := range b.states {
		if err := b.settle(id); err != nil {
			return nil, err
		}
	}
	for _, c := range calls {
		done, err := b.apply(c)
		if err != nil {
			return nil, err
		}
		if !done {
			again = append(again, c)
		}
	}
	err = b.save(calls)
	if err == nil {
		s.counts.batch.note(float64(len(calls) - len(again)))
	}
	return again, err
}

func (s *Service) newBatch(ctx context.Context, tx *store.Tx) *batch {
	return &batch{s: s, ctx: ctx, tx: tx, now: tx.Now(), seq: s.batches.Add(1),
		apps: map[uuid.UUID]*catalog.App{}, states: map[uuid.UUID]*store.GroupState{},
		worlds: map[uuid.UUID]*rollout.World{}, effects: map[uuid.UUID]*rollout.Effects{},
		peaks: map[uuid.UUID]int{}}
}

// lock locks the groups and reloads each application whose ledgers were changed
// under a newer configuration than the catalog's.
func (b *batch) lock(groups []uuid.UUID) error {
	states, err := b.tx.LockGroups(b.ctx, groups)
	if err != nil {
		return err
	}
	snapshot := b.s.catalog.Catalog()
	for _, st := range states {
		app := b.apps[st.ApplicationID]
		if app == nil {
			app = snapshot.App(st.ApplicationID)
		}
		if app == nil || app.Revision < st.ConfigRevision {
			if app, err = catalog.LoadApp(b.ctx, b.tx.Client(), st.ApplicationID); err != nil {
				return fmt.Errorf("reload application: %w", err)
			}
			b.s.catalog.Put(st.ApplicationID, app)
		}
		b.apps[st.ApplicationID] = app
		if g := app.Group(st.GroupID); g != nil {
			fx := &rollout.Effects{}
			w := g.World(st, b.s.now(), fx)
			b.states[st.GroupID], b.worlds[st.GroupID], b.effects[st.GroupID] = st, &w, fx
			b.peaks[st.GroupID] = st.Ledger.InFlight
		}
	}
	return nil
}

// settle ends the leases of a group that expired and counts its wave, where due.
func (b *batch) settle(group uuid.UUID) error {
	if err := b.expire(group); err != nil {
		return err
	}
	w := b.worlds[group]
	if !w.RosterDue(b.now) {
		return nil
	}
	all, err := b.tx.Roster(b.ctx, group)
	if err != nil {
		return err
	}
	w.CountWave(all, b.now, b.effects[group])
	return nil
}

// expire ends the expired leases of a group, so that the check-ins of this batch
// find their slots free.
func (b *batch) expire(group uuid.UUID) error {
	st := b.states[group]
	if st.NextLeaseAt.IsZero() || b.now.Before(st.NextLeaseAt) {
		return nil
	}
	w := b.worlds[group]
	var err error
	if w.Outages, w.Unserved, err = b.tx.Serving(b.ctx); err != nil || w.Unserved {
		return err
	}
	due, err := b.tx.DueLeases(b.ctx, group, b.now, dueLimit)
	if err != nil {
		return err
	}
	b.read = b.s.now()
	for _, m := range due {
		if known := b.machines[m.InstanceID]; known != nil {
			m = known // the same row is already in this batch
		} else {
			b.machines[m.InstanceID] = m
		}
		state := m.State
		w.RepairMachine(&m.Machine, b.read, b.effects[group])
		w.Expire(&m.Machine, b.now, b.effects[group])
		b.stamp(m, state)
	}
	if len(due) == dueLimit {
		return nil
	}
	st.NextLeaseAt, err = b.tx.FirstLease(b.ctx, group, b.now)
	return err
}

// apply decides one check-in. It returns false when a further group must be
// locked first; the next transaction does that.
func (b *batch) apply(c *call) (done bool, err error) {
	c.answer, c.after, c.view, c.choice, c.noRoom = Answer{}, nil, nil, membership.Choice{}, false // reset an earlier try
	m := b.machines[c.instance]
	group, verdict := b.resolve(c, m)
	if verdict != catalog.VerdictOK {
		c.answer = Answer{Verdict: verdict}
		return true, nil
	}
	if group == nil {
		return false, nil
	}
	if verdict := b.identify(c, m, group); verdict != catalog.VerdictOK {
		c.answer = Answer{Verdict: verdict}
		return true, nil
	}
	before, events := describedBy(m), c.in.Events
	if m == nil {
		if !c.in.Ping && !c.in.UpdateCheck && !slices.ContainsFunc(c.in.Events, rollout.Event.Idle) {
			return true, nil // other events of an unknown machine are acknowledged and dropped
		}
		if c.noRoom = !c.admitted && b.s.disk.RefusesMachines(); c.noRoom {
			return true, nil
		}
		if c.admitted = c.admitted || b.s.newcomers.Admit(&b.s.quotas, c.in.Address, group.ID, b.now); !c.admitted {
			c.answer = Answer{PollInterval: group.Schedule.Policy().PollInterval, Refused: true}
			return true, nil
		}
		m = b.register(c, group)
	} else if w := b.worlds[m.GroupID]; w == nil { // its group was deleted
		if m.Attempt.Open() {
			b.settleAlone(c, m, group)
			events = nil
		}
		b.move(m, group)
	} else {
		w.RepairMachine(&m.Machine, b.read, b.effects[m.GroupID])
	}
	state := m.State
	c.in.describe(m, b.apps[m.ApplicationID])
	if c.enrolls() && !m.Enrolled {
		w := b.worlds[m.GroupID]
		w.Enroll(&m.Machine, "the secret "+strconv.Quote(c.secret.Name), "", b.effects[m.GroupID])
	}
	// What the machine reports belongs to the group that granted its update. Only
	// then it moves.
	b.report(b.worlds[m.GroupID], b.effects[m.GroupID], c, m, events)
	switch {
	case m.GroupID == group.ID:
	case m.MoveTo == group.ID && m.Attempt.Open():
		group = b.apps[m.ApplicationID].Group(m.GroupID)
	default:
		b.move(m, group)
		b.noteMove(m, group, c)
		b.worlds[group.ID].Observe(&m.Machine, c.version, c.in.UpdateCheck, b.now, b.effects[group.ID])
	}
	w, fx := b.worlds[group.ID], b.effects[group.ID]
	if b.apps[m.ApplicationID].Group(m.MoveTo) == nil {
		m.MoveTo = uuid.Nil // that group was deleted
	}
	b.noteChoice(c, m, b.apps[m.ApplicationID])
	b.selectWave(c, m, b.apps[m.ApplicationID])
	if c.in.Ping || c.in.UpdateCheck {
		w.Ping(&m.Machine, b.now)
	}
	c.answer = Answer{PollInterval: group.Schedule.Policy().PollInterval}
	if c.in.UpdateCheck {
		d := w.Check(&m.Machine, c.in.Check, b.now, fx)
		c.answer.Decision = d
		decided(m, &d, b.now)
		if d.Reason == rollout.ReasonGranted {
			b.peaks[group.ID] = max(b.peaks[group.ID], w.Ledger.InFlight)
			c.answer.Offers = []catalog.Offer{*group.Offers[d.Offer.ID]}
		}
	}
	b.stamp(m, state)
	c.after = m
	return true, b.bound(m, before)
}

// settleAlone applies a check-in to an update that a deleted group granted. Its rollout is
// gone, so only the machine, its history and the activity change.
func (b *batch) settleAlone(c *call, m *store.Machine, to *catalog.Group) {
	fx := &rollout.Effects{}
	b.report(b.worlds[to.ID].Alone(), fx, c, m, c.in.Events)
	m.LastAttemptID = uuid.Nil
	kept := b.effects[to.ID]
	kept.History, kept.Activities = append(kept.History, fx.History...), append(kept.Activities, fx.Activities...)
}

// report applies the version and the events of a check-in.
func (b *batch) report(w *rollout.World, fx *rollout.Effects, c *call, m *store.Machine, events []rollout.Event) {
	w.Observe(&m.Machine, c.version, c.in.UpdateCheck, b.now, fx)
	for _, e := range events {
		entries := len(fx.History)
		w.Report(&m.Machine, e, b.now, fx)
		if len(fx.History) == entries {
			remark(&m.Machine, e, fx)
		}
	}
}

// remark adds an event without effect to the machine's history: an error outside an
// attempt, or an event that the engine does not know. Events that come with every
// update or check are not added.
func remark(m *rollout.Machine, e rollout.Event, fx *rollout.Effects) {
	detail := fmt.Sprintf("reported event %d with result %d", e.Type, e.Result)
	switch [2]int{e.Type, e.Result} {
	case [2]int{13, 1}, [2]int{14, 1}, [2]int{800, 1}, [2]int{3, 1}, [2]int{3, 2}, [2]int{3, 9}:
		return
	case [2]int{3, 0}:
		detail = "reported outside of an attempt: " + rollout.DescribeCode(e.Code)
	}
	fx.History = append(fx.History, rollout.Entry{
		Machine: m.ID, State: m.State, Version: m.Version.String(), Code: e.Code, Detail: detail,
	})
}

// resolve finds the group of a check-in in the locked configuration: the group a
// person moved the machine to, else the group it names. A nil group with
// VerdictOK means that a further group must be locked.
func (b *batch) resolve(c *call, m *store.Machine) (*catalog.Group, catalog.Verdict) {
	app := b.apps[c.group.App.ID]
	named := app.Group(c.group.ID)
	if named == nil || named.Track != c.group.Track || named.Arch != c.group.Arch || !slices.Equal(named.Aliases, c.group.Aliases) {
		// The configuration changed after CheckIn resolved the group.
		found, verdict := b.s.catalog.Catalog().Find(c.in.AppID, c.in.Track, catalog.Arch(c.in.Board, c.in.Arch))
		if verdict != catalog.VerdictOK {
			return nil, verdict
		}
		if c.group = found; app.SelectLabels() {
			return nil, catalog.VerdictOK // the labels are read again
		}
	}
	c.outdated = m == nil || c.outdates(m, app)
	id, was := uuid.Nil, uuid.Nil
	if m != nil {
		was = m.GroupID
		switch {
		case m.MoveTo != uuid.Nil && app.Group(m.MoveTo) != nil:
			id = m.MoveTo
		case m.Moved && app.Group(was) != nil:
			id = was
		}
	}
	if id == uuid.Nil {
		id = b.choose(c, m, app)
	}
	for _, need := range []uuid.UUID{id, was} {
		if need != uuid.Nil && b.states[need] == nil && !slices.Contains(c.also, need) {
			c.also = append(c.also, need)
			return nil, catalog.VerdictOK
		}
	}
	if b.states[id] == nil {
		return nil, catalog.VerdictUnknownGroup // locked above, so the group was deleted
	}
	return b.apps[b.states[id].ApplicationID].Group(id), catalog.VerdictOK
}

func (b *batch) register(c *call, g *catalog.Group) *store.Machine {
	m := &store.Machine{
		InstanceID: c.instance, ApplicationID: g.App.ID, GroupID: g.ID, Reported: store.Reported{Arch: g.Arch},
		StateChangedAt: b.now,
	}
	m.ID, m.Version, m.FirstSeenAt = c.in.Machine, c.version, b.now
	b.worlds[g.ID].Join(&m.Machine)
	b.machines[m.InstanceID] = m
	return m
}

// move takes a machine from its group to another one.
func (b *batch) move(m *store.Machine, to *catalog.Group) {
	if w := b.worlds[m.GroupID]; w != nil {
		w.Depart(&m.Machine, b.now, b.effects[m.GroupID])
	} else {
		m.Orphan()
	}
	m.GroupID, m.MoveTo, m.Arch, m.SelectedWave = to.ID, uuid.Nil, to.Arch, 0
	b.worlds[to.ID].Join(&m.Machine)
}

// describe stores the machine's attributes.
func (in *CheckIn) describe(m *store.Machine, app *catalog.App) {
	if in.UpdateCheck {
		m.RequestAttributes = in.requestText(app)
		m.VersionPrefix, m.UpdatesDisabled = in.Prefix, in.Disabled
	}
	if in.Address != "" {
		m.Address = in.Address
	}
	for _, f := range []struct {
		sent *string
		kept *string
	}{{in.Alias, &m.MachineAlias}, {in.OEM, &m.OEM}, {in.OEMVersion, &m.OEMVersion}, {in.AlephVersion, &m.AlephVersion}} {
		if f.sent != nil {
			*f.kept = clean(*f.sent)
		}
	}
}

// decided stores a decision with the machine.
func decided(m *store.Machine, d *rollout.Decision, now time.Time) {
	m.Decision, m.DecidedAt, m.DecisionUntil = d.Detail(), now, d.Until
	if d.Reason == rollout.ReasonGranted && !d.Again {
		m.LastOfferVersion, m.LastGrantedAt = d.Offer.Version.String(), now
	}
}

// stamp sets the time of a state change.
func (b *batch) stamp(m *store.Machine, before rollout.State) {
	if m.State != before {
		m.StateChangedAt = b.now
	}
}

// save writes the batch and gives each call a view of its group.
func (b *batch) save(calls []*call) error {
	views := map[uuid.UUID]*view{}
	for _, id := range sortedKeys(b.states) {
		st, w := b.states[id], b.worlds[id]
		g := b.apps[st.ApplicationID].Group(id)
		g.Keep(w, st)
		written, active := len(b.out.History), len(b.out.Activities)
		g.Journal(&b.out, b.effects[id], "")
		var plan *historyPlan
		if calls != nil { // what the server does itself is not limited
			var kept []store.HistoryEntry
			kept, plan = b.s.histories.plan(b.out.History[written:], b.changes, b.s.quotas.HistoryPerMachine, b.now)
			b.out.History = b.out.History[:written+len(kept)]
			b.out.Activities = append(b.out.Activities[:active], plan.activities(b.out.Activities[active:])...)
		}
		b.out.Groups = append(b.out.Groups, st)
		p := pace.Of(g, &w.Ledger, b.now) // grants only increase within a batch
		p.InFlight = b.peaks[id]
		// The world can be shared: the engine never writes into a slice it holds.
		views[id] = &view{group: g, world: *w, at: b.now, seq: b.seq, meter: b.s.meters.Of(id), pace: p, history: plan}
	}
	for _, id := range sortedKeys(b.machines) {
		b.out.Machines = append(b.out.Machines, b.machines[id])
		b.relabel(b.machines[id])
	}
	for _, c := range calls {
		if c.after != nil {
			c.view = views[c.after.GroupID]
		}
	}
	return b.tx.Save(b.ctx, &b.out)
}

// changes reports whether an entry says more than the machine's row before this batch.
func (b *batch) changes(e store.HistoryEntry) bool {
	m := b.machines[e.InstanceID]
	return m == nil || m.ChangedFrom(e.State, e.Reason)
}

func distinct(ids []uuid.UUID) []uuid.UUID {
	slices.SortFunc(ids, func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) })
	return slices.Compact(ids)
}

func sortedNames[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func sortedKeys[V any](m map[uuid.UUID]V) []uuid.UUID {
	return slices.SortedFunc(maps.Keys(m), func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) })
}
