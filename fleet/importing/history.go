package importing

import (
	"context"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
	"github.com/coreroller/coreroller/store/foreign"
)

const (
	// rowsAtOnce caps the journal rows of one transaction, which are in memory.
	rowsAtOnce = 5000
	// maxOfMachine limits the attempts of one machine that are in memory.
	maxOfMachine = 10_000
)

// rolloutKey names a rollout that existed there only implicitly.
type rolloutKey struct {
	group   uuid.UUID
	version string
}

// rollout returns the rollout of a group and a version there. It is not the current one
// of the group: that one begins with the import.
func (i *Importer) rollout(group, release uuid.UUID, version rollout.Version, at time.Time) *store.ImportedRollout {
	key := rolloutKey{group, version.String()}
	r := i.rollouts[key]
	if r == nil {
		id := store.ImportedID(time.Time{}, "rollout", group.String(), version.String())
		if release == uuid.Nil {
			release = store.ImportedID(time.Time{}, "package", group.String(), version.String())
		}
		r = &store.ImportedRollout{GroupID: group, Rollout: rollout.Rollout{
			ID: rollout.ID(id), Package: rollout.ID(release), Version: version, Salt: id.String(), State: rollout.RolloutSuperseded,
			CreatedAt: at, StartedAt: at, WaveAt: at, EndedAt: at, ProgressAt: at, Failing: []string{},
		}, ReplacedAt: at}
		i.rollouts[key] = r
	}
	if at.Before(r.CreatedAt) {
		r.CreatedAt, r.StartedAt, r.WaveAt = at, at, at
	}
	if at.After(r.EndedAt) {
		r.EndedAt, r.ProgressAt, r.ReplacedAt = at, at, at
	}
	return r
}

// walker turns the history of machines into entries and attempts.
type walker struct {
	i     *Importer
	app   *application
	here  *existing
	r     *Report
	out   store.Imported
	saved store.SavedImport

	machine string
	code    string          // of the last failed event
	runs    rollout.Version // after the last completed update
	open    *store.ImportedAttempt
	key     rolloutKey              // of open
	ended   []store.ImportedAttempt // of the machine
}

func (i *Importer) writeHistory(ctx context.Context, app *application, here *existing, r *Report) error {
	w := &walker{i: i, app: app, here: here, r: r}
	err := i.source.History(ctx, app.ID, i.since, func(l foreign.Line) error {
		if l.Machine != w.machine {
			w.endMachine()
			w.machine = l.Machine
			if err := w.flush(ctx, rowsAtOnce); err != nil {
				return err
			}
		}
		w.add(l)
		return w.flush(ctx, 2*rowsAtOnce)
	})
	if err != nil {
		return err
	}
	w.endMachine()
	if err := w.flush(ctx, 1); err != nil {
		return err
	}
	r.count(KindHistory).New += int(w.saved.History)
	r.count(KindAttempts).New += int(w.saved.Attempts)
	return i.countRollouts(ctx, here)
}

// flush writes what has gathered if it is at least a number of rows.
func (w *walker) flush(ctx context.Context, least int) error {
	if len(w.out.History)+len(w.out.Attempts) < least {
		return nil
	}
	err := w.i.store.Write(ctx, w.i.now(), func(tx *store.Tx) error {
		saved, err := tx.SaveImported(ctx, &w.out)
		w.saved.History, w.saved.Attempts = w.saved.History+saved.History, w.saved.Attempts+saved.Attempts
		return err
	})
	w.out = store.Imported{}
	return err
}

func (w *walker) add(l foreign.Line) {
	if w.i.refused(l.Machine) != "" {
		return
	}
	if l.Event {
		w.code = l.ErrorCode
		return
	}
	state := rollout.StateNone
	if l.Status > 0 && l.Status <= int(rollout.StateOnHold) {
		state = rollout.State(l.Status)
	}
	version, _ := rollout.ParseVersion(l.Version)
	entry := store.ImportedEntry{ID: w.id("history", l), At: l.At}
	entry.InstanceID, entry.State, entry.Version, entry.Detail = store.InstanceID(w.app.ID, l.Machine), state, version.String(), "imported"
	if state == rollout.StateError {
		entry.Code = rollout.ReduceCode(w.code)
	}
	w.out.History = append(w.out.History, entry)
	w.step(l, state, version)
}

func (w *walker) id(what string, l foreign.Line) uuid.UUID {
	return store.ImportedID(l.At, what, w.app.ID.String(), l.Machine, strconv.FormatInt(l.ID, 10))
}

