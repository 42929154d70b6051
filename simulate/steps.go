package simulate

import (
	"container/heap"
	"context"
	"slices"
	"sync"
	"time"
)

// Steps runs a fleet in simulated time, as fast as the server answers. In one step the
// machines do what is due since the last one, so the server's clock stands still
// meanwhile. A machine that is due several times within a step sends its requests one
// after the other. It is not safe for concurrent use.
type Steps struct {
	Connections int // concurrent requests
	Send        func(ctx context.Context, body []byte) Response
	OnExchange  func(Exchange) // called in the order of the requests' times; may be nil

	heap schedule
	gone map[*Machine]bool
}

// Add adds machines. Their first checks are spread over one interval after now.
func (s *Steps) Add(now time.Duration, machines ...*Machine) {
	for _, m := range machines {
		heap.Push(&s.heap, entry{now + time.Duration(m.random.Float64()*float64(m.behavior.Interval)), m})
	}
}

// Remove ends a machine: it sends nothing any more.
func (s *Steps) Remove(m *Machine) {
	if s.gone == nil {
		s.gone = map[*Machine]bool{}
	}
	s.gone[m] = true
}

// Until sends every request that is due by a time, and waits for the responses.
func (s *Steps) Until(ctx context.Context, now time.Duration) {
	for ctx.Err() == nil {
		due := s.due(now)
		if len(due) == 0 {
			return
		}
		s.send(ctx, due)
		for _, x := range due {
			x.Result = x.Machine.receive(x.at, x.Response)
			if s.OnExchange != nil {
				s.OnExchange(*x)
			}
			heap.Push(&s.heap, entry{x.at + x.Result.Wait, x.Machine})
		}
	}
}

// due takes the machines with a request by a time out of the heap.
func (s *Steps) due(now time.Duration) (due []*Exchange) {
	for len(s.heap) > 0 && s.heap[0].at <= now {
		e := heap.Pop(&s.heap).(entry)
		if s.gone[e.machine] {
			delete(s.gone, e.machine)
			continue
		}
		due = append(due, &Exchange{Machine: e.machine, Request: e.machine.next(e.at), at: e.at})
	}
	return due
}

// send sends requests, each connection an equal part of them.
func (s *Steps) send(ctx context.Context, all []*Exchange) {
	var g sync.WaitGroup
	for part := range slices.Chunk(all, (len(all)+s.Connections-1)/s.Connections) {
		g.Go(func() {
			for _, x := range part {
				x.Response = s.Send(ctx, x.body())
			}
		})
	}
	g.Wait()
}
