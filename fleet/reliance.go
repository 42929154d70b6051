package fleet

import (
	"strings"

	"github.com/coreroller/coreroller/fleet/fault"
)

// maxNamed is how many things that rely on an object an error names.
const maxNamed = 10

// reliedOn returns Conflict if something relies on an object to delete, unless the
// caller forces the deletion.
func reliedOn(force bool, relies []string) error {
	if force || len(relies) == 0 {
		return nil
	}
	named := strings.Join(relies[:min(len(relies), maxNamed)], "; ")
	if len(relies) > maxNamed {
		named += "; and more"
	}
	return fault.Errorf(fault.Conflict, "id", "%s. Set force to delete it anyway", named)
}
