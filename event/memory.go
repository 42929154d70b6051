package event

import "sync"

// Memory is the Bus of one process.
type Memory struct {
	mu   sync.RWMutex
	subs map[*subscription]struct{}
	// limit is how many distinct events wait for one reader before they
	// collapse into a Resync.
	limit int
}

// waitingLimit is more than a page shows and what a storm of machines brings in
// a moment; a reader that far behind holds half a megabyte.
const waitingLimit = 8192

// NewMemory makes a bus without subscribers.
func NewMemory() *Memory { return NewMemoryOf(waitingLimit) }

// NewMemoryOf makes a bus that lets limit distinct events wait for a reader.
func NewMemoryOf(limit int) *Memory { return &Memory{subs: map[*subscription]struct{}{}, limit: limit} }

// Publish implements Bus.
func (m *Memory) Publish(events ...Event) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	for s := range m.subs {
		s.add(events)
	}
}

// Subscribe implements Bus. A nil filter lets everything through; a Resync
// always passes.
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
	order   []Event
	at      map[Event]int // place in order, by the event without its revision
	resync  bool
	stopped bool
}

func (s *subscription) add(events []Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
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
		if e.Kind == Resync || len(s.order) >= s.bus.limit {
			s.resync, s.order, s.at = true, nil, nil
			continue
		}
		key := e
		key.Revision = 0
		if i, waiting := s.at[key]; waiting {
			s.order[i].Revision = max(s.order[i].Revision, e.Revision)
			continue
		}
		if s.at == nil {
			s.at = map[Event]int{}
		}
		s.at[key] = len(s.order)
		s.order = append(s.order, e)
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
	events := s.order
	if s.resync {
		events = []Event{{Kind: Resync}}
	}
	s.order, s.at, s.resync = nil, nil, false
	return events
}

// Close implements Subscription.
func (s *subscription) Close() {
	s.bus.mu.Lock()
	delete(s.bus.subs, s)
	s.bus.mu.Unlock()
	s.mu.Lock()
	s.stopped, s.order, s.at = true, nil, nil
	s.mu.Unlock()
}
