package graph

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/fleet/fault"
)

// FuzzCursor reads what a client may send as a cursor: it is refused with a
// clear error or names a place that is written as a cursor of the same place.
func FuzzCursor(f *testing.F) {
	f.Add("")
	f.Add("W10")
	f.Add(place{"machine"}.cursor())
	f.Add(place{"ma\x00chine"}.cursor())
	f.Add(place{time.Unix(1, 0).UTC(), uuid.New()}.cursor())
	f.Fuzz(func(t *testing.T, text string) {
		var machine string
		switch err := readCursor(text, &machine); {
		case err != nil:
			if fault.CodeOf(err) != fault.Invalid {
				t.Errorf("refused with %v", err)
			}
		case strings.ContainsRune(machine, 0):
			t.Errorf("%q names %q, which PostgreSQL cannot hold", text, machine)
		default:
			var again string
			if err := readCursor(place{machine}.cursor(), &again); err != nil || again != machine {
				t.Errorf("%q names %q, whose cursor names %q, %v", text, machine, again, err)
			}
		}
		var at time.Time
		var id uuid.UUID
		if err := readCursor(text, &at, &id); err != nil && fault.CodeOf(err) != fault.Invalid {
			t.Errorf("refused with %v", err)
		}
	})
}
