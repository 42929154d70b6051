package store_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db/pacepoint"
	"github.com/coreroller/coreroller/store"
	"github.com/coreroller/coreroller/store/storetest"
)

// A second process, or a restart, must not add machines to an existing point.
func TestAPointIsStoredOnce(t *testing.T) {
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

// Checks are added up, and of every other number the maximum is stored. A point of
// a deleted group does not fail the others.
func TestThePaceOfAllProcessesIsMerged(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		f := fill(t, open(t, url))
		point := func(group int, p store.Pace) store.PacePoint {
			return store.PacePoint{GroupID: f.groups[group], Resolution: 30, At: start, Pace: p}
		}
		gone := store.PacePoint{GroupID: uuid.New(), Resolution: 30, At: start, Pace: store.Pace{Checks: 1}}
		check(t, f.AddPace(t.Context(), []store.PacePoint{
			point(1, store.Pace{InFlight: 1, InFlightCap: 1}), gone,
			point(0, store.Pace{InFlight: 3, InFlightCap: 5, Granted: 1, GrantedCap: 9, Checks: 10}),
		}))
		check(t, f.AddPace(t.Context(), []store.PacePoint{point(0, store.Pace{InFlight: 2, InFlightCap: 6, Granted: 4, GrantedCap: 8, Checks: 5})}))
		check(t, f.AddPace(t.Context(), []store.PacePoint{point(0, store.Pace{InFlight: 1, InFlightCap: 1, Granted: 1, GrantedCap: 1})}))
		row := f.Reader().PacePoint.Query().Where(pacepoint.GroupID(f.groups[0])).OnlyX(t.Context())
		if row.InFlight != 3 || row.InFlightCap != 6 || row.Granted != 4 || row.GrantedCap != 9 || row.Checks != 15 || !row.At.Equal(start) {
			t.Errorf("the point is %v", row)
		}
		if n := f.Reader().PacePoint.Query().CountX(t.Context()); n != 2 {
			t.Errorf("%d points", n)
		}
		deleteOld(t, f.Store, "statistics-30s", start.Add(2*time.Hour))
		if n := f.Reader().PacePoint.Query().CountX(t.Context()); n != 2 {
			t.Errorf("%d points were kept", n)
		}
		deleteOld(t, f.Store, "statistics-30s", start.Add(-time.Hour)) // points of the future
		if n := f.Reader().PacePoint.Query().CountX(t.Context()); n != 0 {
			t.Errorf("%d points were not deleted", n)
		}
	})
}

func TestWritingPaceDoesNotDeadlockWithDeletingTheGroup(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		f := fill(t, open(t, url))
		var g sync.WaitGroup
		begun := make(chan struct{})
		for process := range 3 {
			g.Go(func() {
				for i := range 50 {
					if process == 0 && i == 10 {
						close(begun)
					}
					at := start.Add(time.Duration(i/2) * time.Minute) // every second point exists already
					var points []store.PacePoint
					for _, group := range f.groups {
						points = append(points, store.PacePoint{GroupID: group, Resolution: 30, At: at, Pace: store.Pace{Checks: 1}},
							store.PacePoint{GroupID: group, Resolution: 300, At: start, Pace: store.Pace{Checks: 1}})
					}
					check(t, f.AddPace(t.Context(), points))
				}
			})
		}
		<-begun
		write(t, f.Store, func(ctx context.Context, tx *store.Tx) error {
			return tx.Client().Group.DeleteOneID(f.groups[0]).Exec(ctx)
		})
		g.Wait()
		sum := 0
		for _, p := range f.Reader().PacePoint.Query().AllX(t.Context()) {
			if p.GroupID != f.groups[1] {
				t.Error("a deleted group has points")
			}
			sum += p.Checks
		}
		if sum != 300 {
			t.Errorf("%d checks of the other group, want 300", sum)
		}
	})
}
