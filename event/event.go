// Package event tells who is interested that something changed. An event is a
// hint, never data: a kind and ids. It is published after the commit that
// caused it, may be merged with others of the same key, and may be lost when a
// connection between processes breaks; a Resync follows then. Whoever listens
// reads the present state again.
package event

import "github.com/google/uuid"

// Kind says what changed.
type Kind uint8

// The kinds of event.
const (
	Resync       Kind = iota // something may have been missed: read everything again
	FleetChanged             // applications came, went or were renamed
	AppChanged               // configuration of one application; App is set
	GroupChanged             // numbers, ledger, rollout or policy of a group; App and Group are set
	MachineChanged
	ActivityAdded
)

// Event is one hint. Unused ids are zero.
type Event struct {
	Kind     Kind
	App      uuid.UUID
	Group    uuid.UUID
	Instance uuid.UUID // for MachineChanged
	Revision int64     // of the application's configuration, for AppChanged
	Remote   bool      `json:"-"` // another process did it
}

// Bus carries events to subscribers.
//
// Publish never blocks and never fails. Every subscriber gets every event
// published after Subscribe returned, in order per publisher, except that
// events equal but for the revision are merged while they wait. A subscriber
// that does not read costs memory only for the distinct keys it has not read;
// past its limit it gets one Resync instead.
type Bus interface {
	Publish(events ...Event)
	Subscribe(filter func(Event) bool) Subscription
}

// Subscription is one reader's side of a Bus.
type Subscription interface {
	// Ready has a value when Take would return events. It has one slot.
	Ready() <-chan struct{}
	// Take returns what waits, oldest first, and forgets it.
	Take() []Event
	// Close ends it; Ready is never signalled again. May be called twice.
	Close()
}
