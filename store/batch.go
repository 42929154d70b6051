package store

import (
	"github.com/google/uuid"

	"github.com/coreroller/coreroller/event"
	"github.com/coreroller/coreroller/rollout"
)

// Batch is what one transaction writes besides the configuration: the groups
// and machines it changed and what is to be remembered of it.
type Batch struct {
	Groups   []*GroupState
	Machines []*Machine

	Activities []Activity
	History    []HistoryEntry
	Attempts   []Attempt // of machines that are in Machines
	Progress   []rollout.Progress
	Events     []event.Event // published after the commit
}

// Activity is one row of activities. Names are kept beside the ids.
type Activity struct {
	rollout.Activity
	ApplicationID   uuid.UUID
	ApplicationName string
	GroupID         uuid.UUID // zero: none
	GroupName       string
	ChannelID       uuid.UUID // zero: none
	ChannelName     string
	InstanceID      uuid.UUID // zero: none
	Actor           string
}

// HistoryEntry is one row of history_entries.
type HistoryEntry struct {
	InstanceID uuid.UUID
	rollout.Entry
}

// Attempt is one row of attempts. Failures are counted per rollout from it.
type Attempt struct {
	InstanceID uuid.UUID
	OEM        string // of the machine as the batch leaves it; set by Save
	rollout.Ended
}
