package endpoint

import (
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/rollout"
)

// Stage reports whether a rollout is halted, and whether it granted an update and is not
// finished. Nil is no rollout.
func Stage(current *db.GroupRollout) (halted, started bool) {
	if current == nil {
		return false, false
	}
	halted = current.State == rollout.RolloutHalted
	started = current.StartedAt != nil && (current.State == rollout.RolloutActive || current.State == rollout.RolloutPaused)
	return halted, started
}
