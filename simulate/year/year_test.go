package year_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coreroller/coreroller/simulate/year"
)

// Eight weeks of a small fleet, with halts, roll-backs, restarts and replaced machines, leave
// no machine stuck, no counter wrong and no cap broken. "make year" runs a whole year.
func TestYear(t *testing.T) {
	t.Parallel()
	r, err := year.Run(t.Context(), year.Options{
		Database: filepath.Join(t.TempDir(), "year.db"), Machines: 300, Days: 56, Interval: 8 * time.Hour, Step: 90 * time.Minute, Seed: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	r.Print(&text)
	if len(r.Problems) > 0 || r.Stuck > 0 || r.Traffic.Refused > 0 || r.Traffic.Downgrades > 0 {
		t.Errorf("a year with problems:\n%s", text.String())
	}
	if r.Traffic.Updated < 1000 || r.Halts < 1 || r.RollBacks < 1 || r.Restarts < 4 || len(r.Forecasts) == 0 {
		t.Errorf("too little happened:\n%s", text.String())
	}
	t.Log(text.String())
}
