package store_test

import (
	"context"
	"testing"

	"coreroller/store"
	"coreroller/store/storetest"
)

// A point that was kept is not kept again, although versions came meanwhile: a
// second process, or a restart, must not add machines to a moment.
func TestAPointIsKeptOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		f := fill(t, open(t, url))
		for i, version := range []string{"1.0.0", "2.0.0"} {
			write(t, f.Store, func(ctx context.Context, tx *store.Tx) error {
				groups, err := tx.LockGroups(ctx, f.groups[:1])
				if err != nil {
					return err
				}
				return tx.Save(ctx, &store.Batch{Groups: groups, Machines: []*store.Machine{f.machine(0, version, version)}})
			})
			check(t, f.KeepPoint(t.Context(), start, 300, start))
			points := f.Reader().StatPoint.Query().AllX(t.Context())
			if len(points) != 1 || points[0].Version != "1.0.0" || points[0].Machines != 1 {
				t.Errorf("after round %d the points are %v", i+1, points)
			}
		}
	})
}
