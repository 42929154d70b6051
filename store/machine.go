package store

import (
	"crypto/sha256"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/rollout"
)

// Machine is one row of instances. It is changed under the lock of its group.
type Machine struct {
	rollout.Machine // its ID is the machine id that the client sends
	Reported
	LastDecision
	LastGrant

	InstanceID    uuid.UUID
	ApplicationID uuid.UUID
	GroupID       uuid.UUID // zero: its group was deleted
	Alias         string    // set by an operator
	Moved         bool      // an operator chose the group
	MoveTo        uuid.UUID // where it moves once its update ended; zero: nowhere
	HomeGroup     uuid.UUID // of its track, if an expression chose the group; else zero
	Selectors     int64     // the expressions that were evaluated, see catalog.App.Selectors

	StateChangedAt time.Time

	was       *Machine // the row as it was read; nil for a new machine
	forgotten bool     // Save deletes the row
	quiet     bool     // nothing changed except LastSeenAt and LastDecision's times; set by Save
}

// Reported is what a machine sends about itself.
type Reported struct {
	MachineAlias, Address, Arch   string
	OEM, OEMVersion, AlephVersion string

	VersionPrefix   string // targetversionprefix of the last update check
	UpdatesDisabled bool   // updatedisabled of the last update check

	// RequestAttributes are those that the application names, as text of package
	// checkin. A change of them and of their labels belongs in the same batch.
	RequestAttributes string
}

// LastDecision describes the last decision about a machine.
type LastDecision struct {
	Decision      string // sentence
	DecidedAt     time.Time
	DecisionUntil time.Time // when the decision can change by itself; zero: never
}

// LastGrant describes the last grant of a machine, also after it ended.
type LastGrant struct {
	LastOfferVersion string
	LastGrantedAt    time.Time

	LastAttemptID uuid.UUID // row of the attempt with the machine's last result; set by Save
	LastTraits    Traits    // of that attempt; set by Save
}

// InstanceID is the id of a machine in an application: the first 16 bytes of
// SHA-256 over both, marked as version 8 (RFC 9562, custom). Because it is
// derived, a check-in is one lookup by primary key, and a machine cannot be
// registered twice.
func InstanceID(application uuid.UUID, machine string) uuid.UUID {
	var buf [16 + 128]byte
	data := append(buf[:0], application[:]...)
	sum := sha256.Sum256(append(data, machine...))
	id := uuid.UUID(sum[:16])
	id[6] = id[6]&0x0f | 0x80
	id[8] = id[8]&0x3f | 0x80
	return id
}

// InstanceIDs are the ids of machines of one application, in their order.
func InstanceIDs(application uuid.UUID, machines []string) []uuid.UUID {
	ids := make([]uuid.UUID, len(machines))
	for i, machine := range machines {
		ids[i] = InstanceID(application, machine)
	}
	return ids
}

// Check returns an update check with what the machine sent in its last one.
func (m *Machine) Check() rollout.Check {
	return rollout.Check{Prefix: m.VersionPrefix, Disabled: m.UpdatesDisabled}
}

// Home is the group of the machine's track, as it was when the machine checked in.
func (m *Machine) Home() uuid.UUID {
	if m.HomeGroup != uuid.Nil {
		return m.HomeGroup
	}
	return m.GroupID
}

// New reports whether the machine has no row yet.
func (m *Machine) New() bool { return m.was == nil }

// ChangedFrom reports whether the row as it was read had another state, or another reason if
// one is given, or the machine has another one now.
func (m *Machine) ChangedFrom(state rollout.State, reason rollout.Reason) bool {
	return m.was == nil || m.was.State != state || m.State != state || reason != rollout.ReasonNone && m.was.Reason != reason
}

// RequestAttributesBefore are those of the row as it was read, "" for a new machine.
func (m *Machine) RequestAttributesBefore() string {
	if m.was == nil {
		return ""
	}
	return m.was.RequestAttributes
}

// GroupState is what the ledger lock of one group protects.
type GroupState struct {
	GroupID             uuid.UUID
	ApplicationID       uuid.UUID
	ConfigRevision      int64 // of the application, when the ledger was last changed
	Ledger              rollout.Ledger
	Census              rollout.Census
	Rollout             rollout.Rollout
	NextLeaseAt         time.Time // no lease expires before; zero: no lease is open
	PackageMissingNoted bool
	Outages             []rollout.Outage // as this process knows them, see Beat

	// Superseded are rollouts that Rollout replaced. Save writes them too.
	Superseded []rollout.Rollout

	// writes counts the transactions that changed machines of the group with an
	// open attempt. recentRows depends on it.
	writes int64

	was *GroupState // as it was locked
}
