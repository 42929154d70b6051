package event

import "sync"

// Memory is the Bus of one process.
type Memory struct {
	mu   sync.RWMutex
	subs map[*subscription]struct{}
	// limit caps the distinct pending events of a subscriber. Above it they are
	// replaced by a Resync.
	limit int
}

// pendingLimit is more than a page shows and than a burst of check-ins publishes
// between two reads. A subscriber at the limit takes half a megabyte.
const pendingLimit = 8192

// NewMemory returns a bus with the usual limit of pending events.
func NewMemory() *Memory { return NewMemoryOf(pendingLimit) }

// NewMemoryOf returns a bus with a limit of distinct pending events per subscriber.
func NewMemoryOf(limit int) *Memory { return &Memory{subs: map[*subscription]struct{}{}, limit: limit} }

// Publish implements Bus.
func (m *Memory) Publish(events ...Event) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	for s := range m.subs {
		s.add(events)
	}
}

// Subscribe implements Bus. A nil filter passes all events. A Resync passes every
// filter.
func (m *Memory) Subscribe(filter func(Event) bool) Subscription {
	s := &subscription{bus: m, filter: filter, ready: make(chan struct{}, 1)}
	m.mu.Lock()
	m.subs[s] = struct{}{}
	m.mu.Unlock()
	return s
}

type subscription struct {
	bus    *Memory
	filter func(Event) bool
	ready  chan struct{}

	mu      sync.Mutex
	pending []Event
	index   map[Event]int // in pending, by the event without its revision
	resync  bool          // replaces pending
	closed  bool
}

func (s *subscription) add(events []Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	added := false
	for _, e := range events {
		if e.Kind != Resync && s.filter != nil && !s.filter(e) {
			continue
		}
		added = true
		if s.resync {
			continue
		}
		if e.Kind == Resync || len(s.pending) >= s.bus.limit {
			s.resync, s.pending, s.index = true, nil, nil
			continue
		}
		key := e
		key.Revision = 0
		if i, ok := s.index[key]; ok {
			s.pending[i].Revision = max(s.pending[i].Revision, e.Revision)
			continue
		}
		if s.index == nil {
			s.index = map[Event]int{}
		}
		s.index[key] = len(s.pending)
		s.pending = append(s.pending, e)
	}
	if added {
		select {
		case s.ready <- struct{}{}:
		default:
		}
	}
}

// Ready implements Subscription.
func (s *subscription) Ready() <-chan struct{} { return s.ready }

// Take implements Subscription.
func (s *subscription) Take() []Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	events := s.pending
	if s.resync {
		events = []Event{{Kind: Resync}}
	}
	s.pending, s.index, s.resync = nil, nil, false
	return events
}

// Close implements Subscription.
func (s *subscription) Close() {
	s.bus.mu.Lock()
	delete(s.bus.subs, s)
	s.bus.mu.Unlock()
	s.mu.Lock()
	s.closed, s.pending, s.index = true, nil, nil
	s.mu.Unlock()
}
