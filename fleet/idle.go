package fleet

import (
	"bytes"
	"context"
	"hash/maphash"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"

	"github.com/google/uuid"

	"coreroller/rollout"
	"coreroller/store"
)

const (
	// viewAge is how long a group's ledger is believed without looking. Within
	// it a machine may be told to wait once more although another process just
	// freed a slot; it is never granted anything from memory.
	viewAge = time.Second
	// idleShards spreads the memory of machines over locks.
	idleShards = 64
	// idleLimit is how many machines a shard remembers. One that is forgotten
	// is read from the database at its next check.
	idleLimit = 250_000
	// believedFor ends the memory of a machine well before the worker may count
	// it as silent.
	believedFor = silentAfter / 2
	// touchEvery is how late the moment a machine was last seen may be.
	touchEvery = time.Second
	// touchBatch is how many machines one transaction touches.
	touchBatch = 1000
	// recallRows is how many machines are read at a time after a start.
	recallRows = 5000
	// maxWords is the longest text of a machine about itself, in bytes.
	maxWords = 256
)

// idleMemory answers the checks that change nothing but when a machine was last
// seen: known, same words as before, nothing under way, and the engine would
// say the same again. Nothing true lives here: it holds what was committed, and
// it only ever says no.
type idleMemory struct {
	seed   maphash.Seed
	shards [idleShards]idleShard
	views  sync.Map      // group id → *view
	full   chan struct{} // closed when recall is done
}

type idleShard struct {
	mu       sync.Mutex
	machines map[uuid.UUID]idleMachine
	seen     map[uuid.UUID]time.Time
	// learned are machines that checked in while recall reads older rows; nil
	// when it is done.
	learned map[uuid.UUID]struct{}
}

// idleMachine is a machine with nothing under way.
type idleMachine struct {
	group    uuid.UUID
	words    uint64 // hash of everything it said of itself
	version  rollout.Version
	state    rollout.State
	standing rollout.Standing
	reason   rollout.Reason
	seen     time.Time
}

// view is a group as a committed batch left it. Its world is never changed.
type view struct {
	group *Group
	world rollout.World
	at    time.Time
	seq   uint64

	meter *meter
	pace  store.Pace  // the highest in the batch
	noted atomic.Bool // in the meter
}

// committed is called by every check-in of the batch when it is on disk.
func (v *view) committed() {
	if v.noted.CompareAndSwap(false, true) {
		v.meter.note(v.pace)
	}
}

func newIdleMemory() *idleMemory {
	m := &idleMemory{seed: maphash.MakeSeed(), full: make(chan struct{})}
	for i := range m.shards {
		m.shards[i] = idleShard{machines: map[uuid.UUID]idleMachine{}, seen: map[uuid.UUID]time.Time{}, learned: map[uuid.UUID]struct{}{}}
	}
	return m
}

func (i *idleMemory) shard(id uuid.UUID) *idleShard { return &i.shards[id[0]%idleShards] }

// answer answers a check from memory, or says that it must go through the lane.
func (i *idleMemory) answer(c *call, now time.Time) (Answer, bool) {
	for _, e := range c.in.Events {
		if !saysIdle(e) {
			return Answer{}, false
		}
	}
	if !c.in.UpdateCheck && !c.in.Ping {
		return Answer{}, false
	}
	words := i.said(c)
	s := i.shard(c.instance)
	s.mu.Lock()
	m, known := s.machines[c.instance]
	s.mu.Unlock()
	if !known || m.words != words || m.version != c.version || now.Sub(m.seen) > believedFor {
		return Answer{}, false
	}
	found, _ := i.views.Load(m.group)
	v, _ := found.(*view)
	if v == nil || v.group.App.Revision != c.group.App.Revision {
		return Answer{}, false
	}
	answer := Answer{PollInterval: v.group.Schedule.Policy().PollInterval}
	if c.in.UpdateCheck {
		machine := rollout.Machine{ID: c.in.Machine, Version: m.version, State: m.state, Standing: m.standing, Reason: m.reason}
		answer.Decision = rollout.Decide(&v.world, &machine, rollout.Check{OnDemand: c.in.OnDemand}, now)
		same := answer.Decision.Reason == m.reason
		settled := m.reason == rollout.ReasonUpToDate || m.reason == rollout.ReasonNoPackage
		if !same || !settled && (!m.reason.Holds() || now.Sub(v.at) > viewAge) {
			return Answer{}, false
		}
		v.meter.checks.Add(1)
	}
	was := m
	m.seen = now
	s.mu.Lock()
	s.seen[c.instance] = now
	if s.machines[c.instance] == was { // else somebody wrote it meanwhile, who knows better
		s.machines[c.instance] = m
	}
	s.mu.Unlock()
	return answer, true
}

