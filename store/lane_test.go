package store_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/coreroller/coreroller/store"
	"github.com/coreroller/coreroller/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func now() time.Time { return start }

func TestALaneCommitsWhatWaitsTogether(t *testing.T) {
	s := open(t, storetest.SQLite(t))
	var mu sync.Mutex
	var sizes []int
	first, go_ := make(chan struct{}), make(chan struct{})
	lane := store.NewLane(s, store.LaneOptions{Batch: 10, Waiting: 100, Now: now}, func(_ context.Context, _ *store.Tx, items []int) ([]int, error) {
		mu.Lock()
		sizes = append(sizes, len(items))
		mu.Unlock()
		if items[0] == 0 {
			close(first)
			<-go_
		}
		return nil, nil
	})
	var g sync.WaitGroup
	g.Go(func() { check(t, lane.Do(t.Context(), 0)) })
	<-first // the lane is busy: the others gather
	for i := range 25 {
		g.Go(func() { check(t, lane.Do(t.Context(), i+1)) })
	}
	for lane.Waiting() < 25 { // each is in the queue before the lane goes on
		runtime.Gosched()
	}
	close(go_)
	g.Wait()
	lane.Close()
	if want := []int{1, 10, 10, 5}; !slices.Equal(sizes, want) {
		t.Errorf("batches of %v, want %v", sizes, want)
	}
	if err := lane.Do(t.Context(), 1); !errors.Is(err, store.ErrLaneClosed) {
		t.Errorf("a closed lane answers %v", err)
	}
}

// Callers may be told while the database writes the next batch, not after it.
func TestTheCallersOfABatchDoNotWaitForTheNext(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url)
		began, go_, answered := make(chan struct{}), make(chan struct{}), make(chan struct{})
		lane := store.NewLane(s, store.LaneOptions{Batch: 1, Waiting: 2, Now: now}, func(_ context.Context, _ *store.Tx, items []int) ([]int, error) {
			if items[0] == 0 {
				close(began)
				<-go_
			} else {
				<-answered // nothing is written before
			}
			return nil, nil
		})
		var g sync.WaitGroup
		g.Go(func() {
			check(t, lane.Do(t.Context(), 0))
			close(answered)
		})
		<-began
		g.Go(func() { check(t, lane.Do(t.Context(), 1)) })
		for lane.Waiting() < 1 {
			runtime.Gosched()
		}
		close(go_)
		g.Wait()
		lane.Close()
	})
}

func TestAFullLaneSaysSo(t *testing.T) {
	s := open(t, storetest.SQLite(t))
	began, go_ := make(chan struct{}), make(chan struct{})
	lane := store.NewLane(s, store.LaneOptions{Batch: 1, Waiting: 1, Now: now}, func(_ context.Context, _ *store.Tx, items []int) ([]int, error) {
		if items[0] == 0 {
			close(began)
			<-go_
		}
		return nil, nil
	})
	var g sync.WaitGroup
	g.Go(func() { check(t, lane.Do(t.Context(), 0)) })
	<-began
	g.Go(func() { check(t, lane.Do(t.Context(), 1)) })
	for lane.Waiting() < 1 {
		runtime.Gosched()
	}
	if err := lane.Do(t.Context(), 2); !errors.Is(err, store.ErrLaneFull) {
		t.Errorf("a full lane answers %v", err)
	}
	close(go_)
	g.Wait()
	lane.Close()
}

func TestOneBadItemFailsAlone(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		f := fill(t, open(t, url))
		began, go_ := make(chan struct{}), make(chan struct{})
		var once sync.Once
		lane := store.NewLane(f.Store, store.LaneOptions{Batch: 10, Waiting: 10, Now: now}, func(ctx context.Context, tx *store.Tx, items []string) ([]string, error) {
			once.Do(func() { close(began); <-go_ })
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
		close(go_)
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

func TestWorkThatNeedsMoreIsDoneInTheNextTransaction(t *testing.T) {
	s := open(t, storetest.SQLite(t))
	rounds := map[int]int{}
	lane := store.NewLane(s, store.LaneOptions{Batch: 10, Waiting: 10, Now: now}, func(_ context.Context, _ *store.Tx, items []int) (again []int, err error) {
		for _, i := range items {
			if rounds[i]++; rounds[i] < i {
				again = append(again, i)
			}
		}
		return again, nil
	})
	check(t, lane.Do(t.Context(), 3))
	lane.Close()
	if rounds[3] != 3 {
		t.Errorf("tried %d times", rounds[3])
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}
