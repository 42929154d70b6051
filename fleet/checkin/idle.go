package checkin

import (
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/pace"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
)

const (
	// viewAge is how long a cached ledger may be used. During this time a machine
	// may be held although another process just freed a slot. Nothing is ever
	// granted from the cache.
	viewAge = time.Second
	// viewRenewal is the age at which one check-in refreshes the view, so that the
	// others do not have to.
	viewRenewal = viewAge / 2
	// idleShards spreads the cache over that many locks.
	idleShards = 64
	// idleLimit bounds the machines of a shard. A dropped machine goes through the
	// lane at its next check.
	idleLimit = 250_000
	// idleLifetime ends an entry well before the worker may count its machine as
	// silent.
	idleLifetime = SilentAfter / 2
)

// idleCache answers the check-ins that change nothing but the last-seen time:
// a known machine with the same attributes and nothing in flight, for which the
// engine returns the same decision again. It is a cache, never a source of
// truth: it can only hold an update back, never grant one.
type idleCache struct {
	seed     maphash.Seed
	shards   [idleShards]idleShard
	views    sync.Map // group id → *view
	groups   groupNumbers
	lastSeen lastSeenQueue
	filled   chan struct{} // closed when fill is done
}

// idleShard holds no pointers in its map, so that the garbage collector need not
// scan it.
type idleShard struct {
	mu       sync.Mutex
	machines map[uuid.UUID]idleMachine
	// changed are machines that checked in while fill reads older rows; nil when
	// fill is done.
	changed map[uuid.UUID]struct{}
}

// idleMachine is an active machine with nothing in flight.
type idleMachine struct {
	fingerprint uint64 // of its group, version and attributes
	seen        int64  // Unix microseconds
	known       int64  // since when it is known, Unix microseconds
	group       uint32 // in groupNumbers, if an expression chose it; 0: that of its track
	state       rollout.State
	reason      rollout.Reason
	selected    uint8 // rollout.Machine.SelectedWave
	flags       idleFlags
}

// idleFlags are facts about an idle machine. One byte for both keeps an entry at 32 bytes.
type idleFlags uint8

const (
	idleEnrolled idleFlags = 1 << iota
	idleQueued             // seen is waiting to be written
)

func (m *idleMachine) is(f idleFlags) bool { return m.flags&f != 0 }

// view is a group as a committed batch left it. Its world never changes.
type view struct {
	group *catalog.Group
	world rollout.World
	at    time.Time
	seq   uint64

	meter    *pace.Meter
	pace     store.Pace   // highest of the batch
	history  *historyPlan // what the batch wrote; nil: nothing is counted
	noted    atomic.Bool  // in the meter
	renewing atomic.Bool  // set while one check-in refreshes the view
}

// committed is called by every check-in of the batch when it is on disk. It returns
// true once.
func (v *view) committed() bool {
	first := v.noted.CompareAndSwap(false, true)
	if first {
		v.meter.Note(v.pace)
	}
	return first
}

// fresh reports whether the cached ledger may still be used. After viewRenewal it
// returns false once, so that one caller refreshes it early.
func (v *view) fresh(now time.Time) bool {
	age := now.Sub(v.at).Abs() // the view may be newer than now
	return age <= viewRenewal || age <= viewAge && !v.renewing.CompareAndSwap(false, true)
}

func newIdleCache() *idleCache {
	i := &idleCache{seed: maphash.MakeSeed(), filled: make(chan struct{})}
	for k := range i.shards {
		i.shards[k] = idleShard{machines: map[uuid.UUID]idleMachine{}, changed: map[uuid.UUID]struct{}{}}
	}
	return i
}

func (i *idleCache) shard(id uuid.UUID) *idleShard { return &i.shards[id[0]%idleShards] }

