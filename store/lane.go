package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/lib/pq"
)

// ErrLaneFull says that more work waits than the lane takes; try again later.
var ErrLaneFull = errors.New("the check-in lane is full")

// ErrLaneClosed says that the lane is draining or gone.
var ErrLaneClosed = errors.New("the check-in lane is closed")

// LaneOptions bound a lane.
type LaneOptions struct {
	// Batch is how many items share a transaction. A few hundred: enough that
	// the cost of a commit is spread thin, few enough that nobody waits long.
	Batch int
	// Waiting is how many items may wait; past it Do answers ErrLaneFull.
	Waiting int
	Now     func() time.Time
}

// Lane commits work of many callers together. One goroutine takes what waits
// (while a transaction runs, the next batch gathers), hands it to process in
// one transaction and answers every caller after the commit.
type Lane[T comparable] struct {
	store   *Store
	process func(ctx context.Context, tx *Tx, items []T) (again []T, err error)
	batch   int
	now     func() time.Time
	queue   chan *work[T]
	closing chan struct{}
	close   sync.Once
	done    chan struct{}
	answer  func() // tells the callers of the last batch
}

// answerWithin is how long callers may wait for their answer after the commit.
// Their answers are work for the processors, and the next batch has its first
// words with the database meanwhile: it would wait for them, and they would
// have nothing to do while the database writes. So they are told then, or after
// this long, whichever is first.
const answerWithin = 2 * time.Millisecond

type work[T comparable] struct {
	item   T
	result chan error
}

// NewLane starts a lane. process may return items that need another
// transaction; they come first in the next. It may be run more than once for
// the same items, each time on a fresh transaction, so it must begin anew.
func NewLane[T comparable](s *Store, o LaneOptions, process func(ctx context.Context, tx *Tx, items []T) (again []T, err error)) *Lane[T] {
	l := &Lane[T]{store: s, process: process, batch: o.Batch, now: o.Now,
		queue: make(chan *work[T], o.Waiting), closing: make(chan struct{}), done: make(chan struct{}), answer: func() {}}
	go run(l)
	return l
}

// Do returns when the item is committed, or with the error that kept it from
// being so. When ctx ends first the item may still be committed.
func (l *Lane[T]) Do(ctx context.Context, item T) error {
	w := &work[T]{item: item, result: make(chan error, 1)}
	select {
	case <-l.closing:
		return ErrLaneClosed
	default:
	}
	select {
	case l.queue <- w:
	default:
		return ErrLaneFull
	}
	select {
	case err := <-w.result:
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-l.done:
		// Answered while it drained, or too late to be taken.
		select {
		case err := <-w.result:
			return err
		default:
			return ErrLaneClosed
		}
	}
}

// Close takes no more work, commits what waits and returns.
func (l *Lane[T]) Close() {
	l.close.Do(func() { close(l.closing) })
	<-l.done
}

func run[T comparable](l *Lane[T]) {
	defer func() {
		l.answer()
		close(l.done)
	}()
	var batch []*work[T]
	for {
		if len(batch) == 0 {
			select {
			case w := <-l.queue:
				batch = append(batch, w)
			case <-l.closing:
				select {
				case w := <-l.queue:
					batch = append(batch, w)
				default:
					return
				}
			}
		}
	gather:
		for len(batch) < l.batch {
			select {
			case w := <-l.queue:
				batch = append(batch, w)
			default:
				break gather
			}
		}
		batch = commit(l, batch)
	}
}

// commit runs one batch and returns the work that needs another transaction.
// A batch that fails is retried item by item, so that one bad row fails alone.
func commit[T comparable](l *Lane[T], batch []*work[T]) []*work[T] {
	left, err := attempt(l, batch)
	if err == nil {
		return left
	}
	if len(batch) == 1 {
		batch[0].result <- err
		return nil
	}
	for _, w := range batch {
		one := []*work[T]{w}
		l1, err := attempt(l, one)
		if err != nil {
			w.result <- err
			continue
		}
		left = append(left, l1...)
	}
	return left
}

// overtaken is how often work is begun anew after a deadlock or ErrAgain.
const overtaken = 5

// attempt commits a batch and answers it, or answers nobody and returns the
// error.
func attempt[T comparable](l *Lane[T], batch []*work[T]) (left []*work[T], err error) {
	items := make([]T, len(batch))
	for i, w := range batch {
		items[i] = w.item
	}
	// The lane outlives the requests it serves: their contexts do not end it.
	ctx := context.Background()
	var again []T
	for range overtaken {
		err = l.store.Write(ctx, l.now(), func(tx *Tx) error {
			var err error
			tx.meanwhile = l.answer
			again, err = l.process(ctx, tx, items)
			return err
		})
		if !transient(err) {
			break
		}
	}
	if err != nil {
		return nil, fmt.Errorf("check-in: %w", err)
	}
	waiting := make(map[T]struct{}, len(again))
	for _, item := range again {
		waiting[item] = struct{}{}
	}
	done := make([]*work[T], 0, len(batch))
	for _, w := range batch {
		if _, ok := waiting[w.item]; ok {
			left = append(left, w)
		} else {
			done = append(done, w)
		}
	}
	l.answer() // those of the batch before, if it was not done
	l.answer = sync.OnceFunc(func() {
		for _, w := range done {
			w.result <- nil
		}
	})
	if len(left)+len(l.queue) == 0 || !l.store.postgres() { // nothing to wait for
		l.answer()
	} else {
		time.AfterFunc(answerWithin, l.answer)
	}
	return left, nil
}

// transient reports whether the same work may succeed when begun anew: another
// process was in the way (ErrAgain) or a deadlock was broken.
func transient(err error) bool {
	if errors.Is(err, ErrAgain) {
		return true
	}
	e, ok := errors.AsType[*pq.Error](err)
	return ok && (e.Code == "40P01" || e.Code == "40001")
}

// Waiting is how many items are in the queue now.
func (l *Lane[T]) Waiting() int { return len(l.queue) }
