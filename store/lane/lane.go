// Package lane is a group commit: it processes the items of many callers in
// one transaction at a time. It does not know what an item is, nor what a
// transaction does.
package lane

import (
	"context"
	"errors"
	"sync"
)

// ErrFull is returned while the queue is full. Try again later.
var ErrFull = errors.New("the lane is full")

// ErrClosed is returned after Close.
var ErrClosed = errors.New("the lane is closed")

// Options bound a lane.
type Options struct {
	// Batch is the most items in one transaction. A few hundred amortise the cost
	// of the commit without adding noticeable latency.
	Batch int
	// Waiting is the most items in the queue. Do returns ErrFull if it is full.
	Waiting int
}

// A Commit processes items in one transaction and commits it. It returns the
// items that need another transaction; they come first in the next batch. If it
// fails, its transaction was rolled back.
type Commit[T comparable] func(ctx context.Context, items []T) (again []T, err error)

// Lane commits items of many callers together. While one transaction runs, the
// next batch gathers in the queue. It is safe for concurrent use.
type Lane[T comparable] struct {
	options Options
	commit  Commit[T]
	queue   chan *work[T]
	closing chan struct{}
	close   sync.Once
	done    chan struct{}
}

type work[T comparable] struct {
	item   T
	result chan error
}

// New starts a lane.
func New[T comparable](o Options, commit Commit[T]) *Lane[T] {
	l := &Lane[T]{options: o, commit: commit, queue: make(chan *work[T], o.Waiting),
		closing: make(chan struct{}), done: make(chan struct{})}
	go l.run()
	return l
}

// Do returns nil when the item is committed, or the error that prevented it. If
// ctx ends first the item may still be committed.
func (l *Lane[T]) Do(ctx context.Context, item T) error {
	w := &work[T]{item: item, result: make(chan error, 1)}
	select {
	case <-l.closing:
		return ErrClosed
	default:
	}
	select {
	case l.queue <- w:
	default:
		return ErrFull
	}
	select {
	case err := <-w.result:
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-l.done:
		// Either it was answered while the lane drained, or it was queued too late.
		select {
		case err := <-w.result:
			return err
		default:
			return ErrClosed
		}
	}
}

// Close refuses new items, commits those in the queue and returns.
func (l *Lane[T]) Close() {
	l.close.Do(func() { close(l.closing) })
	<-l.done
}

// Waiting is the number of items in the queue.
func (l *Lane[T]) Waiting() int { return len(l.queue) }

func (l *Lane[T]) run() {
	defer close(l.done)
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
		for len(batch) < l.options.Batch {
			select {
			case w := <-l.queue:
				batch = append(batch, w)
			default:
				break gather
			}
		}
		batch = l.process(batch)
	}
}

// process commits one batch and returns the items that need another transaction.
// If a batch fails, its items are retried one by one, so that a bad item fails
// alone.
func (l *Lane[T]) process(batch []*work[T]) []*work[T] {
	left, err := l.attempt(batch)
	if err == nil {
		return left
	}
	if len(batch) == 1 {
		batch[0].result <- err
		return nil
	}
	for _, w := range batch {
		more, err := l.attempt([]*work[T]{w})
		if err != nil {
			w.result <- err
			continue
		}
		left = append(left, more...)
	}
	return left
}

// attempt commits a batch and answers its callers. If it fails it returns the
// error and answers none of them.
func (l *Lane[T]) attempt(batch []*work[T]) (left []*work[T], err error) {
	items := make([]T, len(batch))
	for i, w := range batch {
		items[i] = w.item
	}
	// Not the context of one request: its end must not cancel the whole batch.
	again, err := l.commit(context.Background(), items)
	if err != nil {
		return nil, err
	}
	unfinished := make(map[T]struct{}, len(again))
	for _, item := range again {
		unfinished[item] = struct{}{}
	}
	for _, w := range batch {
		if _, ok := unfinished[w.item]; ok {
			left = append(left, w)
		} else {
			w.result <- nil
		}
	}
	return left, nil
}
