package transfer

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/coreroller/coreroller/store"
)

// Result is what a transfer copied and checked.
type Result struct {
	Tables   []Table
	Audits   int64 // entries of the chain, which was verified
	Differ   int   // counters that differ from a recount, in the source and in the target alike
	Machines int64 // rows of instances
}

// Move copies a database into an empty one. No server may use either.
func Move(ctx context.Context, from, to string) (r *Result, err error) {
	source, err := openSource(ctx, from)
	if err != nil {
		return nil, err
	}
	defer closeAll(&err, source)
	target, err := openTarget(ctx, to)
	if err != nil {
		return nil, err
	}
	defer closeAll(&err, target)
	all, err := copyInto(ctx, source, target, func(tx *sql.Tx) error { return empty(ctx, tx) }, nil)
	if err != nil {
		return nil, err
	}
	was, err := recount(ctx, from, nil)
	if err != nil {
		return nil, fmt.Errorf("recount the source: %w", err)
	}
	return check(ctx, all, to, was)
}

// copyInto copies in one transaction of each database. before and after run in that of
// the target.
func copyInto(ctx context.Context, source, target *database, before func(*sql.Tx) error, after func(*sql.Tx, []Table) error) ([]Table, error) {
	reading, err := source.begin(ctx, true)
	if err != nil {
		return nil, err
	}
	defer reading.Rollback() //nolint:errcheck // nothing was written
	writing, err := target.begin(ctx, false)
	if err != nil {
		return nil, err
	}
	defer writing.Rollback() //nolint:errcheck // does nothing after a commit
	if err := before(writing); err != nil {
		return nil, err
	}
	all, err := copyAll(ctx, reading, writing, target.postgres)
	if err != nil {
		return nil, err
	}
	if after != nil {
		if err := after(writing, all); err != nil {
			return nil, err
		}
	}
	return all, writing.Commit()
}

// check verifies the audit of a copy, and compares its counters with a recount. was are
// the differences in what was copied.
func check(ctx context.Context, all []Table, to string, was []store.Difference) (*Result, error) {
	r := &Result{Tables: all}
	if i := slices.IndexFunc(all, func(t Table) bool { return t.Name == "instances" }); i >= 0 {
		r.Machines = all[i].Rows
	}
	is, err := recount(ctx, to, r)
	if err != nil {
		return nil, fmt.Errorf("check the copy: %w", err)
	}
	if !slices.Equal(was, is) {
		return nil, fmt.Errorf("the counters of the copy differ from a recount: %d of them, and %d in the source", len(is), len(was))
	}
	r.Differ = len(is)
	return r, nil
}

// recount compares the counters of a database, and verifies its audit if r is not nil.
func recount(ctx context.Context, url string, r *Result) (all []store.Difference, err error) {
	s, err := store.Open(ctx, store.Options{URL: url, Unchanged: true})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if r != nil {
		chain, err := s.VerifyAudits(ctx, "")
		if err != nil {
			return nil, fmt.Errorf("verify the audit: %w", err)
		}
		r.Audits = chain.Entries
	}
	return s.Recount(ctx)
}
