package graph

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/fleet/fault"
)

// FuzzCursor checks that a cursor is refused as invalid, or is equivalent to the
// cursor of the place it decodes to.
func FuzzCursor(f *testing.F) {
	f.Add("")
	f.Add("W10")
	f.Add(cursor([]any{"machine"}))
	f.Add(cursor([]any{"ma\x00chine"}))
	f.Add(cursor([]any{time.Unix(1, 0).UTC(), uuid.New()}))
	f.Fuzz(func(t *testing.T, text string) {
		var machine string
		switch err := readCursor(text, &machine); {
		case err != nil:
			if fault.CodeOf(err) != fault.Invalid {
				t.Errorf("refused with %v, want code invalid", err)
			}
		case strings.ContainsRune(machine, 0):
			t.Errorf("%q decodes to %q, which PostgreSQL cannot store", text, machine)
		default:
			var again string
			if err := readCursor(cursor([]any{machine}), &again); err != nil || again != machine {
				t.Errorf("%q decodes to %q, whose cursor decodes to %q, %v", text, machine, again, err)
			}
		}
		var at time.Time
		var id uuid.UUID
		if err := readCursor(text, &at, &id); err != nil && fault.CodeOf(err) != fault.Invalid {
			t.Errorf("refused with %v, want code invalid", err)
		}
	})
}
