package simulate

import (
	"container/heap"
	"context"
	"time"
)

// Simulation runs a fleet of machines. It keeps them in a heap by the time of
// their next request. One goroutine owns the machines and the statistics, and
// sender goroutines do the HTTP requests. A machine is either in the heap or
// with a sender.
type Simulation struct {
	Machines    []*Machine
	Speed       float64 // simulated seconds per real second
	Connections int     // concurrent requests
	Send        func(ctx context.Context, body []byte) Response
	OnExchange  func(Exchange)   // called in the owner's goroutine; may be nil
	OnProgress  func(Stats)      // called about every second; may be nil
	Now         func() time.Time // real time

	stats Stats
	heap  schedule
	start time.Time
}

// Exchange is one request with its response.
type Exchange struct {
	Machine  *Machine
	Request  Request
	Response Response
	Result   Result
	at       time.Duration
}

// body is the request as the machine encodes it.
func (x *Exchange) body() []byte {
	if x.Machine.program {
		return programXML(&x.Machine.Identity, x.Request)
	}
	return daemonXML(&x.Machine.Identity, x.Request)
}

// Run runs the fleet until the context ends and waits for requests in flight.
func (s *Simulation) Run(ctx context.Context) Stats {
	s.init()
	// Each channel has room for all requests in flight, so that neither side
	// blocks the other at the end.
	work, done := make(chan *Exchange, s.Connections), make(chan *Exchange, s.Connections)
	for range s.Connections {
		go s.send(ctx, work, done)
	}
	defer close(work)
	timer, progress := time.NewTimer(0), time.NewTicker(time.Second)
	defer timer.Stop()
	defer progress.Stop()
	inFlight := 0
	for ctx.Err() == nil {
		for inFlight < s.Connections && len(s.heap) > 0 && s.heap[0].at <= s.elapsed() {
			e := heap.Pop(&s.heap).(entry)
			work <- &Exchange{Machine: e.machine, Request: e.machine.next(e.at), at: e.at}
			inFlight++
		}
		timer.Reset(s.untilNext(inFlight))
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-progress.C:
			s.report()
		case x := <-done:
			inFlight--
			s.finish(x)
		}
	}
	for ; inFlight > 0; inFlight-- {
		s.finish(<-done)
	}
	s.report()
	return s.stats
}

// init spreads the first checks over one interval, as in a fleet that runs
// already.
func (s *Simulation) init() {
	s.start = s.Now()
	s.stats = newStats(s.Machines)
	for _, m := range s.Machines {
		at := time.Duration(m.random.Float64() * float64(m.behavior.Interval))
		s.heap = append(s.heap, entry{at, m})
	}
	heap.Init(&s.heap)
}

// send is one sender. The end of the simulation does not cancel requests in
// flight; the client's timeout limits them.
func (s *Simulation) send(ctx context.Context, work <-chan *Exchange, done chan<- *Exchange) {
	ctx = context.WithoutCancel(ctx)
	for x := range work {
		x.Response = s.Send(ctx, x.body())
		done <- x
	}
}

// finish passes a response to its machine and schedules the next request.
func (s *Simulation) finish(x *Exchange) {
	reason := x.Machine.reason
	// The wait starts when the response arrives, so that a slow server does not
	// shorten it.
	now := max(x.at, s.elapsed())
	x.Result = x.Machine.receive(now, x.Response)
	s.stats.add(x, reason)
	if s.OnExchange != nil {
		s.OnExchange(*x)
	}
	heap.Push(&s.heap, entry{now + x.Result.Wait, x.Machine})
}

// elapsed is the simulated time since the start.
func (s *Simulation) elapsed() time.Duration {
	return time.Duration(float64(s.Now().Sub(s.start)) * s.Speed)
}

// untilNext is the real time until the next request is due.
func (s *Simulation) untilNext(inFlight int) time.Duration {
	const idle = time.Minute
	if len(s.heap) == 0 || inFlight == s.Connections {
		return idle
	}
	return max(0, time.Duration(float64(s.heap[0].at-s.elapsed())/s.Speed))
}

func (s *Simulation) report() {
	s.stats.Elapsed = s.Now().Sub(s.start)
	if s.OnProgress != nil {
		s.OnProgress(s.stats.snapshot())
	}
}

// schedule is a heap of machines by the simulated time of their next request.
type schedule []entry

type entry struct {
	at      time.Duration
	machine *Machine
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
