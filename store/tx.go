package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/application"
	"github.com/coreroller/coreroller/ent/db/group"
	"github.com/coreroller/coreroller/event"
)

// Tx is one open transaction. It is used by one goroutine.
type Tx struct {
	store  *Store
	stmts  *statements // of the pool that sql is of
	sql    *sql.Tx
	now    time.Time
	client *db.Client
	events []event.Event
	fresh  []string // statements that are to be kept prepared
	locked []*GroupState
	saved  *Batch
	// meanwhile is done while the database writes; it may be done at any time.
	meanwhile func()
}

// Now is the moment of the transaction, in whole microseconds.
func (tx *Tx) Now() time.Time { return tx.now }

// Client is an ent client inside the transaction. It may write.
func (tx *Tx) Client() *db.Client {
	if tx.client == nil {
		conn := entsql.Conn{ExecQuerier: tx.sql}
		tx.client = db.NewClient(db.Driver(txDriver{entsql.NewDriver(tx.store.dialect, conn)}))
	}
	return tx.client
}

// txDriver lets ent work inside the transaction. Where ent would begin one of
// its own it gets this one, which only the store ends.
type txDriver struct{ *entsql.Driver }

func (d txDriver) Tx(context.Context) (dialect.Tx, error) { return d, nil }
func (txDriver) Commit() error                            { return nil }
func (txDriver) Rollback() error                          { return nil }
func (txDriver) Close() error                             { return nil }

// Publish queues events; they are sent after the commit.
func (tx *Tx) Publish(events ...event.Event) { tx.events = append(tx.events, events...) }

// LockApplication begins a change of the configuration of one application: it
// locks its row, raises its revision, locks the ledgers of all its groups in
// the order of their ids and raises their revision too, so that no check-in
// decides on an older configuration. It returns the new revision.
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
	if _, err := tx.sql.ExecContext(ctx, tx.store.q(`UPDATE ledgers SET config_revision = ? WHERE group_id IN (SELECT id FROM groups WHERE application_id = ?)`),
		app.Revision, id.String()); err != nil {
		return 0, fmt.Errorf("raise revision: %w", err)
	}
	tx.Publish(event.Event{Kind: event.AppChanged, App: id, Revision: app.Revision})
	return app.Revision, nil
}

// Audit records a change of the configuration.
func (tx *Tx) Audit(ctx context.Context, a Audit) error {
	before, err := auditJSON(a.Before)
	if err != nil {
		return err
	}
	after, err := auditJSON(a.After)
	if err != nil {
		return err
	}
	c := tx.Client().Audit.Create().SetID(NewID(tx.now)).SetAt(tx.now).SetTeamID(a.TeamID).
		SetActor(a.Actor).SetCredential(a.Credential).SetVerb(a.Verb).SetObject(a.Object).SetObjectID(a.ObjectID).
		SetBefore(before).SetAfter(after).SetReason(a.Reason)
	if a.ApplicationID != uuid.Nil {
		c.SetApplicationID(a.ApplicationID)
	}
	if err := c.Exec(ctx); err != nil {
		return fmt.Errorf("audit %s: %w", a.Verb, err)
	}
	return nil
}

func auditJSON(v any) (string, error) {
	if v == nil {
		return "", nil
	}
	b, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("audit: %w", err)
	}
	return string(b), nil
}

// IsConflict reports whether an error is a violated constraint of the schema:
// a name taken twice, or a reference to a row that is gone.
func IsConflict(err error) bool { return db.IsConstraintError(err) }
