package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/rollout"
)

// ErrAgain says that another process was in the way and the same work must be
// done once more from its beginning, on fresh rows.
var ErrAgain = errors.New("overtaken by another process: try again")

// The parts of a machine's row, and what changes them. The first is in every
// statement.
const (
	partSeen     parts = 1 << iota // every check
	partState                      // steps of an update, and holds
	partAttempt                    // steps of an update
	partWords                      // other words of the machine, another group
	partTroubles                   // failures, and what a person decided
	partFixed                      // nothing

	partsAdded = partSeen | partState | partWords | partFixed // what every new machine has
	partsStep  = partSeen | partState | partAttempt           // what steps of an update change
)

// machineColumns are the columns of instances in the order of appendMachine and
// scanMachine, a line for each part.
var machineColumns = []column{
	{"id", asID}, {"last_seen_at", asTime}, {"decided_at", asTime}, {"decision_until", asTime},

	{"version", asText}, {"state", asNumber}, {"standing", asNumber}, {"reason", asText}, {"decision", asText}, {"state_changed_at", asTime},

	{"granted_at", asTime}, {"lease_until", asTime}, {"downloading_at", asTime}, {"downloaded_at", asTime}, {"installed_at", asTime},
	{"offer_rollout_id", asID}, {"offer_package_id", asID}, {"offer_version", asText}, {"offer_wave", asNumber}, {"offer_epoch", asNumber}, {"attempt", asNumber},
	{"last_offer_version", asText}, {"last_granted_at", asTime},

	{"group_id", asID}, {"alias", asText}, {"machine_alias", asText}, {"address", asText}, {"arch", asText},
	{"oem", asText}, {"oem_version", asText}, {"aleph_version", asText}, {"moved", asTruth},

	{"failed_version", asText}, {"failures", asNumber}, {"quarantined_version", asText},
	{"override", asNumber}, {"override_version", asText}, {"override_until", asTime}, {"override_by", asText}, {"override_reason", asText},

	{"application_id", asID}, {"machine_id", asText}, {"created_at", asTime},
}

// machineParts is where the lines of machineColumns begin.
var machineParts = []int{0, 4, 10, 23, 32, 40}

var (
	instances = &table{name: "instances", columns: machineColumns, begin: machineParts,
		sets: []parts{partsStep, allParts &^ partFixed, partsAdded}, conflict: "ON CONFLICT (id) DO NOTHING"}
	// lastSeen is instances with nothing but its first two columns.
	lastSeen = &table{name: "instances", columns: machineColumns[:2]}

	selectMachines = "SELECT " + instances.names(instances.used(allParts), "") + " FROM instances "
)

func appendMachine(to cells, m *Machine) cells {
	a := &m.Attempt
	return append(to,
		inID(m.InstanceID), inTime(m.LastSeenAt), inTime(m.DecidedAt), inTime(m.DecisionUntil),

		inText(m.Version.String()), inNumber(m.State), inNumber(m.Standing), inText(m.Reason.String()), inText(m.Decision), inTime(m.StateChangedAt),

		inTime(a.GrantedAt), inTime(a.LeaseUntil), inTime(a.DownloadingAt), inTime(a.DownloadedAt), inTime(a.InstalledAt),
		inID(uuid.UUID(a.Rollout)), inID(uuid.UUID(a.Package)), inText(a.Version.String()), inNumber(a.Wave), inNumber(a.Epoch), inNumber(a.Number),
		inText(m.LastOfferVersion), inTime(m.LastGrantedAt),

		inID(m.GroupID), inText(m.Alias), inText(m.MachineAlias), inText(m.Address), inText(m.Arch),
		inText(m.OEM), inText(m.OEMVersion), inText(m.AlephVersion), inTruth(m.Moved),

		inText(m.FailedVersion.String()), inNumber(m.Failures), inText(m.QuarantinedVersion.String()),
		inNumber(m.Override.Kind), inText(m.Override.Version.String()), inTime(m.Override.Until), inText(m.Override.By), inText(m.Override.Reason),

		inID(m.ApplicationID), inText(m.ID), inTime(m.CreatedAt),
	)
}

func scanMachine(rows *sql.Rows) (*Machine, error) {
	var (
		m                                                     Machine
		version, reason, offered, failed, quarantined, pinned string
		rolloutID, packageID                                  uuid.UUID
	)
	a := &m.Attempt
	err := rows.Scan(
		&m.InstanceID, nullTime{&m.LastSeenAt}, nullTime{&m.DecidedAt}, nullTime{&m.DecisionUntil},
		&version, &m.State, &m.Standing, &reason, &m.Decision, nullTime{&m.StateChangedAt},
		nullTime{&a.GrantedAt}, nullTime{&a.LeaseUntil}, nullTime{&a.DownloadingAt}, nullTime{&a.DownloadedAt}, nullTime{&a.InstalledAt},
		nullID{&rolloutID}, nullID{&packageID}, &offered, &a.Wave, &a.Epoch, &a.Number, &m.LastOfferVersion, nullTime{&m.LastGrantedAt},
		nullID{&m.GroupID}, &m.Alias, &m.MachineAlias, &m.Address, &m.Arch, &m.OEM, &m.OEMVersion, &m.AlephVersion, &m.Moved,
		&failed, &m.Failures, &quarantined,
		&m.Override.Kind, &pinned, nullTime{&m.Override.Until}, &m.Override.By, &m.Override.Reason,
		&m.ApplicationID, &m.ID, nullTime{&m.CreatedAt},
	)
	if err != nil {
		return nil, fmt.Errorf("read machine: %w", err)
	}
	m.Version, _ = rollout.ParseVersion(version) // "" is no version
	m.Reason = rollout.ParseReason(reason)
	a.Rollout, a.Package = rollout.ID(rolloutID), rollout.ID(packageID)
	a.Version, _ = rollout.ParseVersion(offered)
	m.FailedVersion, _ = rollout.ParseVersion(failed)
	m.QuarantinedVersion, _ = rollout.ParseVersion(quarantined)
	m.Override.Version, _ = rollout.ParseVersion(pinned)
	was := m
	m.was = &was
	return &m, nil
}

