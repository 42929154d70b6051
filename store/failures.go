package store

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store/bulk"
)

// Traits of machines by which failed attempts are counted, besides outcome and
// code.
const (
	TraitOEM          = "oem"
	TraitFromVersion  = "from_version"
	TraitAddressBlock = "address_block"
)

// traits are all of them. Each is also a column of attempts.
var traits = []string{TraitOEM, TraitFromVersion, TraitAddressBlock}

// Traits are those that an attempt has from its machine, as they were when the
// attempt ended.
type Traits struct {
	OEM          string
	AddressBlock string // see AddressBlock
}

func (m *Machine) traits() Traits { return Traits{OEM: m.OEM, AddressBlock: AddressBlock(m.Address)} }

// maxKinds bounds the counters of one rollout: codes, and values of each trait.
// Real fleets need a few dozen. Machines can send any value, and every page reads
// all counters. Other failures are still counted in the waves and listed as
// attempts.
const maxKinds = 1000

var failures = bulk.NewTable("failures",
	"ON CONFLICT (rollout_id, outcome, code) DO UPDATE SET attempts = failures.attempts + EXCLUDED.attempts",
	"rollout_id id, outcome number, code number, attempts number")

var failureShares = bulk.NewTable("failure_shares",
	"ON CONFLICT (rollout_id, trait, value) DO UPDATE SET attempts = failure_shares.attempts + EXCLUDED.attempts",
	"rollout_id id, trait text, value text, attempts number")

// failureKind identifies one counter. Counters by outcome and code have the trait
// "".
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

// saveFailures counts the failed attempts by outcome and code, and by each trait.
func (tx *Tx) saveFailures(ctx context.Context, all []Attempt) error {
	sums := map[failureKind]int64{}
	add := func(id rollout.ID, o rollout.Outcome, code int, from rollout.Version, t Traits, n int64) {
		if !o.Failure() || id == (rollout.ID{}) {
			return
		}
		sums[failureKind{rollout: uuid.UUID(id), outcome: o, code: code}] += n
		sums[failureKind{rollout: uuid.UUID(id), trait: TraitOEM, value: t.OEM}] += n
		sums[failureKind{rollout: uuid.UUID(id), trait: TraitFromVersion, value: from.String()}] += n
		sums[failureKind{rollout: uuid.UUID(id), trait: TraitAddressBlock, value: t.AddressBlock}] += n
	}
	for i := range all {
		e := &all[i]
		add(e.Rollout(), e.Outcome, e.Code, e.From, e.Traits, 1)
		add(e.Replaces.Rollout, e.Replaces.Outcome, e.Replaces.Code, e.Replaces.From, e.Replaced, -1)
	}
	maps.DeleteFunc(sums, func(_ failureKind, n int64) bool { return n == 0 })
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
	var byCode, shares []bulk.Value
	for _, k := range kinds {
		if k.trait == "" {
			byCode = append(byCode, bulk.ID(k.rollout), bulk.Number(k.outcome), bulk.Number(k.code), bulk.Number(sums[k]))
		} else {
			shares = append(shares, bulk.ID(k.rollout), bulk.Text(k.trait), bulk.Text(k.value), bulk.Number(sums[k]))
		}
	}
	_, err = tx.write(ctx, bulk.Insert(failures, byCode), bulk.Insert(failureShares, shares))
	return err
}

// countedKinds returns the kinds that have a counter or may get one, see
// maxKinds. The argument must be sorted.
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
		UNION ALL SELECT rollout_id, trait, COUNT(*) FROM failure_shares WHERE rollout_id @in GROUP BY rollout_id, trait`, tx.sql.List(ids), tx.sql.List(ids))
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
			counted, err := tx.hasCounter(ctx, k)
			if err != nil {
				return nil, err
			}
			if !counted && sizes[l] >= maxKinds {
				continue
			}
			if !counted {
				sizes[l]++
			}
		}
		kept = append(kept, k)
	}
	return kept, nil
}

// hasCounter reports whether a kind has a counter. It is called only for rollouts
// near the limit.
func (tx *Tx) hasCounter(ctx context.Context, k failureKind) (found bool, err error) {
	text, args := "SELECT 1 FROM failures WHERE rollout_id = ? AND outcome = ? AND code = ?", []any{k.rollout.String(), int64(k.outcome), int64(k.code)}
	if k.trait != "" {
		text, args = "SELECT 1 FROM failure_shares WHERE rollout_id = ? AND trait = ? AND value = ?", []any{k.rollout.String(), k.trait, k.value}
	}
	rows, err := tx.query(ctx, text, args...)
	if err != nil {
		return false, fmt.Errorf("find a kind of failures: %w", err)
	}
	defer rows.Close()
	return rows.Next(), rows.Err()
}