// step follows the attempts of the machine.
func (w *walker) step(l foreign.Line, state rollout.State, version rollout.Version) {
	switch state {
	case rollout.StateGranted:
		if w.open != nil && w.open.Attempt.Version == version {
			return // it was offered again
		}
		w.end(rollout.OutcomeInterrupted, 0, l.At)
		if w.here.groups[l.GroupID] == nil || version.IsZero() {
			return
		}
		w.begin(l, version)
	case rollout.StateDownloading, rollout.StateDownloaded, rollout.StateInstalled:
		w.reach(state, l.At)
	case rollout.StateComplete:
		w.end(rollout.OutcomeSucceeded, 0, l.At)
		w.runs = version
	case rollout.StateError:
		w.end(rollout.OutcomeFailed, rollout.ReduceCode(w.code), l.At)
		w.code = ""
	case rollout.StateUndefined, rollout.StateOnHold:
		w.end(rollout.OutcomeInterrupted, 0, l.At)
	}
}

func (w *walker) begin(l foreign.Line, version rollout.Version) {
	var release uuid.UUID
	for _, p := range w.here.packages {
		if p.Version == version.String() && p.Arch == w.here.groups[l.GroupID].Arch {
			release = p.ID
		}
	}
	r := w.i.rollout(l.GroupID, release, version, l.At)
	w.key = rolloutKey{l.GroupID, version.String()}
	w.open = &store.ImportedAttempt{ID: w.id("attempt", l), InstanceID: store.InstanceID(w.app.ID, l.Machine)}
	w.open.Machine, w.open.From = l.Machine, w.runs
	w.open.Attempt = rollout.Attempt{Rollout: r.ID, Package: r.Package, Version: version, GrantedAt: l.At, Number: 1}
}

// reach notes a stage and those before it, whose events may be lost.
func (w *walker) reach(state rollout.State, at time.Time) {
	if w.open == nil {
		return
	}
	a := &w.open.Attempt
	set := func(to *time.Time) {
		if to.IsZero() {
			*to = at
		}
	}
	set(&a.DownloadingAt)
	if state != rollout.StateDownloading {
		set(&a.DownloadedAt)
	}
	if state == rollout.StateInstalled {
		set(&a.InstalledAt)
	}
}

func (w *walker) end(o rollout.Outcome, code int, at time.Time) {
	if w.open == nil {
		return
	}
	if o.Success() {
		w.reach(rollout.StateInstalled, at)
	}
	w.open.Outcome, w.open.Code, w.open.EndedAt = o, code, at
	if r := w.i.rollouts[w.key]; r != nil && at.After(r.EndedAt) {
		r.EndedAt, r.ProgressAt, r.ReplacedAt = at, at, at
	}
	w.ended = append(w.ended, *w.open)
	w.open = nil
	if len(w.ended) >= maxOfMachine {
		w.keep()
	}
}

// endMachine ends the attempt that is open after the last line, unless the machine is in
// the middle of it: then it is part of the machine.
func (w *walker) endMachine() {
	if w.open != nil && !w.i.open[w.open.InstanceID] {
		last := w.open.Attempt.GrantedAt
		for _, at := range []time.Time{w.open.Attempt.DownloadingAt, w.open.Attempt.DownloadedAt, w.open.Attempt.InstalledAt} {
			if at.After(last) {
				last = at
			}
		}
		w.end(rollout.OutcomeInterrupted, 0, last)
	}
	w.keep()
	w.open, w.code, w.runs = nil, "", rollout.Version{}
}

// keep marks the results that a later one in the same rollout replaces.
func (w *walker) keep() {
	seen := map[rollout.ID]bool{}
	for k := len(w.ended) - 1; k >= 0; k-- {
		a := &w.ended[k]
		if a.Outcome.Success() || a.Outcome.Failure() {
			a.Replaced = seen[a.Attempt.Rollout]
			seen[a.Attempt.Rollout] = true
		}
	}
	w.out.Attempts, w.ended = append(w.out.Attempts, w.ended...), nil
}

// countRollouts writes the rollouts of an application with their counters.
func (i *Importer) countRollouts(ctx context.Context, here *existing) error {
	var all []store.ImportedRollout
	var ids, groups []uuid.UUID
	for key, r := range i.rollouts {
		if here.groups[key.group] != nil {
			all, ids, groups = append(all, *r), append(ids, uuid.UUID(r.ID)), append(groups, key.group)
		}
	}
	if len(all) == 0 {
		return nil
	}
	return i.store.Write(ctx, i.now(), func(tx *store.Tx) error {
		if _, err := tx.LockGroups(ctx, groups); err != nil {
			return err
		}
		if _, err := tx.SaveImported(ctx, &store.Imported{Rollouts: all}); err != nil {
			return err
		}
		return tx.CountImported(ctx, ids)
	})
}