// Machines reads the rows of the given instances, by id; unknown ones are
// absent, and those of recent are as they were written. The caller holds the
// locks of the groups whose machines it changes; the rows of machines without a
// group are locked here.
func (tx *Tx) Machines(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*Machine, error) {
	found := make(map[uuid.UUID]*Machine, len(ids))
	if ids = tx.store.recent.find(tx.locked, ids, found); len(ids) == 0 {
		return found, nil
	}
	all, err := tx.machines(ctx, selectMachines+"WHERE id @in", tx.store.list(ids))
	if err != nil {
		return nil, err
	}
	var stray []uuid.UUID
	for _, m := range all {
		if m.GroupID == uuid.Nil {
			stray = append(stray, m.InstanceID)
		}
	}
	if len(stray) > 0 {
		locked, err := tx.machines(ctx, selectMachines+"WHERE id @in ORDER BY id @lock", tx.store.list(stray))
		if err != nil {
			return nil, err
		}
		all = append(all, locked...) // as they are now
	}
	for _, m := range all {
		found[m.InstanceID] = m
	}
	return found, nil
}

// DueLeases reads machines of a group whose lease ended at or before now, the
// oldest first, at most limit.
func (tx *Tx) DueLeases(ctx context.Context, group uuid.UUID, now time.Time, limit int) ([]*Machine, error) {
	if tx.store.postgres() { // how many leases ended says whether the index is walked in their order
		if _, err := tx.sql.ExecContext(ctx, "SET LOCAL plan_cache_mode = force_custom_plan"); err != nil {
			return nil, fmt.Errorf("read leases: %w", err)
		}
	}
	return tx.machines(ctx, selectMachines+"WHERE group_id = ? AND lease_until IS NOT NULL AND lease_until <= ? ORDER BY lease_until LIMIT ?",
		group.String(), now.UTC(), limit)
}

// Walk reads machines in the order of their ids, those after a given one.
func (s *Store) Walk(ctx context.Context, after uuid.UUID, limit int) ([]*Machine, error) {
	rows, err := s.readers.QueryContext(ctx, s.q(selectMachines+"WHERE id > ? ORDER BY id LIMIT ?"), after.String(), limit)
	if err != nil {
		return nil, fmt.Errorf("walk machines: %w", err)
	}
	return scanMachines(rows)
}

// FirstLease is the earliest end of a lease of a group after a moment, zero when
// none runs.
func (tx *Tx) FirstLease(ctx context.Context, group uuid.UUID, after time.Time) (first time.Time, err error) {
	rows, err := tx.query(ctx, "SELECT lease_until FROM instances WHERE group_id = ? AND lease_until IS NOT NULL AND lease_until > ? ORDER BY lease_until LIMIT 1",
		group.String(), after.UTC())
	if err != nil {
		return first, fmt.Errorf("read leases: %w", err)
	}
	defer rows.Close()
	if rows.Next() {
		err = rows.Scan(nullTime{&first})
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

// machineChanges are the new machines and those that changed. It notes which
// are quiet.
func machineChanges(machines []*Machine) (added, known change) {
	added = change{table: instances, parts: partsAdded}
	known = change{table: instances, parts: partSeen, known: true}
	width := len(machineColumns)
	blank, was := make(cells, width), make(cells, 0, width)
	fresh := 0
	for _, m := range machines {
		if m.was == nil {
			fresh++
		}
	}
	added.rows, known.rows = make(cells, 0, fresh*width), make(cells, 0, (len(machines)-fresh)*width)
	for _, m := range machines {
		if m.was == nil {
			added.rows = appendMachine(added.rows, m)
			added.parts |= instances.touched(added.rows[len(added.rows)-width:], blank)
			continue
		}
		known.rows, was = appendMachine(known.rows, m), appendMachine(was[:0], m.was)
		touched := instances.touched(known.rows[len(known.rows)-width:], was)
		m.quiet = touched&^partSeen == 0
		if touched == 0 {
			known.rows = known.rows[:len(known.rows)-width]
		}
		known.parts |= touched &^ partFixed
	}
	return added, known
}

// overtook compares the first of what was written with the machines there were.
func overtook(written []int64, machines ...change) error {
	for i, c := range machines {
		if written[i] != int64(len(c.rows)/len(machineColumns)) {
			return ErrAgain // registered or deleted by another process since it was looked up
		}
	}
	return nil
}
