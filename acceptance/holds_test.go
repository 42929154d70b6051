package acceptance

import (
	"github.com/google/uuid"

	"github.com/coreroller/coreroller/fleet/view"
)

// hold returns what holds the next machine of G, nil for nothing.
func (s *site) hold() *view.Hold {
	s.t.Helper()
	all, err := s.View.GroupHolds(s.ctx, []uuid.UUID{s.group})
	s.ok(err)
	return all[s.group]
}
