package fleet

import (
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/rollout/phrase"
)

// reliedOn returns Conflict if something relies on an object to delete, unless the
// caller forces the deletion.
func reliedOn(force bool, relies []string) error {
	if force || len(relies) == 0 {
		return nil
	}
	return fault.Errorf(fault.Conflict, "id", "%s. Set force to delete it anyway", phrase.List(relies, "; "))
}
