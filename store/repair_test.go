package store_test

import (
	"testing"

	"github.com/coreroller/coreroller/ent/db/audit"
	"github.com/coreroller/coreroller/store"
	"github.com/coreroller/coreroller/store/storetest"
)

func TestDamagedCountersAreRepaired(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		f := fill(t, open(t, url))
		f.join(t, 5)
		recount(t, f.Store)
		d := raw(t, url)
		for _, text := range []string{"UPDATE group_counts SET machines = machines + 3", "UPDATE ledgers SET in_flight = 7, reboot_overdue = 2"} {
			if _, err := d.ExecContext(t.Context(), text); err != nil {
				t.Fatal(err)
			}
		}
		all, err := f.RecountSince(t.Context(), start)
		check(t, err)
		if len(all) != 5 { // the second group's ledger, too
			t.Errorf("differences: %v", all)
		}
		for _, diff := range all {
			if id, ok := diff.Group(); !ok || id != f.groups[0] && id != f.groups[1] {
				t.Errorf("%v is of group %s", diff, id)
			}
		}
		for i, want := range []int{3, 2} {
			fixed, err := f.RepairGroup(t.Context(), start, f.groups[i], store.Audit{Actor: "test", Credential: "command", Reason: "r"})
			check(t, err)
			if len(fixed) != want {
				t.Errorf("repaired: %v", fixed)
			}
			again, err := f.RepairGroup(t.Context(), start, f.groups[i], store.Audit{Actor: "test"})
			if err != nil || len(again) != 0 {
				t.Errorf("a second repair: %v, %v", again, err)
			}
		}
		recount(t, f.Store)
		if n := f.Reader().Audit.Query().Where(audit.Verb("repairCounters")).CountX(t.Context()); n != 2 {
			t.Errorf("%d audit entries", n)
		}
		if problems, _, err := f.CheckIndexes(t.Context()); err != nil || len(problems) > 0 {
			t.Errorf("indexes: %v, %v", problems, err)
		}
	})
}
