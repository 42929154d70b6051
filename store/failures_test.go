package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
	"github.com/coreroller/coreroller/store/storetest"
)

// ended saves a new machine for each attempt, and the attempt as ended.
func (f *fixture) ended(t *testing.T, r *rollout.Rollout, all ...store.Attempt) {
	t.Helper()
	write(t, f.Store, func(ctx context.Context, tx *store.Tx) error {
		groups, err := tx.LockGroups(ctx, f.groups[:1])
		if err != nil {
			return err
		}
		groups[0].Rollout = *r
		groups[0].Census.Behind += len(all)
		b := &store.Batch{Groups: groups}
		for _, a := range all {
			m := f.machine(0, uuid.NewString(), "1.0.0")
			m.OEM, m.Address, a.InstanceID = a.OEM, strings.TrimSuffix(a.AddressBlock, "/24"), m.InstanceID
			a.Attempt = rollout.Attempt{Rollout: r.ID, Package: r.Package, Version: r.Version, GrantedAt: start}
			c := rollout.Counts{Failed: 1}
			if !a.Outcome.Failure() {
				c = rollout.Counts{Succeeded: 1}
			}
			b.Machines, b.Attempts = append(b.Machines, m), append(b.Attempts, a)
			b.Progress = append(b.Progress, rollout.Progress{Rollout: r.ID, Counts: c})
		}
		return tx.Save(ctx, b)
	})
}

func newRollout() *rollout.Rollout {
	v, _ := rollout.ParseVersion("2.0.0")
	return &rollout.Rollout{ID: rollout.ID(store.NewID(start)), Package: rollout.ID(uuid.New()), Version: v, CreatedAt: start, WaveAt: start}
}

func failure(code int, oem, from, block string) store.Attempt {
	v, _ := rollout.ParseVersion(from)
	return store.Attempt{Traits: store.Traits{OEM: oem, AddressBlock: block}, Ended: rollout.Ended{Outcome: rollout.OutcomeFailed, Code: code, From: v}}
}

// Machines can report any code, OEM and version, from many addresses. Above maxKinds new kinds get no
// counter, and existing counters still count.
func TestCountersOfFailuresAreBounded(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		f, r := fill(t, open(t, url)), newRollout()
		const limit = 1000
		f.ended(t, r, failure(9, "azure", "1.0.0", "192.0.2.0/24"))
		for batch := range 3 { // the third exceeds the limit
			var all []store.Attempt
			for i := range 400 {
				n := batch*400 + i
				all = append(all, failure(100+n, fmt.Sprint("oem ", n), fmt.Sprintf("1.0.%d", n+1), fmt.Sprintf("10.%d.%d.0/24", n/100, n%100)))
			}
			f.ended(t, r, append(all, failure(9, "azure", "1.0.0", "192.0.2.0/24"), store.Attempt{Ended: rollout.Ended{Outcome: rollout.OutcomeSucceeded}})...)
			recount(t, f.Store)
		}
		f.ended(t, r, failure(9, "new", "1.0.0", "192.0.3.0/24"))
		recount(t, f.Store)
		codes := f.Reader().Failure.Query().AllX(t.Context())
		shares := map[string]int{}
		for _, s := range f.Reader().FailureShare.Query().AllX(t.Context()) {
			shares[s.Trait]++
			if ((s.Value == "azure" || s.Value == "192.0.2.0/24") && s.Attempts != 4) || (s.Value == "1.0.0" && s.Attempts != 5) {
				t.Errorf("%d failures of %s", s.Attempts, s.Value)
			}
		}
		if len(codes) != limit || shares["oem"] != limit || shares["from_version"] != limit || shares["address_block"] != limit {
			t.Errorf("%d counters by code, %v", len(codes), shares)
		}
		for _, c := range codes {
			if c.Code == 9 && c.Attempts != 5 {
				t.Errorf("%d failures with code 9", c.Attempts)
			}
		}
	})
}

