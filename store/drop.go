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

// DropApplication deletes rows of an application whose deleted_at is set, in at most
// the given number of small transactions, so that the check-ins of others go on
// between them. It reports whether the application is gone; else call it again, also
// in another process.
func (s *Store) DropApplication(ctx context.Context, now time.Time, id uuid.UUID, transactions int) (gone bool, err error) {
	for ; transactions > 0 && !gone && err == nil; transactions-- {
		err = s.Write(ctx, now, func(tx *Tx) error {
			gone, err = tx.drop(ctx, id)
			return err
		})
	}
	if err != nil {
		return false, fmt.Errorf("delete application %s: %w", id, err)
	}
	return gone, nil
}

// drop deletes some rows, children first, and at the end the application.
func (tx *Tx) drop(ctx context.Context, id uuid.UUID) (gone bool, err error) {
	machines, err := tx.machinesToDrop(ctx, id)
	if err != nil {
		return false, err
	}
	if len(machines) > 0 {
		return false, tx.dropMachines(ctx, machines)
	}
	for _, table := range []string{"stat_points", "pace_points"} {
		if more, err := tx.dropSome(ctx, table, "group_id IN (SELECT id FROM groups WHERE application_id = ?)", id.String()); more || err != nil {
			return false, err
		}
	}
	// The rest is as large as the configuration.
	_, err = tx.sql.Change(ctx, "DELETE FROM applications WHERE id = ? AND deleted_at IS NOT NULL", id.String())
	return true, err
}

func (tx *Tx) machinesToDrop(ctx context.Context, app uuid.UUID) ([]uuid.UUID, error) {
	text := "SELECT id FROM instances WHERE application_id = ? AND EXISTS (SELECT 1 FROM applications WHERE id = ? AND deleted_at IS NOT NULL) LIMIT " + strconv.Itoa(dropMachines)
	rows, err := tx.sql.QueryContext(ctx, tx.sql.SQL(text), app.String(), app.String())
	if err != nil {
		return nil, err
	}
	return ids(rows)
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
