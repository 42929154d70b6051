package view

import (
	"context"

	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/machinejob"
	"github.com/coreroller/coreroller/ent/db/machinejobitem"
	"github.com/coreroller/coreroller/ent/db/predicate"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/job"
	"github.com/coreroller/coreroller/fleet/view/machines"
	"github.com/coreroller/coreroller/store"
)

// MachineJob reads one job.
func (s *Service) MachineJob(ctx context.Context, id uuid.UUID) (*db.MachineJob, error) {
	return one(ctx, "job", s.db().MachineJob.Query().Where(machinejob.ID(id)).Only)
}

// MachineJobByRequest reads the job that was started with a request id.
func (s *Service) MachineJobByRequest(ctx context.Context, request string) (*db.MachineJob, error) {
	return one(ctx, "job", s.db().MachineJob.Query().Where(machinejob.RequestID(request), func(s *sql.Selector) {
		s.Where(sql.ExprP(s.C(machinejob.FieldRequestID) + " <> ''")) // the condition of the index
	}).Only)
}

// MachineJobs returns the list of all jobs.
func (s *Service) MachineJobs() *List[*db.MachineJob] {
	return listOf(s.db().MachineJob.Query(), byID(func(j *db.MachineJob) uuid.UUID { return j.ID }))
}

// JobItems is a list of the machines of a job: by result, those that failed first,
// then in the order in which the job takes them.
type JobItems struct {
	s      *Service
	job    uuid.UUID
	result *job.Result // nil: all
	after  func(*sql.Selector)
}

// JobItems returns the machines of a job that have a result, nil for all.
func (s *Service) JobItems(id uuid.UUID, result *job.Result) *JobItems {
	return &JobItems{s: s, job: id, result: result}
}

// WithResult is the condition that a machine of a job has a result. A range instead of an
// equality lets PostgreSQL sort by result and id and use the index of the job; sorted
// by the id alone it may walk through the machines of other jobs.
func WithResult(r job.Result) predicate.MachineJobItem {
	return machinejobitem.And(machinejobitem.ResultGTE(int8(r)), machinejobitem.ResultLTE(int8(r)))
}

// Page reads up to n rows.
func (l *JobItems) Page(ctx context.Context, n int) (Page[*db.MachineJobItem], error) {
	q := l.s.db().MachineJobItem.Query().Where(machinejobitem.JobID(l.job)).Limit(n+1).
		Order(machinejobitem.ByResult(), machinejobitem.ByID())
	if l.result != nil {
		q.Where(WithResult(*l.result))
	}
	if l.after != nil {
		q.Where(l.after)
	}
	rows, err := read(ctx, "machines of a job", q.All)
	return PageOf(rows, n, l.Place), err
}

// Place returns the position of a row as values for a cursor.
func (l *JobItems) Place(row *db.MachineJobItem) []any { return []any{row.Result, row.ID} }

// After starts the list after a position. scan must store the values that Place
// returned in the pointers.
func (l *JobItems) After(scan func(values ...any) error) error {
	var result int8
	var id int
	err := scan(&result, &id)
	l.after = func(s *sql.Selector) {
		s.Where(sql.CompositeGT([]string{s.C(machinejobitem.FieldResult), s.C(machinejobitem.FieldID)}, result, id))
	}
	return err
}

// JobMachines reads the machines that match as the items of a new job, at most limit.
func (s *Service) JobMachines(ctx context.Context, f machines.Filter, limit int) ([]store.JobItem, error) {
	if _, err := fault.Require(ctx, auth.Viewer); err != nil {
		return nil, err
	}
	var items []store.JobItem
	seen := map[uuid.UUID]bool{}
	err := s.Walk(ctx, f, limit, nil, func(rows []*db.Instance) {
		for _, row := range rows {
			if !seen[row.ID] {
				seen[row.ID] = true
				items = append(items, store.JobItem{InstanceID: row.ID, ApplicationID: row.ApplicationID, MachineID: row.MachineID, Result: int8(job.Pending)})
			}
		}
	})
	return items, err
}
