package graph

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/attempt"
	"github.com/coreroller/coreroller/ent/db/failureshare"
	"github.com/coreroller/coreroller/ent/db/predicate"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/view"
	"github.com/coreroller/coreroller/graph/model"
	"github.com/coreroller/coreroller/rollout"
)

func (r *Resolver) sharesByRollout(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID][]*db.FailureShare, error) {
	rows, err := r.reader.FailureShare.Query().Where(failureshare.RolloutIDIn(ids...)).All(ctx)
	out := make(map[uuid.UUID][]*db.FailureShare, len(ids))
	for _, row := range rows {
		out[row.RolloutID] = append(out[row.RolloutID], row)
	}
	return out, err
}

// failureBreakdown returns the failures of a rollout by one trait, largest count
// first.
func failureBreakdown(ctx context.Context, id uuid.UUID, trait string) ([]*model.FailureBreakdown, error) {
	rows, err := loadersOf(ctx).shares.load(ctx, id)
	if err != nil {
		return nil, err
	}
	out := []*model.FailureBreakdown{}
	for _, row := range rows {
		if row.Trait == trait {
			out = append(out, &model.FailureBreakdown{Value: row.Value, Attempts: row.Attempts})
		}
	}
	slices.SortFunc(out, func(a, b *model.FailureBreakdown) int {
		return cmp.Or(cmp.Compare(b.Attempts, a.Attempts), cmp.Compare(a.Value, b.Value))
	})
	return out[:min(len(out), view.MaxKinds)], nil
}

// failedAttempts returns the attempts behind a count of failures. Each condition
// has an index over failed attempts that ends with the id.
func (r *Resolver) failedAttempts(ctx context.Context, row *db.GroupRollout, f model.FailureFilter, first *int, after *string) (*model.AttemptConnection, error) {
	for field, text := range map[string]*string{"filter.oem": f.Oem, "filter.fromVersion": f.FromVersion} {
		if strings.ContainsRune(value(text), 0) {
			return nil, fault.Errorf(fault.Invalid, field, "must not contain NUL")
		}
	}
	q := r.reader.Attempt.Query().Where(failureConditions(row.ID, f)...)
	o := newestID(func(a *db.Attempt) uuid.UUID { return a.ID })
	p, err := readPage(ctx, first, after, o, nil, func(after func(*sql.Selector), n int) ([]*db.Attempt, error) {
		page := q.Clone().Where(after).Order(attempt.ByID(sql.OrderDesc())).Limit(n)
		return preloads(ctx).attempts(page, nodes(ctx)).All(ctx)
	})
	if err != nil {
		return nil, err
	}
	c := attemptConnection(p)
	if asked(ctx, "totalCount") {
		if c.TotalCount, err = failedTotal(ctx, row.ID, f); err == nil && c.TotalCount < 0 {
			var ids []uuid.UUID
			ids, err = q.Limit(maxCounted).IDs(ctx)
			c.TotalCount = len(ids)
		}
	}
	return c, err
}

func failureConditions(id uuid.UUID, f model.FailureFilter) []predicate.Attempt {
	where := []predicate.Attempt{attempt.RolloutID(id), failed}
	if f.Outcome != nil {
		where = append(where, attempt.OutcomeEQ(*f.Outcome))
	}
	if f.Code != nil {
		where = append(where, attempt.Code(*f.Code))
	}
	if f.Oem != nil {
		where = append(where, attempt.Oem(*f.Oem))
	}
	if f.FromVersion != nil {
		where = append(where, attempt.FromVersion(*f.FromVersion))
	}
	return where
}

// failed is the condition of the partial indexes, with literals: SQLite does not
// use them for a parameter.
func failed(s *sql.Selector) {
	column := s.C(attempt.FieldOutcome)
	s.Where(sql.And(sql.ExprP(column+" > 1"), sql.ExprP(column+" < 5")))
}

// failedTotal returns the counter for a filter, the same one that the charts use;
// -1 when there is none.
func failedTotal(ctx context.Context, id uuid.UUID, f model.FailureFilter) (int, error) {
	byOutcome := f.Outcome != nil || f.Code != nil
	switch {
	case f.Oem == nil && f.FromVersion == nil && f.Code == nil:
		counted, err := loadersOf(ctx).waves.load(ctx, id)
		return failedOf(sumOf(counted), f.Outcome), err
	case f.Oem == nil && f.FromVersion == nil:
		rows, err := loadersOf(ctx).failures.load(ctx, id)
		n := -1
		for _, row := range rows {
			if row.Code == *f.Code && (f.Outcome == nil || row.Outcome == *f.Outcome) {
				n = max(n, 0) + row.Attempts
			}
		}
		return n, err
	case byOutcome || f.Oem != nil && f.FromVersion != nil:
		return -1, nil
	}
	trait, wanted := view.TraitOEM, f.Oem
	if wanted == nil {
		trait, wanted = view.TraitFromVersion, f.FromVersion
	}
	rows, err := loadersOf(ctx).shares.load(ctx, id)
	for _, row := range rows {
		if row.Trait == trait && row.Value == *wanted {
			return row.Attempts, err
		}
	}
	return -1, err
}

// failedOf returns the number of failed attempts, or of those with one outcome.
func failedOf(c *rollout.Counts, o *rollout.Outcome) int {
	switch {
	case o == nil:
		return c.Failed
	case *o == rollout.OutcomeTimeout:
		return c.TimedOut
	case *o == rollout.OutcomeRolledBack:
		return c.RolledBack
	case *o == rollout.OutcomeFailed:
		return c.Failed - c.TimedOut - c.RolledBack
	}
	return 0
}