// saysIdle reports whether an event is the one every check of the OS daemon
// carries to say that it is idle.
func saysIdle(e rollout.Event) bool {
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
	s.machines[m.InstanceID] = idleMachine{group: m.GroupID, words: i.kept(m), version: m.Version,
		state: m.State, standing: m.Standing, reason: m.Reason, seen: m.LastSeenAt}
}

// recall fills the memory after a start, so that a restart does not send every
// idle machine through the lane once. What was learned meanwhile stays.
func (s *Service) recall(ctx context.Context) {
	defer s.idle.recalled()
	for cursor := uuid.Nil; ; {
		machines, err := s.store.Walk(ctx, cursor, recallRows)
		if err != nil {
			if ctx.Err() == nil {
				s.log.Warn("machines could not be remembered", "error", err)
			}
			return
		}
		for _, m := range machines {
			shard := s.idle.shard(m.InstanceID)
			shard.mu.Lock()
			if _, newer := shard.learned[m.InstanceID]; !newer && m.GroupID != uuid.Nil {
				s.idle.keep(shard, m)
			}
			shard.mu.Unlock()
		}
		if len(machines) < recallRows {
			return
		}
		cursor = machines[len(machines)-1].InstanceID
	}
}

// Recalled is closed when the memory of idle machines was filled after a start;
// until then their checks cost a transaction each.
func (s *Service) Recalled() <-chan struct{} { return s.idle.full }

// recalled ends the time in which older rows come in.
func (i *idleMemory) recalled() {
	for k := range i.shards {
		i.shards[k].mu.Lock()
		i.shards[k].learned = nil
		i.shards[k].mu.Unlock()
	}
	close(i.full)
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

// words is a hash of what a machine says of itself. What it does not send counts
// as empty: a machine that leaves out what was once sent is not found here and
// goes through the lane, which keeps what is stored.
func (i *idleMemory) words(group uuid.UUID, address string, more ...string) uint64 {
	var h maphash.Hash
	h.SetSeed(i.seed)
	_, _ = h.Write(group[:]) // never fails, as all writes to a hash
	_, _ = h.WriteString(address)
	for _, t := range more {
		_ = h.WriteByte(0)
		_, _ = h.WriteString(t)
	}
	return h.Sum64()
}

func (i *idleMemory) said(c *call) uint64 {
	in := &c.in
	return i.words(c.group.ID, in.Address, sent(in.Alias), sent(in.OEM), sent(in.OEMVersion), sent(in.AlephVersion))
}

func sent(text *string) string {
	if text == nil {
		return ""
	}
	return clean(*text)
}

func (i *idleMemory) kept(m *store.Machine) uint64 {
	return i.words(m.GroupID, m.Address, m.MachineAlias, m.OEM, m.OEMVersion, m.AlephVersion)
}

// touch writes when idle machines were last seen, until the context ends.
func (s *Service) touch(ctx context.Context) {
	tick := time.NewTicker(touchEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			s.flushSeen(context.WithoutCancel(ctx))
			return
		case <-tick.C:
			s.flushSeen(ctx)
		}
	}
}

func (s *Service) flushSeen(ctx context.Context) {
	err := s.jobs.ran(jobSeen, s.now(), s.writeSeen(ctx))
	if err != nil {
		s.log.Error("when machines were last seen could not be written", "error", err)
	}
}

func (s *Service) writeSeen(ctx context.Context) error {
	for k := range s.idle.shards {
		shard := &s.idle.shards[k]
		shard.mu.Lock()
		seen := shard.seen
		shard.seen = map[uuid.UUID]time.Time{}
		shard.mu.Unlock()
		for len(seen) > 0 {
			part := make(map[uuid.UUID]time.Time, min(len(seen), touchBatch))
			for id, at := range seen {
				if len(part) == touchBatch {
					break
				}
				part[id] = at
				delete(seen, id)
			}
			if err := s.store.TouchMachines(ctx, part); err != nil {
				return err
			}
		}
	}
	return nil
}

func distinct(ids []uuid.UUID) []uuid.UUID {
	slices.SortFunc(ids, func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) })
	return slices.Compact(ids)
}

func sortedKeys[V any](m map[uuid.UUID]V) []uuid.UUID {
	return slices.SortedFunc(maps.Keys(m), func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) })
}

// clean makes text sent by a machine safe to store and to show: valid UTF-8
// without control characters, at most maxWords bytes.
func clean(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, text)
	if len(text) > maxWords {
		text = strings.ToValidUTF8(text[:maxWords], "") // the cut may split a character
	}
	return text
}
