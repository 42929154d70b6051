package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/machinejob"
	"github.com/coreroller/coreroller/store/bulk"
)

// JobItem is one row of machine_job_items.
type JobItem struct {
	ID            int // set by the database
	InstanceID    uuid.UUID
	ApplicationID uuid.UUID
	MachineID     string
	Result        int8
	Detail        string
	EndedAt       time.Time // zero: not yet
}

// jobItemRows caps the rows of one statement, whose values are in memory several times.
const jobItemRows = 10_000

var jobItems = bulk.NewTable("machine_job_items", "", "job_id id, instance_id id, application_id id, machine_id text, result number")

// jobResults are the columns of an item that a batch changes.
var jobResults = bulk.NewTable("machine_job_items", "", "id number, result number, detail text, ended_at time")

// AddJobItems inserts the machines of a new job.
func (tx *Tx) AddJobItems(ctx context.Context, job uuid.UUID, items []JobItem) error {
	for part := range slices.Chunk(items, jobItemRows) {
		rows := make([]bulk.Value, 0, len(part)*jobItems.Width())
		for i := range part {
			rows = append(rows, bulk.ID(job), bulk.ID(part[i].InstanceID), bulk.ID(part[i].ApplicationID), bulk.Text(part[i].MachineID), bulk.Number(part[i].Result))
		}
		if _, err := tx.write(ctx, bulk.Insert(jobItems, rows)); err != nil {
			return fmt.Errorf("write the machines of a job: %w", err)
		}
	}
	return nil
}

// SaveJobItems writes the results of items.
func (tx *Tx) SaveJobItems(ctx context.Context, items []JobItem) error {
	rows := make([]bulk.Value, 0, len(items)*jobResults.Width())
	for i := range items {
		rows = append(rows, bulk.Number(items[i].ID), bulk.Number(items[i].Result), bulk.Text(items[i].Detail), bulk.Time(items[i].EndedAt))
	}
	if _, err := tx.write(ctx, bulk.Change{Table: jobResults, Rows: rows, Parts: bulk.AllParts, Update: true}); err != nil {
		return fmt.Errorf("write results of a job: %w", err)
	}
	return nil
}

// ResetJobItems gives the items of a job that have one result another one, without
// detail and time: those of some machines, or all if there are none. It returns how
// many there were.
func (tx *Tx) ResetJobItems(ctx context.Context, job uuid.UUID, from, to int8, instances []uuid.UUID) (int, error) {
	text, args := "UPDATE machine_job_items SET result = ?, detail = '', ended_at = NULL WHERE job_id = ? AND result = ?", []any{to, job.String(), from}
	if len(instances) > 0 {
		text, args = text+" AND instance_id @in", append(args, tx.sql.List(instances))
	}
	result, err := tx.sql.Change(ctx, text, args...)
	if err != nil {
		return 0, fmt.Errorf("reset results of a job: %w", err)
	}
	n, err := result.RowsAffected()
	return int(n), err
}

// JobsIn returns the jobs in a state, oldest first.
func (s *Store) JobsIn(ctx context.Context, state string) ([]*db.MachineJob, error) {
	rows, err := s.Reader().MachineJob.Query().Where(machinejob.State(state)).Order(machinejob.ByID()).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("list jobs: %w", err)
	}
	return rows, nil
}

// LockJob locks and reads a job. With skip it returns nil for a job that another
// transaction has locked; otherwise it waits. It returns nil if there is no such job.
func (tx *Tx) LockJob(ctx context.Context, id uuid.UUID, skip bool) (*db.MachineJob, error) {
	if tx.sql.Postgres() {
		text := "SELECT id FROM machine_jobs WHERE id = ? FOR UPDATE"
		if skip {
			text += " SKIP LOCKED"
		}
		found, err := tx.sql.Change(ctx, text, id.String())
		if err != nil {
			return nil, fmt.Errorf("lock a job: %w", err)
		}
		if n, err := found.RowsAffected(); err != nil || n == 0 {
			return nil, err
		}
	}
	row, err := tx.Client().MachineJob.Get(ctx, id)
	if db.IsNotFound(err) {
		return nil, nil
	}
	return row, err
}
