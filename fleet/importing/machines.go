package importing

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/change"
	"github.com/coreroller/coreroller/fleet/checkin"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
	"github.com/coreroller/coreroller/store/foreign"
)

const (
	// machinesAtOnce caps the machines of one transaction, so that it locks a group briefly.
	machinesAtOnce = 1000
	// maxMachineID is the longest id of a machine, in bytes, as for check-ins.
	maxMachineID = 128
)

// arrival is a machine there in the form that is stored here.
type arrival struct {
	*foreign.Machine
	instance uuid.UUID
	group    uuid.UUID // zero: none, or not taken
	version  rollout.Version
	state    rollout.State
	attempt  rollout.Attempt // its rollout and package are not set
}

// refused returns why a machine is not taken, "" if it is.
func (i *Importer) refused(id string) string {
	switch {
	case id == "" || len(id) > maxMachineID || line(id, maxMachineID) == "":
		return "its id is empty, too long, or has characters that are not visible"
	case isSyncer(id) && !i.options.Syncers:
		return "it is a server that copies packages, by its id in braces; --with-syncers takes it"
	}
	return ""
}

// eachBatch calls f with the machines of an application that are taken.
func (i *Importer) eachBatch(ctx context.Context, app *application, r *Report, f func([]arrival) error) error {
	for after := ""; ; {
		rows, err := i.source.Machines(ctx, app.ID, after, machinesAtOnce)
		if err != nil || len(rows) == 0 {
			return err
		}
		after = rows[len(rows)-1].ID
		all := make([]arrival, 0, len(rows))
		for k := range rows {
			if why := i.refused(rows[k].ID); why != "" {
				r.drop(KindMachines, rows[k].ID, app.Name, "%s", why)
				continue
			}
			all = append(all, i.arrive(app, &rows[k]))
		}
		if err := f(all); err != nil {
			return err
		}
	}
}

// arrive maps one machine.
func (i *Importer) arrive(app *application, m *foreign.Machine) arrival {
	a := arrival{Machine: m, instance: store.InstanceID(app.ID, m.ID), group: m.GroupID}
	a.version, _ = rollout.ParseVersion(m.Version)
	if m.Status >= int(rollout.StateNone) && m.Status <= int(rollout.StateOnHold) {
		a.state = rollout.State(m.Status)
	}
	if !a.state.InFlight() {
		return a
	}
	offered, ok := rollout.ParseVersion(m.LastVersion)
	if !m.InProgress || !ok || m.GroupID == uuid.Nil {
		a.state = rollout.StateUndefined
		return a
	}
	granted := m.LastGrantedAt
	if granted.IsZero() {
		granted = m.LastCheckAt
	}
	a.attempt = rollout.Attempt{Version: offered, GrantedAt: granted.UTC()}
	seen := m.LastCheckAt
	if seen.Before(granted) {
		seen = granted.UTC()
	}
	for _, stage := range []struct {
		at      *time.Time
		reached bool
	}{
		{&a.attempt.DownloadingAt, a.state != rollout.StateGranted},
		{&a.attempt.DownloadedAt, a.state == rollout.StateDownloaded || a.state == rollout.StateInstalled},
		{&a.attempt.InstalledAt, a.state == rollout.StateInstalled},
	} {
		if stage.reached {
			*stage.at = seen // when it was is not known
		}
	}
	return a
}

// fate compares a machine with that here, nil for none.
func (a *arrival) fate(m *store.Machine) fate {
	switch {
	case m == nil:
		return fateNew
	case m.LastSeenAt.After(a.LastCheckAt):
		return fateSame // it has come here since
	case m.LastSeenAt.Equal(a.LastCheckAt) && m.Version == a.version && m.State == a.state && m.Attempt.Open() == a.attempt.Open() &&
		m.Attempt.Version == a.attempt.Version && (m.GroupID == a.group || m.Moved || a.group == uuid.Nil):
		return fateSame
	}
	return fateChanged
}

func (i *Importer) planMachines(ctx context.Context, app *application, exists bool) error {
	return i.eachBatch(ctx, app, i.plan, func(all []arrival) error {
		if !exists {
			i.plan.count(KindMachines).New += len(all)
			return nil
		}
		return i.store.View(ctx, i.now(), func(tx *store.Tx) error {
			here, err := tx.Machines(ctx, instances(all))
			for k := range all {
				i.plan.count(KindMachines).add(all[k].fate(here[all[k].instance]))
			}
			return err
		})
	})
}

func instances(all []arrival) []uuid.UUID {
	ids := make([]uuid.UUID, len(all))
	for k := range all {
		ids[k] = all[k].instance
	}
	return ids
}

