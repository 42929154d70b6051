package main

import (
	"container/heap"
	"context"
	"net/http"
	"time"
)

// simulation lets a fleet of machines live: it keeps them in a heap by the
// moment of their next action and hands those that are due to a few senders.
// One goroutine owns the machines and the tally; a machine is with a sender or
// in the heap, never both.
type simulation struct {
	Machines []*machine
	Speed    float64 // simulated seconds in one real second
	Senders  int     // requests at the same time
	Send     func(ctx context.Context, body []byte) reply
	Observe  func(exchange)   // of every exchange, in the owner's goroutine; may be nil
	Progress func(tally)      // about every second; may be nil
	Now      func() time.Time // real time

	tally tally
	heap  schedule
	start time.Time
}

// exchange is one request with its answer.
type exchange struct {
	Machine *machine
	Sent    message
	Reply   reply
	Turn    turn
	at      time.Duration
}

// Run lets the fleet live until the context ends, waits for the answers that
// are under way and returns what was counted.
func (s *simulation) Run(ctx context.Context) tally {
	s.begin()
	// Both channels hold what all senders can have at once, so that neither
	// side ever waits for the other while it stops.
	work, done := make(chan *exchange, s.Senders), make(chan *exchange, s.Senders)
	for range s.Senders {
		go s.send(ctx, work, done)
	}
	defer close(work)
	timer, progress := time.NewTimer(0), time.NewTicker(time.Second)
	defer timer.Stop()
	defer progress.Stop()
	under := 0
	for ctx.Err() == nil {
		for under < s.Senders && len(s.heap) > 0 && s.heap[0].at <= s.elapsed() {
			e := heap.Pop(&s.heap).(entry)
			work <- &exchange{Machine: e.machine, Sent: e.machine.act(e.at), at: e.at}
			under++
		}
		timer.Reset(s.untilNext(under))
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-progress.C:
			s.report()
		case x := <-done:
			under--
			s.settle(x)
		}
	}
	for ; under > 0; under-- {
		s.settle(<-done)
	}
	s.report()
	return s.tally
}

// begin spreads the fleet over one interval, as a fleet that runs already.
func (s *simulation) begin() {
	s.start = s.Now()
	s.tally = newTally(s.Machines)
	for _, m := range s.Machines {
		at := time.Duration(m.random.Float64() * float64(m.habits.Interval))
		s.heap = append(s.heap, entry{at, m})
	}
	heap.Init(&s.heap)
}

// send is one sender. A machine's answer under way is not cut off by the end
// of the simulation, but it does not wait longer for it than the client allows.
func (s *simulation) send(ctx context.Context, work <-chan *exchange, done chan<- *exchange) {
	ctx = context.WithoutCancel(ctx)
	for x := range work {
		body := daemonXML(&x.Machine.id, x.Sent)
		if x.Machine.program {
			body = programXML(&x.Machine.id, x.Sent)
		}
		x.Reply = s.Send(ctx, body)
		done <- x
	}
}

func (s *simulation) settle(x *exchange) {
	before := x.Machine.reason
	// The machine's own clock goes on from the moment it acted, so that a slow
	// server does not shorten its waits.
	now := max(x.at, s.elapsed())
	x.Turn = x.Machine.hear(now, x.Reply)
	s.tally.add(x, before)
	if s.Observe != nil {
		s.Observe(*x)
	}
	heap.Push(&s.heap, entry{now + x.Turn.Wait, x.Machine})
}

// elapsed is the simulated time since the simulation began.
func (s *simulation) elapsed() time.Duration {
	return time.Duration(float64(s.Now().Sub(s.start)) * s.Speed)
}

// untilNext is the real time until the next machine is due.
func (s *simulation) untilNext(under int) time.Duration {
	const idle = time.Minute
	if len(s.heap) == 0 || under == s.Senders {
		return idle
	}
	return max(0, time.Duration(float64(s.heap[0].at-s.elapsed())/s.Speed))
}

func (s *simulation) report() {
	s.tally.Elapsed = s.Now().Sub(s.start)
	if s.Progress != nil {
		s.Progress(s.tally.snapshot())
	}
}

// schedule is a heap of machines by the simulated time of their next action.
type schedule []entry

type entry struct {
	at      time.Duration
	machine *machine
}

func (h schedule) Len() int           { return len(h) }
func (h schedule) Less(i, j int) bool { return h[i].at < h[j].at }
func (h schedule) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *schedule) Push(x any)        { *h = append(*h, x.(entry)) }
func (h *schedule) Pop() any {
	old := *h
	e := old[len(old)-1]
	*h = old[:len(old)-1]
	return e
}

// okay reports whether a reply is one that machines look into.
func (r reply) okay() bool { return r.Status == http.StatusOK }
