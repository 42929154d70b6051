package store

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/rollout"
)

// Traits by which failed attempts are counted besides how they ended.
const (
	TraitOEM         = "oem"
	TraitFromVersion = "from_version"
)

// maxKinds is how many codes, platforms and versions of one rollout's failures
// are told apart. Real fleets have a few dozen of each; what machines may send
// is without end, and all of it is read with every page. Failures beyond are
// in the sums of the waves and among the attempts, only without a counter.
const maxKinds = 1000

var failures = &table{
	name:     "failures",
	columns:  []column{{"rollout_id", asID}, {"outcome", asNumber}, {"code", asNumber}, {"attempts", asNumber}},
	conflict: "ON CONFLICT (rollout_id, outcome, code) DO UPDATE SET attempts = failures.attempts + EXCLUDED.attempts",
}

var failureShares = &table{
	name:     "failure_shares",
	columns:  []column{{"rollout_id", asID}, {"trait", asText}, {"value", asText}, {"attempts", asNumber}},
	conflict: "ON CONFLICT (rollout_id, trait, value) DO UPDATE SET attempts = failure_shares.attempts + EXCLUDED.attempts",
}

// failureKind is one counter. Those by code have the trait "".
type failureKind struct {
	rollout uuid.UUID
	trait   string
	value   string
	outcome rollout.Outcome
	code    int
}

func compareKinds(a, b failureKind) int {
	return cmp.Or(bytes.Compare(a.rollout[:], b.rollout[:]), cmp.Compare(a.trait, b.trait), cmp.Compare(a.value, b.value),
		cmp.Compare(a.outcome, b.outcome), cmp.Compare(a.code, b.code))
}

// saveFailures counts the failed ones of attempts that ended, by code, platform
// and version before.
func (tx *Tx) saveFailures(ctx context.Context, all []Attempt) error {
	sums := map[failureKind]int64{}
	for i := range all {
		e := &all[i]
		if !e.Outcome.Failure() {
			continue
		}
		id := uuid.UUID(e.Attempt.Rollout)
		sums[failureKind{rollout: id, outcome: e.Outcome, code: e.Code}]++
		sums[failureKind{rollout: id, trait: TraitOEM, value: e.OEM}]++
		sums[failureKind{rollout: id, trait: TraitFromVersion, value: e.From.String()}]++
	}
	if len(sums) == 0 {
		return nil
	}
	kinds := make([]failureKind, 0, len(sums))
	for k := range sums {
		kinds = append(kinds, k)
	}
	slices.SortFunc(kinds, compareKinds)
	kinds, err := tx.countedKinds(ctx, kinds)
	if err != nil {
		return err
	}
	var byCode, shares cells
	for _, k := range kinds {
		if k.trait == "" {
			byCode = append(byCode, inID(k.rollout), inNumber(k.outcome), inNumber(k.code), inNumber(sums[k]))
		} else {
			shares = append(shares, inID(k.rollout), inText(k.trait), inText(k.value), inNumber(sums[k]))
		}
	}
	_, err = tx.write(ctx, insertion(failures, byCode), insertion(failureShares, shares))
	return err
}

// countedKinds leaves those of the kinds, sorted, that have a counter or may get
// one.
func (tx *Tx) countedKinds(ctx context.Context, kinds []failureKind) ([]failureKind, error) {
	var ids []uuid.UUID
	for _, k := range kinds {
		if len(ids) == 0 || ids[len(ids)-1] != k.rollout {
			ids = append(ids, k.rollout)
		}
	}
	type list struct {
		rollout uuid.UUID
		trait   string
	}
	sizes := map[list]int{}
	rows, err := tx.query(ctx, `SELECT rollout_id, '' AS trait, COUNT(*) FROM failures WHERE rollout_id @in GROUP BY rollout_id
		UNION ALL SELECT rollout_id, trait, COUNT(*) FROM failure_shares WHERE rollout_id @in GROUP BY rollout_id, trait`, tx.store.list(ids), tx.store.list(ids))
	if err != nil {
		return nil, fmt.Errorf("count kinds of failures: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var l list
		var n int
		if err := rows.Scan(&l.rollout, &l.trait, &n); err != nil {
			return nil, fmt.Errorf("count kinds of failures: %w", err)
		}
		sizes[l] = n
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	var kept []failureKind
	for _, k := range kinds {
		l := list{k.rollout, k.trait}
		if sizes[l]+len(kinds) > maxKinds {
			known, err := tx.knowsKind(ctx, k)
			if err != nil {
				return nil, err
			}
			if !known && sizes[l] >= maxKinds {
				continue
			}
			if !known {
				sizes[l]++
			}
		}
		kept = append(kept, k)
	}
	return kept, nil
}

// knowsKind reports whether a kind has a counter. It is asked only of rollouts
// that come near the limit.
func (tx *Tx) knowsKind(ctx context.Context, k failureKind) (known bool, err error) {
	text, args := "SELECT 1 FROM failures WHERE rollout_id = ? AND outcome = ? AND code = ?", []any{k.rollout.String(), int64(k.outcome), int64(k.code)}
	if k.trait != "" {
		text, args = "SELECT 1 FROM failure_shares WHERE rollout_id = ? AND trait = ? AND value = ?", []any{k.rollout.String(), k.trait, k.value}
	}
	rows, err := tx.query(ctx, text, args...)
	if err != nil {
		return false, fmt.Errorf("look for a kind of failures: %w", err)
	}
	defer rows.Close()
	return rows.Next(), rows.Err()
}
