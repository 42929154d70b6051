package view

import (
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
)

// RefusedRequests returns the requests that were refused before they reached a
// group, the last seen first.
func (s *Service) RefusedRequests() *List[*db.RefusedRequest] {
	return listOf(s.db().RefusedRequest.Query(), byTime("last_seen_at", func(r *db.RefusedRequest) (time.Time, uuid.UUID) { return r.LastSeenAt, r.ID }))
}
