package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"coreroller/rollout"
)

// ErrAgain says that another process was in the way and the same work must be
// done once more from its beginning, on fresh rows.
var ErrAgain = errors.New("overtaken by another process: try again")

// machineColumns are the columns of instances in the order of machineRow and
// scanMachine. The first four never change.
var machineColumns = []column{
	{"id", asID}, {"application_id", asID}, {"machine_id", asText}, {"created_at", asTime},
	{"group_id", asID}, {"alias", asText}, {"machine_alias", asText}, {"address", asText}, {"arch", asText},
	{"oem", asText}, {"oem_version", asText}, {"aleph_version", asText},
	{"version", asText}, {"state", asNumber}, {"standing", asNumber},
	{"reason", asText}, {"decision", asText}, {"decided_at", asTime}, {"decision_until", asTime},
	{"last_seen_at", asTime}, {"state_changed_at", asTime},
	{"granted_at", asTime}, {"lease_until", asTime}, {"downloading_at", asTime}, {"downloaded_at", asTime}, {"installed_at", asTime},
	{"offer_rollout_id", asID}, {"offer_package_id", asID}, {"offer_version", asText}, {"offer_wave", asNumber}, {"offer_epoch", asNumber}, {"attempt", asNumber},
	{"last_offer_version", asText}, {"last_granted_at", asTime},
	{"failed_version", asText}, {"failures", asNumber}, {"quarantined_version", asText},
	{"override", asNumber}, {"override_version", asText}, {"override_until", asTime}, {"override_by", asText}, {"override_reason", asText},
	{"moved", asTruth},
}

// fixedColumns is how many columns after the id are written once.
const fixedColumns = 3

var (
	newMachines = &table{name: "instances", columns: machineColumns, conflict: "ON CONFLICT (id) DO NOTHING"}
	oldMachines = &table{name: "instances", columns: append([]column{{"id", asID}}, machineColumns[1+fixedColumns:]...)}

	lastSeen = &table{name: "instances", columns: []column{{"id", asID}, {"last_seen_at", asTime}}}

	selectMachines = "SELECT " + names(machineColumns) + " FROM instances "
)

func machineRow(m *Machine) []any {
	a := &m.Attempt
	return []any{
		m.InstanceID, m.ApplicationID, m.ID, m.CreatedAt,
		m.GroupID, m.Alias, m.MachineAlias, m.Address, m.Arch,
		m.OEM, m.OEMVersion, m.AlephVersion,
		m.Version.String(), int64(m.State), int64(m.Standing),
		m.Reason.String(), m.Decision, m.DecidedAt, m.DecisionUntil,
		m.LastSeenAt, m.StateChangedAt,
		a.GrantedAt, a.LeaseUntil, a.DownloadingAt, a.DownloadedAt, a.InstalledAt,
		uuid.UUID(a.Rollout), uuid.UUID(a.Package), a.Version.String(), int64(a.Wave), int64(a.Epoch), int64(a.Number),
		m.LastOfferVersion, m.LastGrantedAt,
		m.FailedVersion.String(), int64(m.Failures), m.QuarantinedVersion.String(),
		int64(m.Override.Kind), m.Override.Version.String(), m.Override.Until, m.Override.By, m.Override.Reason,
		m.Moved,
	}
}

