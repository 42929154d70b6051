package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/application"
	"github.com/coreroller/coreroller/ent/db/group"
	"github.com/coreroller/coreroller/event"
	"github.com/coreroller/coreroller/store/bulk"
	"github.com/coreroller/coreroller/store/statement"
)

// Tx is an open transaction. It is used by one goroutine.
type Tx struct {
	store  *Store
	sql    *statement.Tx
	now    time.Time
	client *db.Client
	events []event.Event
	locked []*GroupState
	saved  *Batch
	audits []*db.Audit // written before the commit
}

// Now is the time of the transaction, UTC, in whole microseconds.
func (tx *Tx) Now() time.Time { return tx.now }

// Client is an ent client in the transaction. It may write.
func (tx *Tx) Client() *db.Client {
	if tx.client == nil {
		name := dialect.SQLite
		if tx.sql.Postgres() {
			name = dialect.Postgres
		}
		tx.client = db.NewClient(db.Driver(txDriver{entsql.NewDriver(name, entsql.Conn{ExecQuerier: tx.sql.Tx})}))
	}
	return tx.client
}

// query runs a prepared statement that returns rows.
func (tx *Tx) query(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	return tx.sql.Run(ctx, text, args...)
}

// write writes rows of several tables, see bulk.Writer.
func (tx *Tx) write(ctx context.Context, changes ...bulk.Change) (written []int64, err error) {
	return tx.store.bulk.Write(ctx, tx.sql, changes...)
}

// txDriver is the transaction as a driver of ent. When ent begins a transaction
// it gets this one, whose end is left to the store.
type txDriver struct{ *entsql.Driver }

func (d txDriver) Tx(context.Context) (dialect.Tx, error) { return d, nil }
func (txDriver) Commit() error                            { return nil }
func (txDriver) Rollback() error                          { return nil }
func (txDriver) Close() error                             { return nil }

// Publish queues events; they are sent after the commit.
func (tx *Tx) Publish(events ...event.Event) { tx.events = append(tx.events, events...) }

// PublishAccounts notifies that what users may do has changed.
func (tx *Tx) PublishAccounts() { tx.Publish(event.Event{Kind: event.AccountsChanged}) }

// LockApplication begins a change of one application's configuration. It locks
// the application's row and the ledgers of all its groups, in the order of their
// ids, and raises the revision in each, so that no check-in decides on an older
// configuration. It returns the new revision.
func (tx *Tx) LockApplication(ctx context.Context, id uuid.UUID) (int64, error) {
	c := tx.Client()
	if err := c.Application.UpdateOneID(id).AddRevision(1).Exec(ctx); err != nil {
		return 0, err
	}
	app, err := c.Application.Query().Where(application.ID(id)).Select(application.FieldRevision).Only(ctx)
	if err != nil {
		return 0, fmt.Errorf("read revision: %w", err)
	}
	ids, err := c.Group.Query().Where(group.ApplicationID(id)).IDs(ctx)
	if err != nil {
		return 0, fmt.Errorf("list groups: %w", err)
	}
	if _, err := tx.lockLedgers(ctx, ids); err != nil {
		return 0, err
	}
	if _, err := tx.sql.ExecContext(ctx, tx.sql.SQL(`UPDATE ledgers SET config_revision = ? WHERE group_id IN (SELECT id FROM groups WHERE application_id = ?)`),
		app.Revision, id.String()); err != nil {
		return 0, fmt.Errorf("raise revision: %w", err)
	}
	tx.Publish(event.Event{Kind: event.AppChanged, App: id, Revision: app.Revision})
	return app.Revision, nil
}

// IsConflict reports whether an error is a violated constraint of the schema: a
// name that is taken, or a reference to a deleted row.
func IsConflict(err error) bool { return db.IsConstraintError(err) }
