package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/coreroller/coreroller/event"
)

const (
	// notifyChannel is the PostgreSQL channel all processes listen to.
	notifyChannel = "coreroller"
	// notifyEvery merges what is told to other processes: committing
	// transactions that notify wait for each other, so one goroutine does it,
	// a few times a second.
	notifyEvery = 50 * time.Millisecond
	// notifyBytes stays below PostgreSQL's limit of 8000 bytes a payload.
	notifyBytes = 7000
	// notifyEventBytes is the longest event as JSON.
	notifyEventBytes = 220
	// notifyWaiting is how many distinct events wait to be told. Past it the
	// others are told to read everything again.
	notifyWaiting = 20_000
	// notifyMachines is how many machines one payload names, 22 bytes each.
	notifyMachines = 250
)

// notifier carries events between processes that share a PostgreSQL.
type notifier struct {
	origin   string // marks what this process sent
	db       *sql.DB
	local    *event.Memory
	log      *slog.Logger
	listener *pq.Listener
	outgoing event.Subscription
	out      *event.Memory
	stop     chan struct{}
	done     sync.WaitGroup
}

// message is one payload. Machines, of which there are many in a storm, are
// told apart from the rest: for each group their ids, one after the other.
type message struct {
	Origin   string        `json:"o"`
	Events   []event.Event `json:"e,omitempty"`
	App      uuid.UUID     `json:"a,omitzero"`
	Group    uuid.UUID     `json:"g,omitzero"`
	Machines []byte        `json:"m,omitempty"`
}

// events is what a message tells.
func (m *message) events() []event.Event {
	events := m.Events
	for i := range events {
		events[i].Remote = true
	}
	for ids := m.Machines; len(ids) >= 16; ids = ids[16:] {
		events = append(events, event.Event{Kind: event.MachineChanged, App: m.App, Group: m.Group, Instance: uuid.UUID(ids[:16]), Remote: true})
	}
	return events
}

func startNotifier(dsn string, d *sql.DB, local *event.Memory, log *slog.Logger) (*notifier, error) {
	n := &notifier{origin: uuid.NewString(), db: d, local: local, log: log, out: event.NewMemoryOf(notifyWaiting), stop: make(chan struct{})}
	n.outgoing = n.out.Subscribe(nil)
	n.listener = pq.NewListener(dsn, 100*time.Millisecond, 10*time.Second, func(_ pq.ListenerEventType, err error) {
		if err != nil {
			log.Warn("listening to the database", "error", err)
		}
	})
	if err := n.listener.Listen(notifyChannel); err != nil {
		_ = n.listener.Close() // it never worked
		return nil, fmt.Errorf("listen to the database: %w", err)
	}
	n.done.Add(2)
	go n.receive()
	go n.transmit()
	return n, nil
}

// send queues events for the other processes. It never blocks.
func (n *notifier) send(events []event.Event) { n.out.Publish(events...) }

// receive publishes what other processes sent. A nil notification means the
// connection was lost for a while.
func (n *notifier) receive() {
	defer n.done.Done()
	for {
		select {
		case <-n.stop:
			return
		case note := <-n.listener.Notify:
			if note == nil {
				n.local.Publish(event.Event{Kind: event.Resync})
				continue
			}
			var m message
			if err := json.Unmarshal([]byte(note.Extra), &m); err != nil {
				n.log.Warn("unreadable notification", "error", err)
				n.local.Publish(event.Event{Kind: event.Resync})
			} else if m.Origin != n.origin {
				n.local.Publish(m.events()...)
			}
		}
	}
}

func (n *notifier) transmit() {
	defer n.done.Done()
	for {
		select {
		case <-n.stop:
			n.flush() // what was committed is told even when this process ends
			return
		case <-n.outgoing.Ready():
			n.flush()
		}
		select {
		case <-n.stop:
		case <-time.After(notifyEvery):
		}
	}
}

func (n *notifier) flush() {
	var rest []event.Event
	machines := map[event.Event][]byte{} // by application and group
	for _, e := range n.outgoing.Take() {
		if e.Kind != event.MachineChanged {
			rest = append(rest, e)
			continue
		}
		key := event.Event{App: e.App, Group: e.Group}
		machines[key] = append(machines[key], e.Instance[:]...)
	}
	for part := range slices.Chunk(rest, notifyBytes/notifyEventBytes) {
		n.tell(message{Events: part})
	}
	for key, ids := range machines {
		for part := range slices.Chunk(ids, 16*notifyMachines) {
			n.tell(message{App: key.App, Group: key.Group, Machines: part})
		}
	}
}

func (n *notifier) tell(m message) {
	m.Origin = n.origin
	payload, _ := json.Marshal(m) // plain values always marshal
	if _, err := n.db.ExecContext(context.Background(), "SELECT pg_notify($1, $2)", notifyChannel, string(payload)); err != nil {
		n.log.Warn("telling other processes", "error", err)
	}
}

func (n *notifier) close() {
	close(n.stop)
	n.done.Wait()
	n.outgoing.Close()
	_ = n.listener.Close() // nothing to do about it while stopping
}
