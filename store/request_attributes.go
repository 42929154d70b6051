package store

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db/application"
)

// DropRequestAttributes deletes the labels of request attributes that applications no
// longer name, in at most the given number of small transactions. A machine that checks
// in loses its own before.
func (s *Store) DropRequestAttributes(ctx context.Context, now time.Time, transactions int) error {
	apps, err := s.Reader().Application.Query().Where(application.RemovedRequestAttributesNEQ(""), application.DeletedAtIsNil()).IDs(ctx)
	if err != nil {
		return fmt.Errorf("list removed request attributes: %w", err)
	}
	for _, id := range apps {
		for done := false; !done; transactions-- {
			if transactions == 0 {
				return nil
			}
			err := s.Write(ctx, now, func(tx *Tx) (err error) {
				done, err = tx.dropRequestAttributes(ctx, id)
				return err
			})
			if err != nil {
				return fmt.Errorf("delete removed request attributes: %w", err)
			}
		}
	}
	return nil
}

// dropRequestAttributes deletes some rows of the first name that an application has
// removed, and reports whether none is left. The lock of the application's row keeps
// people from adding the name again meanwhile.
func (tx *Tx) dropRequestAttributes(ctx context.Context, app uuid.UUID) (done bool, err error) {
	if _, err := tx.sql.Change(ctx, "UPDATE applications SET removed_request_attributes = removed_request_attributes WHERE id = ?", app.String()); err != nil {
		return false, err
	}
	row, err := tx.Client().Application.Get(ctx, app)
	if err != nil {
		return false, err
	}
	if row.RemovedRequestAttributes == "" {
		return true, nil
	}
	name, further, _ := strings.Cut(row.RemovedRequestAttributes, ",")
	result, err := tx.sql.Change(ctx, "DELETE FROM machine_labels WHERE id IN (SELECT id FROM machine_labels WHERE application_id = ? AND name = ? AND sent LIMIT "+strconv.Itoa(dropRows)+")",
		app.String(), name)
	if err != nil {
		return false, err
	}
	if n, err := result.RowsAffected(); n >= dropRows || err != nil {
		return false, err
	}
	_, err = tx.sql.Change(ctx, "UPDATE applications SET removed_request_attributes = ? WHERE id = ?", further, app.String())
	return further == "", err
}
