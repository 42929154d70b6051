package view

import (
	"time"

	"github.com/google/uuid"
)

// FirstID is not above any id of version 7 (RFC 9562) made at t or later. The
// indexes of activity and audit end with the id and know no time.
func FirstID(t time.Time) (id uuid.UUID) {
	ms := max(t.UnixMilli(), 0)
	for i := range 6 {
		id[i] = byte(ms >> (8 * (5 - i)))
	}
	return id
}
