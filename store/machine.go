package store

import (
	"crypto/sha256"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/rollout"
)

// Machine is one row of instances as it is changed under its group's lock.
type Machine struct {
	rollout.Machine // ID is the machine id as the client sends it

	InstanceID    uuid.UUID
	ApplicationID uuid.UUID
	GroupID       uuid.UUID // zero: its group was deleted

	Alias, MachineAlias, Address, Arch string
	OEM, OEMVersion, AlephVersion      string

	Decision      string // the last decision in words
	DecidedAt     time.Time
	DecisionUntil time.Time

	CreatedAt, LastSeenAt, StateChangedAt time.Time

	LastOfferVersion string
	LastGrantedAt    time.Time
	Moved            bool // a person chose the group

	was   *Machine // as it was read; nil for a machine that is new
	quiet bool     // nothing changed but when it was seen and decided on; set when it is saved
}

// InstanceID is the id of a machine in an application: the first 16 bytes of
// SHA-256 over both, marked as version 8 (RFC 9562, custom). Deriving it makes
// the check-in one lookup by primary key and registering twice impossible.
func InstanceID(application uuid.UUID, machine string) uuid.UUID {
	var buf [16 + 128]byte
	data := append(buf[:0], application[:]...)
	sum := sha256.Sum256(append(data, machine...))
	id := uuid.UUID(sum[:16])
	id[6] = id[6]&0x0f | 0x80
	id[8] = id[8]&0x3f | 0x80
	return id
}

// New reports whether the machine has no row yet.
func (m *Machine) New() bool { return m.was == nil }

// GroupState is what the ledger lock of one group protects.
type GroupState struct {
	GroupID             uuid.UUID
	ApplicationID       uuid.UUID
	ConfigRevision      int64 // of the application, when it was last changed
	Ledger              rollout.Ledger
	Census              rollout.Census
	Rollout             rollout.Rollout
	NextLeaseAt         time.Time // no lease ends before; zero: none runs
	PackageMissingNoted bool

	// writes counts the transactions that changed machines of the group whose
	// update is under way; see recent.
	writes int64

	// Superseded are rollouts that Rollout took the place of; Save writes both.
	Superseded []rollout.Rollout

	was *GroupState
}