func TestARecountFindsWrongCountersOfFailures(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		f, r := fill(t, open(t, url)), newRollout()
		f.ended(t, r, failure(9, "azure", "1.0.0", "192.0.2.0/24"), failure(9, "ec2", "1.0.0", "192.0.3.0/24"))
		recount(t, f.Store)
		d := raw(t, url)
		for _, change := range []string{
			"UPDATE failures SET attempts = 1", "DELETE FROM failure_shares WHERE value = 'ec2'",
			"UPDATE failure_shares SET attempts = 3 WHERE trait = 'from_version'",
			"UPDATE failure_shares SET value = '' WHERE value = '192.0.3.0/24'",
		} {
			_, err := d.Exec(change)
			check(t, err)
		}
		all, err := f.Recount(t.Context())
		check(t, err)
		var names []string
		for _, d := range all {
			names = append(names, strings.Join(strings.Fields(d.Counter)[4:], " "))
		}
		if want := []string{"address_block", "address_block 192.0.3.0/24", "from_version 1.0.0", "oem ec2", "outcome 2 code 9"}; !slices.Equal(names, want) {
			t.Errorf("differences %q, want %q", names, want)
		}
	})
}

// Every filter has an index whose order is that of the pages. The statements are
// those that graph/failures.go generates.
func TestAPageOfFailedAttemptsReadsAnIndex(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		f, r, later := fill(t, open(t, url)), newRollout(), newRollout()
		d := raw(t, url)
		for i := range 15 { // mostly failures of one kind, a few of another, and many successes
			var all []store.Attempt
			for range 100 {
				all = append(all, failure(9, "azure", "1.0.0", "192.0.2.0/24"), store.Attempt{Ended: rollout.Ended{Outcome: rollout.OutcomeSucceeded}})
			}
			rare := failure(i+10, "rare", "1.5.0", "192.0.3.0/24")
			rare.Outcome = rollout.OutcomeTimeout
			f.ended(t, r, append(all, rare)...)
		}
		// The attempts of a later rollout make the primary key a slow way to find
		// the page.
		for range 15 {
			f.ended(t, later, slices.Repeat([]store.Attempt{{Ended: rollout.Ended{Outcome: rollout.OutcomeSucceeded}}}, 300)...)
		}
		for _, analyzed := range []bool{false, true} {
			if analyzed {
				_, err := d.Exec("ANALYZE")
				check(t, err)
			}
			for condition, index := range map[string]string{
				"": "attempt_rollout_id_id", "AND outcome = 4": "attempt_rollout_id_outcome_id", "AND code = 10": "attempt_rollout_id_code_id",
				"AND oem = 'rare'": "attempt_rollout_id_oem_id", "AND from_version = '1.5.0'": "attempt_rollout_id_from_version_id",
				"AND address_block = '192.0.3.0/24'": "attempt_rollout_id_address_block_id",
			} {
				text := fmt.Sprintf("SELECT * FROM attempts WHERE ((rollout_id = '%s' AND (failed)) %s) AND id < '%s' ORDER BY id DESC LIMIT 51",
					uuid.UUID(r.ID), condition, uuid.Max)
				if plan := explain(t, url, d, text); !strings.Contains(plan, index) && (analyzed || !store.IsPostgres(url)) || strings.Contains(plan, "attempts_pkey") {
					t.Errorf("%q is read by\n%s", condition, plan)
				}
			}
		}
	})
}

func explain(t *testing.T, url string, d *sql.DB, text string) string {
	t.Helper()
	prefix := "EXPLAIN QUERY PLAN "
	if store.IsPostgres(url) {
		prefix = "EXPLAIN "
	}
	rows, err := d.Query(prefix + text)
	check(t, err)
	defer rows.Close()
	var lines []string
	for rows.Next() {
		var line string
		var unused int
		if store.IsPostgres(url) {
			check(t, rows.Scan(&line))
		} else {
			check(t, rows.Scan(&unused, &unused, &unused, &line))
		}
		lines = append(lines, line)
	}
	check(t, rows.Err())
	return strings.Join(lines, "\n")
}
