package fleet

import (
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
)

const (
	// viewAge is how long a group's ledger is believed without looking. Within
	// it a machine may be told to wait once more although another process just
	// freed a slot; it is never granted anything from memory.
	viewAge = time.Second
	// viewRenewal is when one check is sent to look, so that the others do not
	// have to.
	viewRenewal = viewAge / 2
	// idleShards spreads the memory of machines over locks.
	idleShards = 64
	// idleLimit is how many machines a shard remembers. One that is forgotten
	// is read from the database at its next check.
	idleLimit = 250_000
	// believedFor ends the memory of a machine well before the worker may count
	// it as silent.
	believedFor = silentAfter / 2
)

// idleMemory answers the checks that change nothing but when a machine was last
// seen: known, same words as before, nothing under way, and the engine would
// say the same again. Nothing true lives here: it holds what was committed, and
// it only ever says no.
type idleMemory struct {
	seed   maphash.Seed
	shards [idleShards]idleShard
	views  sync.Map // group id → *view
	seen   seenQueue
	full   chan struct{} // closed when recall is done
}

// idleShard holds no pointers in its map, however many machines it remembers:
// the garbage collector does not look into it.
type idleShard struct {
	mu       sync.Mutex
	machines map[uuid.UUID]idleMachine
	// learned are machines that checked in while recall reads older rows; nil
	// when it is done.
	learned map[uuid.UUID]struct{}
}

// idleMachine is an active machine with nothing under way.
type idleMachine struct {
	words  uint64 // hash of everything it said of itself, with its group
	seen   int64  // Unix microseconds
	state  rollout.State
	reason rollout.Reason
	queued bool // seen will be written
}

// view is a group as a committed batch left it. Its world is never changed.
type view struct {
	group *Group
	world rollout.World
	at    time.Time
	seq   uint64

	meter    *meter
	pace     store.Pace  // the highest in the batch
	noted    atomic.Bool // in the meter
	renewing atomic.Bool // somebody is on his way to look again
}

// committed is called by every check-in of the batch when it is on disk.
func (v *view) committed() {
	if v.noted.CompareAndSwap(false, true) {
		v.meter.note(v.pace)
	}
}

// believed reports whether the ledger may be believed at a moment. Once in the
// life of a view the answer is no before it must be.
func (v *view) believed(now time.Time) bool {
	age := now.Sub(v.at)
	return age <= viewRenewal || age <= viewAge && !v.renewing.CompareAndSwap(false, true)
}

func newIdleMemory() *idleMemory {
	m := &idleMemory{seed: maphash.MakeSeed(), full: make(chan struct{})}
	for i := range m.shards {
		m.shards[i] = idleShard{machines: map[uuid.UUID]idleMachine{}, learned: map[uuid.UUID]struct{}{}}
	}
	return m
}

func (i *idleMemory) shard(id uuid.UUID) *idleShard { return &i.shards[id[0]%idleShards] }

// answer answers a check from memory, or says that it must go through the lane.
func (i *idleMemory) answer(c *call, now time.Time) (Answer, bool) {
	for k := range c.in.Events {
		if !saysIdle(&c.in.Events[k]) {
			return Answer{}, false
		}
	}
	if !c.in.UpdateCheck && !c.in.Ping {
		return Answer{}, false
	}
	words, at := i.said(c), now.UnixMicro()
	s := i.shard(c.instance)
	s.mu.Lock()
	m, known := s.machines[c.instance]
	s.mu.Unlock()
	if !known || m.words != words || at-m.seen > believedFor.Microseconds() {
		return Answer{}, false
	}
	found, _ := i.views.Load(c.group.ID)
	v, _ := found.(*view)
	if v == nil || v.group.App.Revision != c.group.App.Revision {
		return Answer{}, false
	}
	answer := Answer{PollInterval: v.group.Schedule.Policy().PollInterval}
	if c.in.UpdateCheck {
		machine := rollout.Machine{ID: c.in.Machine, Version: c.version, State: m.state, Standing: rollout.StandingActive, Reason: m.reason}
		answer.Decision = rollout.Decide(&v.world, &machine, rollout.Check{OnDemand: c.in.OnDemand}, now)
		same := answer.Decision.Reason == m.reason
		settled := m.reason == rollout.ReasonUpToDate || m.reason == rollout.ReasonNoPackage
		if !same || !settled && (!m.reason.Holds() || !v.believed(now)) {
			return Answer{}, false
		}
		v.meter.checks.Add(1)
	}
	i.note(s, c.instance, m, at)
	return answer, true
}

// note keeps when a machine was seen, unless somebody who knows better wrote it
// meanwhile, and has that written down.
func (i *idleMemory) note(s *idleShard, id uuid.UUID, was idleMachine, at int64) {
	is := was
	is.seen, is.queued = at, true
	s.mu.Lock()
	if s.machines[id] == was {
		s.machines[id] = is
	}
	s.mu.Unlock()
	if !was.queued {
		i.seen.put(sighting{id, at})
	}
}

// saysIdle reports whether an event is the one every check of the OS daemon
// carries to say that it is idle.
func saysIdle(e *rollout.Event) bool {
	return e.Type == 3 && e.Result == 2 && (e.PreviousVersion == "" || e.PreviousVersion == "0.0.0.0")
}

// remember keeps a machine after its check-in was committed, if it is idle.
func (i *idleMemory) remember(c *call) {
	if c.view != nil {
		i.show(c.view)
	}
	if c.after == nil {
		return
	}
	s := i.shard(c.instance)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.learned != nil {
		s.learned[c.instance] = struct{}{}
	}
	i.keep(s, c.after)
}

// keep is called with the shard locked.
func (i *idleMemory) keep(s *idleShard, m *store.Machine) {
	if m.Attempt.Open() || m.Override.Kind != rollout.OverrideNone || m.Standing != rollout.StandingActive || m.Moved ||
		!m.FailedVersion.IsZero() || !m.QuarantinedVersion.IsZero() {
		delete(s.machines, m.InstanceID)
		return
	}
	if _, known := s.machines[m.InstanceID]; !known && len(s.machines) >= idleLimit {
		for id := range s.machines { // any one will do
			delete(s.machines, id)
			break
		}
	}
	s.machines[m.InstanceID] = idleMachine{words: i.kept(m), seen: m.LastSeenAt.UnixMicro(), state: m.State, reason: m.Reason}
}

// show keeps the newest view of a group.
func (i *idleMemory) show(v *view) {
	for {
		old, loaded := i.views.LoadOrStore(v.group.ID, v)
		if !loaded || old.(*view).seq >= v.seq || i.views.CompareAndSwap(v.group.ID, old, v) {
			return
		}
	}
}

// size is how many machines are remembered.
func (i *idleMemory) size() (n int) {
	for k := range i.shards {
		s := &i.shards[k]
		s.mu.Lock()
		n += len(s.machines)
		s.mu.Unlock()
	}
	return n
}

// forget drops machines that a person changed.
func (i *idleMemory) forget(ids ...uuid.UUID) {
	for _, id := range ids {
		s := i.shard(id)
		s.mu.Lock()
		delete(s.machines, id)
		if s.learned != nil {
			s.learned[id] = struct{}{}
		}
		s.mu.Unlock()
	}
}

// clear drops every machine, after something may have been missed.
func (i *idleMemory) clear() {
	for k := range i.shards {
		s := &i.shards[k]
		s.mu.Lock()
		clear(s.machines)
		s.mu.Unlock()
	}
}