func scanMachine(rows *sql.Rows) (*Machine, error) {
	var (
		m                                                     Machine
		version, reason, offered, failed, quarantined, pinned string
		rolloutID, packageID                                  uuid.UUID
	)
	a := &m.Attempt
	err := rows.Scan(
		&m.InstanceID, &m.ApplicationID, &m.ID, nullTime{&m.CreatedAt},
		nullID{&m.GroupID}, &m.Alias, &m.MachineAlias, &m.Address, &m.Arch,
		&m.OEM, &m.OEMVersion, &m.AlephVersion,
		&version, &m.State, &m.Standing,
		&reason, &m.Decision, nullTime{&m.DecidedAt}, nullTime{&m.DecisionUntil},
		nullTime{&m.LastSeenAt}, nullTime{&m.StateChangedAt},
		nullTime{&a.GrantedAt}, nullTime{&a.LeaseUntil}, nullTime{&a.DownloadingAt}, nullTime{&a.DownloadedAt}, nullTime{&a.InstalledAt},
		nullID{&rolloutID}, nullID{&packageID}, &offered, &a.Wave, &a.Epoch, &a.Number,
		&m.LastOfferVersion, nullTime{&m.LastGrantedAt},
		&failed, &m.Failures, &quarantined,
		&m.Override.Kind, &pinned, nullTime{&m.Override.Until}, &m.Override.By, &m.Override.Reason,
		&m.Moved,
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
// absent. Rows are locked in the order of their ids.
func (tx *Tx) Machines(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*Machine, error) {
	found := make(map[uuid.UUID]*Machine, len(ids))
	if len(ids) == 0 {
		return found, nil
	}
	all, err := tx.machines(ctx, selectMachines+"WHERE id @in ORDER BY id @lock", tx.store.list(ids))
	for _, m := range all {
		found[m.InstanceID] = m
	}
	return found, err
}

// DueLeases reads machines of a group whose lease ended at or before now, the
// oldest first, at most limit.
func (tx *Tx) DueLeases(ctx context.Context, group uuid.UUID, now time.Time, limit int) ([]*Machine, error) {
	return tx.machines(ctx, selectMachines+"WHERE group_id = ? AND lease_until IS NOT NULL AND lease_until <= ? ORDER BY lease_until LIMIT ? @lock",
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

// saveMachines writes the machines that changed.
func (tx *Tx) saveMachines(ctx context.Context, machines []*Machine) error {
	var added, changed [][]any
	for _, m := range machines {
		row := machineRow(m)
		if m.was == nil {
			added = append(added, row)
		} else if !sameRow(row, machineRow(m.was)) {
			changed = append(changed, append(row[:1:1], row[1+fixedColumns:]...))
		}
	}
	n, err := tx.insert(ctx, newMachines, added)
	if err != nil {
		return err
	}
	if n != int64(len(added)) {
		return ErrAgain // registered by another process since it was looked up
	}
	if n, err = tx.update(ctx, oldMachines, changed); err != nil {
		return err
	}
	if n != int64(len(changed)) {
		return ErrAgain // deleted since it was read
	}
	return nil
}

func sameRow(a, b []any) bool {
	for i := range a {
		if t, ok := a[i].(time.Time); ok {
			if !t.Equal(b[i].(time.Time)) {
				return false
			}
		} else if a[i] != b[i] {
			return false
		}
	}
	return true
}

// TouchMachines sets when machines were last seen, unless they were seen later
// meanwhile.
func (s *Store) TouchMachines(ctx context.Context, seen map[uuid.UUID]time.Time) error {
	if len(seen) == 0 {
		return nil
	}
	return s.Write(ctx, time.Time{}, func(tx *Tx) error {
		if !s.postgres() {
			stmt, err := tx.prepared(ctx, "UPDATE instances SET last_seen_at = ? WHERE id = ? AND last_seen_at < ?")
			if err != nil {
				return err
			}
			defer stmt.Close()
			for id, at := range seen {
				if _, err := stmt.ExecContext(ctx, at.UTC(), id.String(), at.UTC()); err != nil {
					return fmt.Errorf("touch machines: %w", err)
				}
			}
			return nil
		}
		ids := make([]uuid.UUID, 0, len(seen))
		rows := make([][]any, 0, len(seen))
		for id, at := range seen {
			ids, rows = append(ids, id), append(rows, []any{id, at})
		}
		// Locked in the order of ids, as every other writer does.
		if _, err := tx.exec(ctx, "SELECT 1 FROM instances WHERE id @in ORDER BY id @lock", s.list(ids)); err != nil {
			return fmt.Errorf("lock machines: %w", err)
		}
		_, err := tx.bulk(ctx, rows, lastSeen, "UPDATE instances SET last_seen_at = r.last_seen_at FROM (",
			") AS r WHERE instances.id = r.id AND instances.last_seen_at < r.last_seen_at")
		return err
	})
}
