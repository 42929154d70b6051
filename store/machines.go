package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store/bulk"
	"github.com/coreroller/coreroller/store/statement"
)

// The parts of a machine's row and what changes them. Every statement writes
// partSeen.
const (
	partSeen     bulk.Parts = 1 << iota // every check
	partState                           // steps of an update, and holds
	partAttempt                         // steps of an update
	partAbout                           // what the machine reports about itself; a move to another group
	partFailures                        // failures and overrides
	partResult                          // the end of an attempt
	partFixed                           // never changed

	partsAdded = partSeen | partState | partAbout | partFixed // non-empty in every new machine
	partsStep  = partSeen | partState | partAttempt           // changed by the steps of an update
	partsEnd   = partsStep | partResult                       // changed by its end
)

// instances has its columns in the order of appendMachine and scanMachine, one
// argument for each part.
var instances = bulk.NewTable("instances", "ON CONFLICT (id) DO NOTHING",
	`id id, last_seen_at time, decided_at time, decision_until time`,

	`version text, state number, standing number, reason text, decision text, state_changed_at time`,

	`granted_at time, lease_until time, lease_extended number, session text, reboot_overdue bool, downloading_at time, downloaded_at time, installed_at time,
	offer_rollout_id id, offer_package_id id, offer_version text, offer_leaves text, offer_wave number, offer_epoch number, attempt number,
	last_offer_version text, last_granted_at time`,

	`group_id id, alias text, machine_alias text, address text, arch text,
	oem text, oem_version text, aleph_version text, request_attributes text, version_prefix text, updates_disabled bool, enrolled bool, moved bool, move_to id, home_group_id id, selectors number, selected_wave number`,

	`failed_version text, failures number, quarantined_version text, interrupted_version text, interruptions number, deferred_rollout_id id, withdrawn_at time,
	override number, override_version text, override_until time, override_by text, override_reason text`,

	`last_attempt_id id, last_rollout_id id, last_version text, last_from text, last_wave number, last_epoch number,
	last_stage number, last_outcome number, last_code number, last_proof bool, last_oem text, last_address_block text`,

	`application_id id, machine_id text, created_at time`,
).WithSets(partsStep, partsEnd, bulk.AllParts&^partFixed, partsAdded)

var selectMachines = "SELECT " + instances.Columns() + " FROM instances "

func appendMachine(to []bulk.Value, m *Machine) []bulk.Value {
	a, last := &m.Attempt, &m.Last
	return append(to,
		bulk.ID(m.InstanceID), bulk.Time(m.LastSeenAt), bulk.Time(m.DecidedAt), bulk.Time(m.DecisionUntil),

		bulk.Text(m.Version.String()), bulk.Number(m.State), bulk.Number(m.Standing), bulk.Text(m.Reason.String()), bulk.Text(m.Decision), bulk.Time(m.StateChangedAt),

		bulk.Time(a.GrantedAt), bulk.Time(a.LeaseUntil), bulk.Number(a.Extended), bulk.Text(a.Session), bulk.Bool(a.RebootOverdue), bulk.Time(a.DownloadingAt), bulk.Time(a.DownloadedAt), bulk.Time(a.InstalledAt),
		bulk.ID(uuid.UUID(a.Rollout)), bulk.ID(uuid.UUID(a.Package)), bulk.Text(a.Version.String()), bulk.Text(a.Leaves.String()), bulk.Number(a.Wave), bulk.Number(a.Epoch), bulk.Number(a.Number),
		bulk.Text(m.LastOfferVersion), bulk.Time(m.LastGrantedAt),

		bulk.ID(m.GroupID), bulk.Text(m.Alias), bulk.Text(m.MachineAlias), bulk.Text(m.Address), bulk.Text(m.Arch),
		bulk.Text(m.OEM), bulk.Text(m.OEMVersion), bulk.Text(m.AlephVersion), bulk.Text(m.RequestAttributes), bulk.Text(m.VersionPrefix), bulk.Bool(m.UpdatesDisabled), bulk.Bool(m.Enrolled), bulk.Bool(m.Moved), bulk.ID(m.MoveTo), bulk.ID(m.HomeGroup), bulk.Number(m.Selectors), bulk.Number(m.SelectedWave),

		bulk.Text(m.FailedVersion.String()), bulk.Number(m.Failures), bulk.Text(m.QuarantinedVersion.String()), bulk.Text(m.InterruptedVersion.String()), bulk.Number(m.Interruptions), bulk.ID(uuid.UUID(m.Deferred)), bulk.Time(m.WithdrawnAt),
		bulk.Number(m.Override.Kind), bulk.Text(m.Override.Version.String()), bulk.Time(m.Override.Until), bulk.Text(m.Override.By), bulk.Text(m.Override.Reason),

		bulk.ID(m.LastAttemptID), bulk.ID(uuid.UUID(last.Rollout)), bulk.Text(last.Version.String()), bulk.Text(last.From.String()), bulk.Number(last.Wave), bulk.Number(last.Epoch),
		bulk.Number(last.Stage), bulk.Number(last.Outcome), bulk.Number(last.Code), bulk.Bool(last.Proof), bulk.Text(m.LastTraits.OEM), bulk.Text(m.LastTraits.AddressBlock),

		bulk.ID(m.ApplicationID), bulk.Text(m.ID), bulk.Time(m.FirstSeenAt),
	)
}

