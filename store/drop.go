package store

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db/application"
	"github.com/coreroller/coreroller/ent/db/group"
	"github.com/coreroller/coreroller/ent/db/pacepoint"
	"github.com/coreroller/coreroller/ent/db/statpoint"
	"github.com/coreroller/coreroller/store/migrations"
)

// The rows that one transaction of a deletion deletes. Check-ins of all applications
// wait for it on SQLite.
const (
	dropMachines = 200
	dropRows     = 2_000
)

// DroppedApplications lists the applications that are deleted but still have rows.
func (s *Store) DroppedApplications(ctx context.Context) ([]uuid.UUID, error) {
	ids, err := s.Reader().Application.Query().Where(application.DeletedAtNotNil()).IDs(ctx)
	if err != nil {
		return nil, fmt.Errorf("list deleted applications: %w", err)
	}
	return ids, nil
}

// DroppedGroups lists the groups that are deleted but still have machines or rows.
func (s *Store) DroppedGroups(ctx context.Context) ([]uuid.UUID, error) {
	ids, err := s.Reader().Group.Query().Where(group.DeletedAtNotNil()).IDs(ctx)
	if err != nil {
		return nil, fmt.Errorf("list deleted groups: %w", err)
	}
	return ids, nil
}

// DropApplication deletes rows of an application whose deleted_at is set, in at most
// the given number of small transactions, so that the check-ins of others go on
// between them. It reports whether the application is gone; else call it again, also
// in another process.
func (s *Store) DropApplication(ctx context.Context, now time.Time, id uuid.UUID, transactions int) (gone bool, err error) {
	return s.drop(ctx, now, application.Table, id, transactions, (*Tx).dropApplication)
}

// DropGroup is DropApplication for a group. Its machines stay, without a group.
func (s *Store) DropGroup(ctx context.Context, now time.Time, id uuid.UUID, transactions int) (gone bool, err error) {
	return s.drop(ctx, now, group.Table, id, transactions, (*Tx).dropGroup)
}

// drop repeats step, which reports whether nothing but the row of the table and what
// is as small as the configuration is left, and then deletes that.
func (s *Store) drop(ctx context.Context, now time.Time, table string, id uuid.UUID, transactions int, step func(*Tx, context.Context, uuid.UUID) (bool, error)) (gone bool, err error) {
	for ; transactions > 0 && !gone && err == nil; transactions-- {
		err = s.Write(ctx, now, func(tx *Tx) error {
			var deleted bool
			row := tx.sql.QueryRowContext(ctx, tx.sql.SQL("SELECT EXISTS (SELECT 1 FROM "+table+" WHERE id = ? AND deleted_at IS NOT NULL)"), id.String())
			if err := row.Scan(&deleted); err != nil || !deleted {
				gone = true
				return err
			}
			var err error
			if gone, err = step(tx, ctx, id); err != nil || !gone {
				return err
			}
			_, err = tx.sql.Change(ctx, "DELETE FROM "+table+" WHERE id = ?", id.String())
			return err
		})
	}
	if err != nil {
		return false, fmt.Errorf("delete a row of %s, %s: %w", table, id, err)
	}
	return gone, nil
}

// dropApplication deletes some rows, children first.
func (tx *Tx) dropApplication(ctx context.Context, id uuid.UUID) (done bool, err error) {
	rows, err := tx.sql.QueryContext(ctx, tx.sql.SQL("SELECT id FROM instances WHERE application_id = ? LIMIT "+strconv.Itoa(dropMachines)), id.String())
	if err != nil {
		return false, err
	}
	machines, err := ids(rows)
	if err != nil {
		return false, err
	}
	if len(machines) > 0 {
		return false, tx.dropMachines(ctx, machines)
	}
	return tx.dropPoints(ctx, "group_id IN (SELECT id FROM groups WHERE application_id = ?)", id)
}

// dropGroup takes some machines out of a group, then deletes some rows.
func (tx *Tx) dropGroup(ctx context.Context, id uuid.UUID) (done bool, err error) {
	// The first condition holds even if a machine was moved meanwhile.
	const leave = "UPDATE instances SET group_id = NULL WHERE group_id = ? AND id IN (SELECT id FROM instances WHERE group_id = ? LIMIT @most)"
	result, err := tx.sql.Change(ctx, strings.Replace(leave, "@most", strconv.Itoa(dropMachines), 1), id.String(), id.String())
	if err != nil {
		return false, err
	}
	if n, err := result.RowsAffected(); n > 0 || err != nil {
		return false, err
	}
	return tx.dropPoints(ctx, "group_id = ?", id)
}

// dropMachines deletes machines once their journals are empty.
func (tx *Tx) dropMachines(ctx context.Context, machines []uuid.UUID) error {
	list := tx.sql.List(machines)
	for _, table := range migrations.Journals() {
		if more, err := tx.dropSome(ctx, table, "instance_id @in", list); more || err != nil {
			return err
		}
	}
	_, err := tx.sql.Change(ctx, "DELETE FROM instances WHERE id @in", list)
	return err
}

// dropPoints deletes some statistics of groups.
func (tx *Tx) dropPoints(ctx context.Context, where string, id uuid.UUID) (done bool, err error) {
	for _, table := range []string{statpoint.Table, pacepoint.Table} {
		if more, err := tx.dropSome(ctx, table, where, id.String()); more || err != nil {
			return false, err
		}
	}
	return true, nil
}

// dropSome deletes up to dropRows rows of a table and reports whether there may be
// more.
func (tx *Tx) dropSome(ctx context.Context, table, where string, arg any) (more bool, err error) {
	text := strings.NewReplacer("@table", table, "@where", where, "@rows", strconv.Itoa(dropRows)).
		Replace("DELETE FROM @table WHERE id IN (SELECT id FROM @table WHERE @where LIMIT @rows)")
	result, err := tx.sql.Change(ctx, text, arg)
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	return n >= dropRows, err
}

// ids reads one column of ids and closes the rows.
func ids(rows *sql.Rows) ([]uuid.UUID, error) {
	defer rows.Close()
	var all []uuid.UUID
	for rows.Next() {
		var id uuid.UUID
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		all = append(all, id)
	}
	return all, rows.Err()
}
