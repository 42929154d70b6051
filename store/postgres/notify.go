package postgres

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/coreroller/coreroller/event"
)

const (
	// notifyChannel is the PostgreSQL channel that all processes listen to.
	notifyChannel = "coreroller"
	// notifyEvery batches notifications: commits of transactions that notify wait
	// for each other, so one goroutine sends them, at most 20 times a second.
	notifyEvery = 50 * time.Millisecond
	// notifyBytes keeps a payload below PostgreSQL's limit of 8000 bytes.
	notifyBytes = 7000
	// notifyEventBytes is the size of the longest event as JSON.
	notifyEventBytes = 270
	// notifyQueue is how many distinct events can be queued. If there are more,
	// the other processes receive a Resync and read everything again.
	notifyQueue = 20_000
	// notifyMachines is how many machine ids fit into one payload, 22 bytes each.
	notifyMachines = 250
)

// notifier carries events between the processes that share a database.
type notifier struct {
	origin   string // marks what this process sent
	db       *sql.DB
	local    *event.Memory // receives the events of other processes
	log      *slog.Logger
	listener *pq.Listener
	answered atomic.Int64             // Unix nanoseconds of the last notification of its own that it received
	echoes   chan struct{}            // full when such a notification arrived
	sending  chan struct{}            // full while such a notification is sent
	conn     atomic.Pointer[net.Conn] // of the listener
	out      *event.Memory            // merges the events of this process
	outgoing event.Subscription
	stop     chan struct{}
	done     sync.WaitGroup
}

// message is one payload. Machine events, the bulk of the traffic, are packed:
// 16 bytes for each machine of one group.
type message struct {
	Origin   string        `json:"o"`
	Events   []event.Event `json:"e,omitempty"`
	App      uuid.UUID     `json:"a,omitzero"`
	Group    uuid.UUID     `json:"g,omitzero"`
	Machines []byte        `json:"m,omitempty"`
	Echo     bool          `json:"p,omitempty"` // the sender waits for it, see receives
}

// events unpacks a message.
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

func startNotifier(databaseURL string, d *sql.DB, local *event.Memory, log *slog.Logger) (*notifier, error) {
	n := &notifier{origin: uuid.NewString(), db: d, local: local, log: log, out: event.NewMemoryOf(notifyQueue), echoes: make(chan struct{}, 1), sending: make(chan struct{}, 1), stop: make(chan struct{})}
	n.outgoing = n.out.Subscribe(nil)
	n.listener = pq.NewDialListener(&dialer{made: func(c net.Conn) { n.conn.Store(&c) }}, databaseURL, 100*time.Millisecond, 10*time.Second, func(_ pq.ListenerEventType, err error) {
		if err != nil {
			log.Warn("cannot listen for notifications", "error", err)
		}
	})
	if err := n.listener.Listen(notifyChannel); err != nil {
		_ = n.listener.Close() // it never connected
		return nil, fmt.Errorf("listen for notifications: %w", err)
	}
	n.answered.Store(time.Now().UnixNano())
	n.done.Add(3)
	go n.receive()
	go n.transmit()
	go n.ping()
	return n, nil
}

const (
	// pingEvery is the time between two pings of the connection that listens.
	pingEvery = 5 * time.Second
	// pingLimit is how long an answer may take. Then the connection is closed; the listener
	// makes another one, and everything is read again.
	pingLimit = 5 * time.Second
)

// ping asks on the connection that listens, because nothing arrives there for long, until
// close is called. While no notifications arrive although it answers, as behind a pool in
// transaction mode, everything is read again at each ping.
func (n *notifier) ping() {
	defer n.done.Done()
	tick := time.NewTicker(pingEvery)
	defer tick.Stop()
	deaf := false
	for {
		select {
		case <-n.stop:
			return
		case <-tick.C:
		}
		if !n.answers() {
			continue
		}
		received, err := n.receives()
		switch {
		case err != nil: // the database is lost
		case received:
			n.answered.Store(time.Now().UnixNano())
		default:
			n.local.Publish(event.Event{Kind: event.Resync})
			if !deaf {
				n.log.Warn("no notifications of PostgreSQL arrive, so changes by other servers are read every few seconds; LISTEN needs a connection that is not shared")
			}
		}
		deaf = err == nil && !received
	}
}

// answers reports whether the connection that listens answers; if it is late, it is closed.
func (n *notifier) answers() bool {
	result := make(chan error, 1)
	go func() { result <- n.listener.Ping() }()
	select {
	case err := <-result:
		return err == nil
	case <-time.After(pingLimit):
	case <-n.stop:
	}
	if c := n.conn.Load(); c != nil {
		_ = (*c).Close() // ends the ping
	}
	<-result //nolint:errcheck // the ping failed, because its connection was closed
	return false
}

// receives reports whether a notification of this process arrives at itself. It does not
// wait for a database that is silent: an error says that none was sent.
func (n *notifier) receives() (bool, error) {
	select {
	case n.sending <- struct{}{}:
	default: // the last one waits still
		return false, errLate
	}
	select {
	case <-n.echoes: // a late one
	default:
	}
	sent := make(chan error, 1)
	go func() {
		defer func() { <-n.sending }()
		sent <- n.send(message{Echo: true})
	}()
	late, result := time.After(pingLimit), errLate
	for {
		select {
		case err := <-sent:
			if err != nil {
				return false, err
			}
			result = nil
		case <-n.echoes:
			return true, nil
		case <-late:
			return false, result
		case <-n.stop:
			return true, nil
		}
	}
}

// errLate is the error of a notification that PostgreSQL did not accept in time.
var errLate = errors.New("PostgreSQL does not accept a notification")

// receive publishes the events of other processes. A nil notification means that
// the connection was lost for a while and events may be missing.
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
				n.log.Warn("cannot read a notification", "error", err)
				n.local.Publish(event.Event{Kind: event.Resync})
			} else if m.Origin != n.origin {
				n.local.Publish(m.events()...)
			} else if m.Echo {
				select {
				case n.echoes <- struct{}{}:
				default:
				}
			}
		}
	}
}

// transmit sends the queued events until close is called.
func (n *notifier) transmit() {
	defer n.done.Done()
	for {
		select {
		case <-n.stop:
			n.flush() // other processes need the last commits too
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
		n.notify(message{Events: part})
	}
	for key, ids := range machines {
		for part := range slices.Chunk(ids, 16*notifyMachines) {
			n.notify(message{App: key.App, Group: key.Group, Machines: part})
		}
	}
}

func (n *notifier) notify(m message) {
	if err := n.send(m); err != nil {
		n.log.Warn("cannot notify other processes", "error", err)
	}
}

func (n *notifier) send(m message) error {
	m.Origin = n.origin
	payload, _ := json.Marshal(m) // cannot fail for these types
	_, err := n.db.ExecContext(context.Background(), "SELECT pg_notify($1, $2)", notifyChannel, string(payload))
	return err
}

func (n *notifier) close() {
	close(n.stop)
	n.done.Wait()
	n.outgoing.Close()
	_ = n.listener.Close() // the process stops anyway
}