func scanMachine(rows *sql.Rows) (*Machine, error) {
	var (
		m                                                                                      Machine
		version, reason, offered, leaves, failed, quarantined, interrupted, pinned, last, from string
		rolloutID, packageID, lastRollout, deferred                                            uuid.UUID
	)
	a, r := &m.Attempt, &m.Last
	err := rows.Scan(
		&m.InstanceID, statement.Time(&m.LastSeenAt), statement.Time(&m.DecidedAt), statement.Time(&m.DecisionUntil),
		&version, &m.State, &m.Standing, &reason, &m.Decision, statement.Time(&m.StateChangedAt),
		statement.Time(&a.GrantedAt), statement.Time(&a.LeaseUntil), &a.Extended, &a.Session, &a.RebootOverdue, statement.Time(&a.DownloadingAt), statement.Time(&a.DownloadedAt), statement.Time(&a.InstalledAt),
		statement.ID(&rolloutID), statement.ID(&packageID), &offered, &leaves, &a.Wave, &a.Epoch, &a.Number, &m.LastOfferVersion, statement.Time(&m.LastGrantedAt),
		statement.ID(&m.GroupID), &m.Alias, &m.MachineAlias, &m.Address, &m.Arch, &m.OEM, &m.OEMVersion, &m.AlephVersion, &m.RequestAttributes, &m.VersionPrefix, &m.UpdatesDisabled, &m.Enrolled, &m.Moved, statement.ID(&m.MoveTo), statement.ID(&m.HomeGroup), &m.Selectors, &m.SelectedWave,
		&failed, &m.Failures, &quarantined, &interrupted, &m.Interruptions, statement.ID(&deferred), statement.Time(&m.WithdrawnAt),
		&m.Override.Kind, &pinned, statement.Time(&m.Override.Until), &m.Override.By, &m.Override.Reason,
		statement.ID(&m.LastAttemptID), statement.ID(&lastRollout), &last, &from, &r.Wave, &r.Epoch, &r.Stage, &r.Outcome, &r.Code, &r.Proof, &m.LastTraits.OEM, &m.LastTraits.AddressBlock,
		&m.ApplicationID, &m.ID, statement.Time(&m.FirstSeenAt),
	)
	if err != nil {
		return nil, fmt.Errorf("read machine: %w", err)
	}
	m.Version, _ = rollout.ParseVersion(version) // "" is the zero version
	m.Reason = rollout.ParseReason(reason)
	a.Rollout, a.Package = rollout.ID(rolloutID), rollout.ID(packageID)
	a.Version, _ = rollout.ParseVersion(offered)
	a.Leaves, _ = rollout.ParseVersion(leaves)
	m.FailedVersion, _ = rollout.ParseVersion(failed)
	m.QuarantinedVersion, _ = rollout.ParseVersion(quarantined)
	m.InterruptedVersion, _ = rollout.ParseVersion(interrupted)
	m.Deferred = rollout.ID(deferred)
	m.Override.Version, _ = rollout.ParseVersion(pinned)
	r.Rollout = rollout.ID(lastRollout)
	r.Version, _ = rollout.ParseVersion(last)
	r.From, _ = rollout.ParseVersion(from)
	was := m
	m.was = &was
	return &m, nil
}

// Machines returns machines by their instance id, without those that do not
// exist. Rows that this process wrote last come from memory (recentRows). The
// caller holds the locks of the groups whose machines it changes. The rows of
// machines without a group are locked here.
func (tx *Tx) Machines(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*Machine, error) {
	found := make(map[uuid.UUID]*Machine, len(ids))
	if ids = tx.store.recent.find(tx.locked, ids, found); len(ids) == 0 {
		return found, nil
	}
	all, err := tx.machines(ctx, selectMachines+"WHERE id @in", tx.sql.List(ids))
	if err != nil {
		return nil, err
	}
	var groupless []uuid.UUID
	for _, m := range all {
		if m.GroupID == uuid.Nil {
			groupless = append(groupless, m.InstanceID)
		}
	}
	if len(groupless) > 0 {
		locked, err := tx.machines(ctx, selectMachines+"WHERE id @in ORDER BY id @lock", tx.sql.List(groupless))
		if err != nil {
			return nil, err
		}
		all = append(all, locked...) // replaces what was read before the lock
	}
	for _, m := range all {
		found[m.InstanceID] = m
	}
	return found, nil
}

