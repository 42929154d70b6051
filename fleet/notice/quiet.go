package notice

import (
	"time"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/rollout"
)

// Urgent reports whether activities of a kind are sent at once, also in quiet hours and
// with a digest: updates stopped, and no machine gets further until a person acts.
func Urgent(kind rollout.ActivityKind) bool {
	return kind == rollout.ActivityRolloutHalted || kind == rollout.ActivityRolloutStalled
}

// releaseAt returns when a message of an activity may be sent: now, at the end of the
// digest's interval, or when the quiet hours end.
func releaseAt(n *db.Notifier, now time.Time, kind rollout.ActivityKind) time.Time {
	if Urgent(kind) {
		return now
	}
	zone, err := time.LoadLocation(n.Timezone)
	if err != nil { // checked when it was stored; the zone may be gone
		zone = time.UTC
	}
	at := now
	if n.Digest > 0 {
		at = nextDigest(now.In(zone), n.Digest)
	}
	return afterQuiet(n, at.In(zone)).UTC()
}

// nextDigest returns the next multiple of some minutes since midnight.
func nextDigest(now time.Time, minutes int) time.Time {
	next := (minuteOf(now)/minutes + 1) * minutes
	midnight := 24 * 60
	return onDay(now, 0, min(next, midnight))
}

// afterQuiet returns t, or the end of the quiet hours that contain it.
func afterQuiet(n *db.Notifier, t time.Time) time.Time {
	from, ok := ParseTimeOfDay(n.QuietFrom)
	until, ok2 := ParseTimeOfDay(n.QuietUntil)
	if !ok || !ok2 || from == until {
		return t
	}
	m := minuteOf(t)
	switch {
	case from < until && m >= from && m < until:
		return onDay(t, 0, until)
	case from > until && m >= from:
		return onDay(t, 1, until)
	case from > until && m < until:
		return onDay(t, 0, until)
	}
	return t
}

func minuteOf(t time.Time) int { return t.Hour()*60 + t.Minute() }

func onDay(t time.Time, days, minute int) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day()+days, 0, minute, 0, 0, t.Location())
}

// ParseTimeOfDay returns the minute of a day, such as 1320 for 22:00.
func ParseTimeOfDay(text string) (int, bool) {
	t, err := time.Parse("15:04", text)
	return minuteOf(t), err == nil
}
