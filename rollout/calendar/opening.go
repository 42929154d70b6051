package calendar

import "time"

// Always reports whether the calendar never closes.
func (c *Calendar) Always() bool { return c.weekly == nil && len(c.freezes) == 0 }

// Freezes returns the number of freezes, past ones included.
func (c *Calendar) Freezes() int { return len(c.freezes) }

// Opening reports whether windows, office hours and freezes allow a grant now.
// If not, next is the first time at which all of them do, and freeze is the one
// in force, nil if the week is closed.
func (c *Calendar) Opening(now time.Time) (open bool, freeze *Freeze, next time.Time) {
	if c.Always() {
		return true, nil, time.Time{}
	}
	if freeze = c.freezeAt(now); freeze == nil {
		if open, _ = c.weeklyAt(now); open {
			return true, nil, time.Time{}
		}
	}
	return false, freeze, c.opensAt(now)
}

// Next returns the first n spans from now on in which updates may be granted,
// at most 100. The first one begins now if the calendar is open. A span without
// an end is the last.
func (c *Calendar) Next(now time.Time, n int) []Span {
	var spans []Span
	for t := now; len(spans) < min(n, maxSpans); {
		from := c.opensAt(t)
		t = c.closesAt(from)
		spans = append(spans, Span{From: from, Until: t})
		if t.IsZero() {
			break
		}
	}
	return spans
}

// opensAt returns the first time from t on at which the calendar is open. The
// loop ends because freezes are finite and every week has a window.
func (c *Calendar) opensAt(t time.Time) time.Time {
	for {
		if f := c.freezeAt(t); f != nil {
			t = f.Until
			continue
		}
		open, edge := c.weeklyAt(t)
		if open {
			return t
		}
		t = edge
	}
}

// closesAt returns the first time after t at which the calendar is closed, zero
// if there is none. It must be open at t.
func (c *Calendar) closesAt(t time.Time) time.Time {
	var freeze time.Time
	for i := range c.freezes {
		if c.freezes[i].From.After(t) {
			freeze = c.freezes[i].From
			break
		}
	}
	for {
		open, edge := c.weeklyAt(t)
		switch {
		case !open:
			return t
		case edge.IsZero(), !freeze.IsZero() && !edge.Before(freeze):
			return freeze
		}
		t = edge
	}
}

// weeklyAt reports whether the wall clock is inside a weekly span at t, and the
// next time at which that can change; zero if it never does.
func (c *Calendar) weeklyAt(t time.Time) (open bool, edge time.Time) {
	if c.weekly == nil {
		return true, time.Time{}
	}
	local := t.In(c.zone)
	_, offset := local.Zone()
	// 1970-01-01 was a Thursday, four days into the week.
	second := int((t.Unix() + int64(offset) + 4*secondsOfDay) % secondsOfWeek)
	if second < 0 {
		second += secondsOfWeek
	}
	at := c.weekly[0].from + secondsOfWeek
	for _, w := range c.weekly {
		if second < w.from {
			at = w.from
			break
		}
		if second < w.until {
			open, at = true, w.until
			break
		}
	}
	edge = time.Unix(t.Unix()+int64(at-second), 0).UTC()
	// The wall clock runs evenly until the offset changes, so look again there.
	if _, end := local.ZoneBounds(); !end.IsZero() && end.Before(edge) {
		edge = end.UTC()
	}
	return open, edge
}

// freezeAt returns the freeze in force at t, nil if there is none.
func (c *Calendar) freezeAt(t time.Time) *Freeze {
	for i := range c.freezes {
		f := &c.freezes[i]
		if f.From.After(t) {
			return nil
		}
		if t.Before(f.Until) {
			return f
		}
	}
	return nil
}

// WeekWidens reports whether, freezes aside, b is open at some time in the next
// four weeks at which a is closed. Four weeks contain every weekly pattern and
// most changes of daylight saving.
func WeekWidens(a, b *Calendar, now time.Time) bool {
	if a.weekly == nil {
		return false
	}
	from, to := Calendar{zone: a.zone, weekly: a.weekly}, Calendar{zone: b.zone, weekly: b.weekly}
	for t, end := now, now.AddDate(0, 0, 28); ; {
		opens := to.opensAt(t)
		if !opens.Before(end) {
			return false
		}
		if open, _ := from.weeklyAt(opens); !open {
			return true
		}
		closes := to.closesAt(opens)
		if before := from.closesAt(opens); !before.IsZero() && (closes.IsZero() || before.Before(closes)) {
			return true
		}
		if closes.IsZero() {
			return false
		}
		t = closes
	}
}

// FreezeEnds reports whether some time from now on is frozen in a and not in b.
func FreezeEnds(a, b *Calendar, now time.Time) bool {
	for _, f := range a.freezes {
		t := f.From
		if t.Before(now) {
			t = now
		}
		for t.Before(f.Until) {
			still := b.freezeAt(t)
			if still == nil {
				return true
			}
			t = still.Until
		}
	}
	return false
}