// DueLeases returns at most limit machines of a group whose lease expired at or
// before now, oldest first.
func (tx *Tx) DueLeases(ctx context.Context, group uuid.UUID, now time.Time, limit int) ([]*Machine, error) {
	if tx.sql.Postgres() { // the best plan depends on how many leases match
		if _, err := tx.sql.ExecContext(ctx, "SET LOCAL plan_cache_mode = force_custom_plan"); err != nil {
			return nil, fmt.Errorf("read leases: %w", err)
		}
	}
	return tx.machines(ctx, selectMachines+"WHERE group_id = ? AND lease_until IS NOT NULL AND lease_until <= ? ORDER BY lease_until LIMIT ?",
		group.String(), now.UTC(), limit)
}

// LateLeases returns at most limit machines of a group whose lease ends after a given
// time, latest first.
func (tx *Tx) LateLeases(ctx context.Context, group uuid.UUID, after time.Time, limit int) ([]*Machine, error) {
	return tx.machines(ctx, selectMachines+"WHERE group_id = ? AND lease_until IS NOT NULL AND lease_until > ? ORDER BY lease_until DESC LIMIT ?",
		group.String(), after.UTC(), limit)
}

// Walk returns at most limit machines in the order of their instance ids, after a
// given id.
func (s *Store) Walk(ctx context.Context, after uuid.UUID, limit int) ([]*Machine, error) {
	rows, err := s.readers.QueryContext(ctx, s.readers.SQL(selectMachines+"WHERE id > ? ORDER BY id LIMIT ?"), after.String(), limit)
	if err != nil {
		return nil, fmt.Errorf("walk machines: %w", err)
	}
	return scanMachines(rows)
}

// FirstLease returns when the first lease of a group expires after a given time,
// zero if none is open.
func (tx *Tx) FirstLease(ctx context.Context, group uuid.UUID, after time.Time) (first time.Time, err error) {
	rows, err := tx.query(ctx, "SELECT lease_until FROM instances WHERE group_id = ? AND lease_until IS NOT NULL AND lease_until > ? ORDER BY lease_until LIMIT 1",
		group.String(), after.UTC())
	if err != nil {
		return first, fmt.Errorf("read leases: %w", err)
	}
	defer rows.Close()
	if rows.Next() {
		err = rows.Scan(statement.Time(&first))
	}
	return first, errors.Join(err, rows.Err())
}

func (tx *Tx) machines(ctx context.Context, text string, args ...any) ([]*Machine, error) {
	rows, err := tx.query(ctx, text, args...)
	if err != nil {
		return nil, fmt.Errorf("read machines: %w", err)
	}
	return scanMachines(rows)
}

func scanMachines(rows *sql.Rows) (all []*Machine, err error) {
	defer rows.Close()
	for rows.Next() {
		m, err := scanMachine(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	return all, rows.Err()
}

// machineChanges returns the new and the changed machines. It sets quiet.
func machineChanges(machines []*Machine) (added, updated bulk.Change) {
	added = bulk.Change{Table: instances, Parts: partsAdded}
	updated = bulk.Change{Table: instances, Parts: partSeen, Update: true}
	width := instances.Width()
	empty, was := make([]bulk.Value, width), make([]bulk.Value, 0, width)
	fresh := 0
	for _, m := range machines {
		if m.was == nil {
			fresh++
		}
	}
	added.Rows, updated.Rows = make([]bulk.Value, 0, fresh*width), make([]bulk.Value, 0, (len(machines)-fresh)*width)
	for _, m := range machines {
		if m.was == nil {
			added.Rows = appendMachine(added.Rows, m)
			added.Parts |= instances.Changed(added.Rows[len(added.Rows)-width:], empty)
			continue
		}
		updated.Rows, was = appendMachine(updated.Rows, m), appendMachine(was[:0], m.was)
		changed := instances.Changed(updated.Rows[len(updated.Rows)-width:], was)
		m.quiet = changed&^partSeen == 0
		if changed == 0 {
			updated.Rows = updated.Rows[:len(updated.Rows)-width]
		}
		updated.Parts |= changed &^ partFixed
	}
	return added, updated
}

// checkWritten returns ErrRetry if fewer machines were written than there are:
// another process registered or deleted one since it was read.
func checkWritten(written []int64, machines ...bulk.Change) error {
	for i := range machines {
		if written[i] != int64(machines[i].Count()) {
			return ErrRetry
		}
	}
	return nil
}
