package view

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/attempt"
	"github.com/coreroller/coreroller/ent/db/failure"
	"github.com/coreroller/coreroller/ent/db/failureshare"
	"github.com/coreroller/coreroller/ent/db/predicate"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/job"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
)

// maxKinds is the maximum length of a list of failures by kind.
const maxKinds = 100

// The traits that failed attempts are counted by.
const (
	TraitOEM          = store.TraitOEM
	TraitFromVersion  = store.TraitFromVersion
	TraitAddressBlock = store.TraitAddressBlock
)

// Failures reads the failures of rollouts by outcome and code, by rollout.
func (s *Service) Failures(ctx context.Context, rollouts []uuid.UUID) (map[uuid.UUID][]*db.Failure, error) {
	return grouped(ctx, "failures", s.db().Failure.Query().Where(failure.RolloutIDIn(rollouts...), failure.AttemptsGT(0)).All,
		func(f *db.Failure) uuid.UUID { return f.RolloutID })
}

// FailureCounts returns the most frequent failures of a rollout, most attempts
// first.
func FailureCounts(rows []*db.Failure) []*db.Failure {
	out := slices.SortedFunc(slices.Values(rows), func(a, b *db.Failure) int {
		return cmp.Or(cmp.Compare(b.Attempts, a.Attempts), cmp.Compare(a.Outcome, b.Outcome), cmp.Compare(a.Code, b.Code))
	})
	return out[:min(len(out), maxKinds)]
}

// FailureShares reads the failures of rollouts by trait and its value, by rollout.
func (s *Service) FailureShares(ctx context.Context, rollouts []uuid.UUID) (map[uuid.UUID][]*db.FailureShare, error) {
	return grouped(ctx, "failures", s.db().FailureShare.Query().Where(failureshare.RolloutIDIn(rollouts...), failureshare.AttemptsGT(0)).All,
		func(f *db.FailureShare) uuid.UUID { return f.RolloutID })
}

// SharesOf returns the most frequent values of one trait, most attempts first.
func SharesOf(rows []*db.FailureShare, trait string) []*db.FailureShare {
	out := slices.DeleteFunc(slices.Clone(rows), func(f *db.FailureShare) bool { return f.Trait != trait })
	slices.SortFunc(out, func(a, b *db.FailureShare) int {
		return cmp.Or(cmp.Compare(b.Attempts, a.Attempts), cmp.Compare(a.Value, b.Value))
	})
	return out[:min(len(out), maxKinds)]
}

// FailureFilter are conditions on the failed attempts of a rollout; all must hold.
type FailureFilter struct {
	Outcome      *rollout.Outcome
	Code         *int
	OEM          *string
	FromVersion  *string
	AddressBlock *string
	Attribute    *job.Attribute // of the machine, see FailureSlices
	Tag          *string        // of the machine
}

// traitCondition is a condition on a trait; field is its name in the API.
type traitCondition struct{ field, trait, value string }

func (f *FailureFilter) byTrait() (all []traitCondition) {
	for _, c := range []struct {
		field, trait string
		value        *string
	}{
		{"filter.oem", TraitOEM, f.OEM}, {"filter.fromVersion", TraitFromVersion, f.FromVersion},
		{"filter.addressBlock", TraitAddressBlock, f.AddressBlock},
	} {
		if c.value != nil {
			all = append(all, traitCondition{c.field, c.trait, *c.value})
		}
	}
	return all
}

// FailureCounters read the counters of one rollout. The caller may cache them.
type FailureCounters struct {
	Waves    func(ctx context.Context, id uuid.UUID) ([]*db.Wave, error)
	Failures func(ctx context.Context, id uuid.UUID) ([]*db.Failure, error)
	Shares   func(ctx context.Context, id uuid.UUID) ([]*db.FailureShare, error)
}

