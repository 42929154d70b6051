package lane_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/coreroller/coreroller/store/lane"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

// block returns a commit function that holds the batch of item 0, and channels
// that report and release it.
func block(f func(items []int) ([]int, error)) (commit lane.Commit[int], began, release chan struct{}) {
	began, release = make(chan struct{}), make(chan struct{})
	var once sync.Once
	return func(_ context.Context, items []int) ([]int, error) {
		if items[0] == 0 {
			once.Do(func() {
				close(began)
				<-release
			})
		}
		return f(items)
	}, began, release
}

// await returns when n items are in the queue.
func await(l *lane.Lane[int], n int) {
	for l.Waiting() < n {
		runtime.Gosched()
	}
}

func TestWaitingItemsShareATransaction(t *testing.T) {
	var sizes []int
	commit, began, release := block(func(items []int) ([]int, error) {
		sizes = append(sizes, len(items))
		return nil, nil
	})
	l := lane.New(lane.Options{Batch: 10, Waiting: 100}, commit)
	var g sync.WaitGroup
	g.Go(func() { check(t, l.Do(t.Context(), 0)) })
	<-began
	for i := range 25 {
		g.Go(func() { check(t, l.Do(t.Context(), i+1)) })
	}
	await(l, 25)
	close(release)
	g.Wait()
	l.Close()
	if want := []int{1, 10, 10, 5}; !slices.Equal(sizes, want) {
		t.Errorf("batches of %v items, want %v", sizes, want)
	}
	if err := l.Do(t.Context(), 1); !errors.Is(err, lane.ErrClosed) {
		t.Errorf("Do on a closed lane returned %v", err)
	}
}

func TestCallersOfABatchDoNotWaitForTheNextBatch(t *testing.T) {
	answered := make(chan struct{})
	commit, began, release := block(func(items []int) ([]int, error) {
		if items[0] == 1 {
			<-answered
		}
		return nil, nil
	})
	l := lane.New(lane.Options{Batch: 1, Waiting: 2}, commit)
	var g sync.WaitGroup
	g.Go(func() {
		check(t, l.Do(t.Context(), 0))
		close(answered)
	})
	<-began
	g.Go(func() { check(t, l.Do(t.Context(), 1)) })
	await(l, 1)
	close(release)
	g.Wait()
	l.Close()
}

func TestAFullLaneRefusesItems(t *testing.T) {
	commit, began, release := block(func([]int) ([]int, error) { return nil, nil })
	l := lane.New(lane.Options{Batch: 1, Waiting: 1}, commit)
	var g sync.WaitGroup
	g.Go(func() { check(t, l.Do(t.Context(), 0)) })
	<-began
	g.Go(func() { check(t, l.Do(t.Context(), 1)) })
	await(l, 1)
	if err := l.Do(t.Context(), 2); !errors.Is(err, lane.ErrFull) {
		t.Errorf("Do on a full lane returned %v", err)
	}
	close(release)
	g.Wait()
	l.Close()
}

func TestABadItemFailsAlone(t *testing.T) {
	bad := errors.New("bad")
	commit, began, release := block(func(items []int) ([]int, error) {
		if slices.Contains(items, 2) {
			return nil, bad
		}
		return nil, nil
	})
	l := lane.New(lane.Options{Batch: 10, Waiting: 10}, commit)
	var g sync.WaitGroup
	do := func(item int, want error) {
		g.Go(func() {
			if err := l.Do(t.Context(), item); !errors.Is(err, want) {
				t.Errorf("item %d: %v, want %v", item, err, want)
			}
		})
	}
	do(0, nil)
	<-began
	do(1, nil)
	do(2, bad)
	do(3, nil)
	await(l, 3)
	close(release)
	g.Wait()
	l.Close()
}

func TestUnfinishedItemsComeInTheNextTransaction(t *testing.T) {
	rounds := map[int]int{}
	l := lane.New(lane.Options{Batch: 10, Waiting: 10}, func(_ context.Context, items []int) (again []int, err error) {
		for _, i := range items {
			if rounds[i]++; rounds[i] < i {
				again = append(again, i)
			}
		}
		return again, nil
	})
	check(t, l.Do(t.Context(), 3))
	l.Close()
	if rounds[3] != 3 {
		t.Errorf("processed %d times, want 3", rounds[3])
	}
}