func (i *Importer) writeMachines(ctx context.Context, app *application, here *existing, r *Report) error {
	groups := make([]uuid.UUID, 0, len(here.groups))
	for id := range here.groups {
		groups = append(groups, id)
	}
	v := change.Verb{Name: "import", By: i.by, App: app.ID, Groups: groups, Object: "application", ID: app.ID, Part: true}
	return i.eachBatch(ctx, app, r, func(all []arrival) error {
		var counts Count
		err := i.changes.Operate(ctx, v, func(c *change.Change) error {
			counts = Count{}
			return i.writeBatch(c, app, here, all, &counts)
		})
		n := r.count(KindMachines)
		n.New, n.Changed, n.Same = n.New+counts.New, n.Changed+counts.Changed, n.Same+counts.Same
		return err
	})
}

func (i *Importer) writeBatch(c *change.Change, app *application, here *existing, all []arrival, counts *Count) error {
	known, err := c.Tx.Machines(c.Ctx, instances(all))
	if err != nil {
		return err
	}
	joining := map[*catalog.Group][]joiner{}
	needed := map[rollout.ID]store.ImportedRollout{}
	for k := range all {
		a := &all[k]
		if a.attempt.Open() {
			i.open[a.instance] = true
		}
		m := known[a.instance]
		f := a.fate(m)
		counts.add(f)
		if !f.writes() {
			continue
		}
		if m == nil {
			m = &store.Machine{InstanceID: a.instance, ApplicationID: app.ID, Reported: store.Reported{Arch: "amd64"}}
			m.ID, m.FirstSeenAt = a.ID, a.CreatedAt
		}
		to := c.Config.Group(a.group)
		from := c.Config.Group(m.GroupID)
		if from != nil && (m.Moved || to == nil) {
			to = from
		}
		if from != nil && to != from {
			if err := c.Run(from, func(w *rollout.World, fx *rollout.Effects) {
				w.Adopt(&m.Machine, rollout.Adopted{Version: m.Version}, c.Now, fx)
				w.Leave(&m.Machine)
				m.Reason = rollout.ReasonNone
			}); err != nil {
				return err
			}
		}
		if r := i.describe(a, m, to, here); r != nil {
			needed[r.ID] = *r
		}
		c.Batch.Machines = append(c.Batch.Machines, m)
		if to == nil {
			m.Version, m.State, m.GroupID = a.version, a.state, uuid.Nil
			m.Orphan()
			continue
		}
		joining[to] = append(joining[to], joiner{a, m})
	}
	if _, err := c.Tx.SaveImported(c.Ctx, &store.Imported{Rollouts: slices.Collect(maps.Values(needed))}); err != nil {
		return err
	}
	for to, machines := range joining {
		if err := join(c, to, machines); err != nil {
			return err
		}
	}
	return nil
}

// joiner is a machine that a group adopts.
type joiner struct {
	a *arrival
	m *store.Machine
}

func join(c *change.Change, to *catalog.Group, machines []joiner) error {
	return c.Run(to, func(w *rollout.World, fx *rollout.Effects) {
		for _, j := range machines {
			w.Adopt(&j.m.Machine, rollout.Adopted{
				Version: j.a.version, State: j.a.state, Attempt: j.a.attempt, Silent: c.Now.Sub(j.a.LastCheckAt) > checkin.SilentAfter,
			}, c.Now, fx)
			j.m.GroupID, j.m.Arch = to.ID, to.Arch
		}
	})
}

// describe sets what the engine does not. It returns the rollout of an open attempt that
// is not the current one of the group.
func (i *Importer) describe(a *arrival, m *store.Machine, to *catalog.Group, here *existing) *store.ImportedRollout {
	if m.Alias == "" {
		m.Alias = line(a.Alias, 200)
	}
	if text := address(a.Address); text != "" {
		m.Address = text
	}
	m.OEM, m.AlephVersion = line(a.OEM, 200), line(a.AlephVersion, 200)
	if m.State != a.state || m.New() {
		m.StateChangedAt = a.LastCheckAt
	}
	m.LastSeenAt = a.LastCheckAt
	if offered, ok := rollout.ParseVersion(a.LastVersion); ok && !a.LastGrantedAt.IsZero() {
		m.LastOfferVersion, m.LastGrantedAt = offered.String(), a.LastGrantedAt
	}
	if !a.attempt.Open() {
		return nil
	}
	offered := here.offer(a.attempt.Version.String(), to)
	if offered == nil {
		a.attempt, a.state = rollout.Attempt{}, rollout.StateUndefined
		return nil
	}
	r := i.rollout(to.ID, offered.ID, a.attempt.Version, a.attempt.GrantedAt)
	a.attempt.Rollout, a.attempt.Package = r.ID, rollout.ID(offered.ID)
	return r
}

// offer returns the package that a machine of a group was offered, nil if it is not here.
func (e *existing) offer(version string, to *catalog.Group) *pkg {
	if to == nil {
		return nil
	}
	for _, p := range e.packages {
		if p.Version == version && p.Arch == to.Arch {
			return p
		}
	}
	return nil
}