// FailedAttempts returns the list of the failed attempts of a rollout that match.
// Each condition has an index over failed attempts that ends with the id. The
// length comes from the counters of the charts if they have the number.
func (s *Service) FailedAttempts(ctx context.Context, id uuid.UUID, f FailureFilter, counters FailureCounters, with With) (*List[*db.Attempt], error) {
	if _, err := fault.Require(ctx, auth.Viewer); err != nil {
		return nil, err
	}
	for _, c := range f.byTrait() {
		if strings.ContainsRune(c.value, 0) {
			return nil, fault.Errorf(fault.Invalid, c.field, "must not contain NUL")
		}
	}
	if f.Attribute != nil && strings.ContainsRune(f.Attribute.Name+f.Attribute.Value, 0) {
		return nil, fault.Errorf(fault.Invalid, "filter.attribute", "must not contain NUL")
	}
	if f.Tag != nil && strings.ContainsRune(*f.Tag, 0) {
		return nil, fault.Errorf(fault.Invalid, "filter.tag", "must not contain NUL")
	}
	sliced, err := s.sliced(ctx, id, &f)
	if err != nil {
		return nil, err
	}
	l := s.attempts(with, append(f.conditions(id), sliced...)...)
	count := l.count
	l.count = func(ctx context.Context, limit int) (int, bool, error) {
		if n, err := f.counted(ctx, id, counters); err != nil || n >= 0 {
			return n, true, err
		}
		return count(ctx, limit)
	}
	return l, nil
}

func (f *FailureFilter) conditions(id uuid.UUID) []predicate.Attempt {
	where := []predicate.Attempt{attempt.RolloutID(id), failed}
	where = when(where, f.Outcome, attempt.OutcomeEQ)
	where = when(where, f.Code, attempt.Code)
	where = when(where, f.OEM, attempt.Oem)
	where = when(where, f.FromVersion, attempt.FromVersion)
	return when(where, f.AddressBlock, attempt.AddressBlock)
}

// failed is the condition of the partial indexes, with a literal: SQLite does not
// use them for a parameter.
func failed(s *sql.Selector) { s.Where(sql.ExprP(s.C(attempt.FieldFailed))) }

// counted returns the number of attempts according to the counters, -1 when no
// counter has the conditions.
func (f *FailureFilter) counted(ctx context.Context, id uuid.UUID, counters FailureCounters) (int, error) {
	byTrait := f.byTrait()
	switch {
	case f.Attribute != nil || f.Tag != nil:
		return -1, nil
	case len(byTrait) == 0 && f.Code == nil:
		waves, err := counters.Waves(ctx, id)
		return failedOf(SumWaves(waves), f.Outcome), err
	case len(byTrait) == 0:
		rows, err := counters.Failures(ctx, id)
		n := -1
		for _, row := range rows {
			if row.Code == *f.Code && (f.Outcome == nil || row.Outcome == *f.Outcome) {
				n = max(n, 0) + row.Attempts
			}
		}
		return n, err
	case len(byTrait) > 1 || f.Outcome != nil || f.Code != nil:
		return -1, nil
	}
	rows, err := counters.Shares(ctx, id)
	for _, row := range rows {
		if row.Trait == byTrait[0].trait && row.Value == byTrait[0].value {
			return row.Attempts, err
		}
	}
	return -1, err
}

// failedOf returns the number of failed attempts, or of those with one outcome.
func failedOf(c rollout.Counts, o *rollout.Outcome) int {
	switch {
	case o == nil:
		return c.Failed
	case *o == rollout.OutcomeTimeout:
		return c.TimedOut
	case *o == rollout.OutcomeRolledBack:
		return c.RolledBack
	case *o == rollout.OutcomeFailed:
		return c.Failed - c.TimedOut - c.RolledBack - c.NotRunning - c.Lost - c.Looping
	case *o == rollout.OutcomeNotRunning:
		return c.NotRunning
	case *o == rollout.OutcomeLost:
		return c.Lost
	case *o == rollout.OutcomeLooping:
		return c.Looping
	}
	return 0
}
