package store_test

import (
	"context"
	"runtime"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/coreroller/coreroller/store"
	"github.com/coreroller/coreroller/store/lane"
	"github.com/coreroller/coreroller/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func now() time.Time { return start }

func TestAViolatedConstraintFailsOneItem(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		f := fill(t, open(t, url))
		began, release := make(chan struct{}), make(chan struct{})
		var once sync.Once
		lane := store.NewLane(f.Store, lane.Options{Batch: 10, Waiting: 10}, now, func(ctx context.Context, tx *store.Tx, items []string) ([]string, error) {
			once.Do(func() { close(began); <-release })
			for _, name := range items {
				// A name twice violates a constraint of the database itself.
				if err := tx.Client().Team.Create().SetID(store.NewID(start)).SetName(name).SetCreatedAt(start).Exec(ctx); err != nil {
					return nil, err
				}
			}
			return nil, nil
		})
		results := map[string]error{}
		var mu sync.Mutex
		var g sync.WaitGroup
		do := func(name string) {
			g.Go(func() {
				err := lane.Do(t.Context(), name)
				mu.Lock()
				results[name] = err
				mu.Unlock()
			})
		}
		do("first")
		<-began
		for _, name := range []string{"a", "default", "b"} { // "default" exists
			do(name)
		}
		for lane.Waiting() < 3 {
			runtime.Gosched()
		}
		close(release)
		g.Wait()
		lane.Close()
		for name, err := range results {
			if bad := name == "default"; bad != store.IsConflict(err) || !bad && err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if n := f.Reader().Team.Query().CountX(t.Context()); n != 4 {
			t.Errorf("%d teams, want 4", n)
		}
	})
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}