// answer answers a check-in from the cache. It returns false when the check-in
// must go through the lane.
func (i *idleCache) answer(c *call, now time.Time) (Answer, bool) {
	for k := range c.in.Events {
		if !reportsIdle(&c.in.Events[k]) {
			return Answer{}, false
		}
	}
	if !c.in.UpdateCheck && !c.in.Ping {
		return Answer{}, false
	}
	fingerprint, at := i.fingerprintOf(c), now.UnixMicro()
	s := i.shard(c.instance)
	s.mu.Lock()
	m, known := s.machines[c.instance]
	s.mu.Unlock()
	if !known || m.fingerprint != fingerprint || c.enrolls() && !m.is(idleEnrolled) || at-m.seen > idleLifetime.Microseconds() {
		return Answer{}, false
	}
	group := c.group.ID
	if m.group != 0 {
		group = i.groups.of(m.group)
	}
	found, _ := i.views.Load(group)
	v, _ := found.(*view)
	if v == nil || v.group.App.Revision != c.group.App.Revision {
		return Answer{}, false
	}
	// The group of the track has admitted the request; one by expression can require more.
	if m.group != 0 && (c.secret == nil && v.group.RequireSecret || v.group.Certify(c.in.Certificate, c.in.Machine, now) != catalog.VerdictOK) {
		return Answer{}, false
	}
	answer := Answer{PollInterval: v.group.Schedule.Policy().PollInterval}
	if c.in.UpdateCheck {
		machine := rollout.Machine{ID: c.in.Machine, Version: c.version, State: m.state, Standing: rollout.StandingActive, Reason: m.reason, FirstSeenAt: time.UnixMicro(m.known), Enrolled: m.is(idleEnrolled), SelectedWave: int(m.selected)}
		answer.Decision = rollout.Decide(&v.world, &machine, c.in.Check, now)
		same := answer.Decision.Reason == m.reason
		settled := m.reason == rollout.ReasonUpToDate || m.reason == rollout.ReasonNoPackage ||
			m.reason == rollout.ReasonOutsideClientPrefix || m.reason == rollout.ReasonDisabledByClient
		if !same || !settled && (!m.reason.Holds() || !v.fresh(now)) {
			return Answer{}, false
		}
		v.meter.Checks.Add(1)
	}
	i.see(s, c.instance, m, at)
	return answer, true
}

// see updates the last-seen time of an entry, unless the entry was replaced
// meanwhile, and queues it for writing.
func (i *idleCache) see(s *idleShard, id uuid.UUID, was idleMachine, at int64) {
	is := was
	is.seen, is.flags = at, is.flags|idleQueued
	s.mu.Lock()
	if s.machines[id] == was {
		s.machines[id] = is
	}
	s.mu.Unlock()
	if !was.is(idleQueued) {
		i.lastSeen.put(sighting{id, at})
	}
}

// reportsIdle reports whether an event is the one with which update_engine says
// in every check that it is idle.
func reportsIdle(e *rollout.Event) bool {
	return e.Type == 3 && e.Result == 2 && (e.PreviousVersion == "" || e.PreviousVersion == "0.0.0.0")
}

// remember caches a machine and the view of its group after its check-in was
// committed.
func (i *idleCache) remember(c *call) {
	if c.view != nil {
		i.show(c.view)
	}
	if c.after == nil {
		return
	}
	s := i.shard(c.instance)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.changed != nil {
		s.changed[c.instance] = struct{}{}
	}
	i.put(s, c.after)
}

// put caches a machine if it is idle, else drops it. The shard must be locked.
func (i *idleCache) put(s *idleShard, m *store.Machine) {
	if m.Attempt.Open() || m.Override.Kind != rollout.OverrideNone || m.Standing != rollout.StandingActive || m.Moved ||
		!m.FailedVersion.IsZero() || !m.QuarantinedVersion.IsZero() || !m.WithdrawnAt.IsZero() {
		delete(s.machines, m.InstanceID)
		return
	}
	if _, known := s.machines[m.InstanceID]; !known && len(s.machines) >= idleLimit {
		for id := range s.machines { // drop a random one
			delete(s.machines, id)
			break
		}
	}
	group := uint32(0)
	if m.HomeGroup != uuid.Nil && m.HomeGroup != m.GroupID {
		group = i.groups.number(m.GroupID)
	}
	var flags idleFlags
	if m.Enrolled {
		flags = idleEnrolled
	}
	s.machines[m.InstanceID] = idleMachine{
		group: group, fingerprint: i.storedFingerprint(m), seen: m.LastSeenAt.UnixMicro(), known: m.KnownSince().UnixMicro(),
		state: m.State, reason: m.Reason, selected: uint8(m.SelectedWave), flags: flags, //nolint:gosec // G115: a policy has at most 100 waves
	}
}

// show keeps the newest view of a group.
func (i *idleCache) show(v *view) {
	for {
		old, loaded := i.views.LoadOrStore(v.group.ID, v)
		if !loaded || old.(*view).seq >= v.seq || i.views.CompareAndSwap(v.group.ID, old, v) {
			return
		}
	}
}

// size returns the number of cached machines.
func (i *idleCache) size() (n int) {
	for k := range i.shards {
		s := &i.shards[k]
		s.mu.Lock()
		n += len(s.machines)
		s.mu.Unlock()
	}
	return n
}

// forget drops changed machines.
func (i *idleCache) forget(ids ...uuid.UUID) {
	for _, id := range ids {
		s := i.shard(id)
		s.mu.Lock()
		delete(s.machines, id)
		if s.changed != nil {
			s.changed[id] = struct{}{}
		}
		s.mu.Unlock()
	}
}

// clear drops every machine, after events may have been missed.
func (i *idleCache) clear() {
	for k := range i.shards {
		s := &i.shards[k]
		s.mu.Lock()
		clear(s.machines)
		s.mu.Unlock()
	}
}
