package fleet

import (
	"context"

	"github.com/coreroller/coreroller/fleet/reboot"
)

// RebootUse is how many reboot slots of a group are held.
type RebootUse = reboot.Use

// RebootUses returns the reboot slots of the groups that coordinate reboots, for the
// metrics.
func (s *Service) RebootUses(ctx context.Context) ([]RebootUse, error) { return s.Reboots.Uses(ctx) }
