// Package event notifies subscribers of changes. An event is a hint without data: a
// kind and ids. It is published after the commit that caused it. Events with the
// same kind and ids may be merged. They may be lost if the connection between
// processes breaks; a Resync follows then. Subscribers read the current state after
// an event.
package event

import "github.com/google/uuid"

// Kind is what changed.
type Kind uint8

// The kinds of event.
const (
	Resync       Kind = iota // events may have been lost: read everything again
	FleetChanged             // an application was created, deleted or renamed
	AppChanged               // configuration of one application; App is set
	GroupChanged             // counters, ledger, rollout or policy of a group; App and Group are set
	MachineChanged
	ActivityAdded
	JobChanged      // Job is set
	AccountsChanged // what users may do: a password, a role, a session or a user
	AuditAdded      // App is set if the change was within one
	ProposalChanged // App is set, and Group if it concerns one
	UpstreamChanged // App is set: a mirror, or a run of it
	NoticeAdded     // a message waits to be sent, or a notifier was changed
	NoticeSent      // deliveries of a notifier were added or tried
)

// Event is one hint. Unused ids are zero.
type Event struct {
	Kind     Kind
	App      uuid.UUID
	Group    uuid.UUID
	Instance uuid.UUID // for MachineChanged
	Job      uuid.UUID `json:",omitzero"` // for JobChanged
	Revision int64     // of the application's configuration, for AppChanged
	Remote   bool      `json:"-"` // published by another process
}

// Bus delivers events to subscribers.
//
// Publish never blocks and never fails. A subscriber receives every event that is
// published after Subscribe returned, in order per publisher. Pending events that
// differ only in the revision are merged. A slow subscriber takes memory for its
// distinct pending events only; above a limit they are replaced by one Resync.
type Bus interface {
	Publish(events ...Event)
	Subscribe(filter func(Event) bool) Subscription
}

// Subscription is the receiving end of a Bus.
type Subscription interface {
	// Ready receives a value when Take would return events. Its capacity is 1.
	Ready() <-chan struct{}
	// Take returns and removes the pending events, oldest first.
	Take() []Event
	// Close ends the subscription. Ready receives no value afterwards. Close may be
	// called twice.
	Close()
}
