package rollout

import "time"

// Span is a time from which and until before which updates may be granted.
type Span struct {
	From  time.Time
	Until time.Time // zero: no end
}

// maxNextWindows bounds what a caller can ask of NextWindows.
const maxNextWindows = 100

// Opening reports whether windows, office hours and freezes all allow a grant
// now. If not, reason is ReasonFrozen (with the freeze's own reason) when a
// freeze is in force, else ReasonOutsideWindow, and next is the first moment
// at which all allow one again.
func (s *Schedule) Opening(now time.Time) (open bool, reason Reason, next time.Time, freezeReason string) {
	if s.always() {
		return true, ReasonNone, time.Time{}, ""
	}
	if f := s.freezeAt(now); f != nil {
		return false, ReasonFrozen, s.opensAt(now), f.Reason
	}
	if open, _ := s.weeklyAt(now); !open {
		return false, ReasonOutsideWindow, s.opensAt(now), ""
	}
	return true, ReasonNone, time.Time{}, ""
}

// NextWindows are the first n spans from now on in which updates may be
// granted, at most 100. The first one begins now when it is open already; one
// without an end is the last.
func (s *Schedule) NextWindows(now time.Time, n int) []Span {
	var spans []Span
	for t := now; len(spans) < min(n, maxNextWindows); {
		from := s.opensAt(t)
		t = s.closesAt(from)
		spans = append(spans, Span{From: from, Until: t})
		if t.IsZero() {
			break
		}
	}
	return spans
}

// opensAt is the first moment from t on at which everything allows a grant.
// It ends because freezes are finite and every week has a window.
func (s *Schedule) opensAt(t time.Time) time.Time {
	for {
		if f := s.freezeAt(t); f != nil {
			t = f.Until
			continue
		}
		open, edge := s.weeklyAt(t)
		if open {
			return t
		}
		t = edge
	}
}

// closesAt is the first moment after t, at which all is open, when it is not;
// zero when there is none.
func (s *Schedule) closesAt(t time.Time) time.Time {
	var freeze time.Time
	for i := range s.freezes {
		if s.freezes[i].From.After(t) {
			freeze = s.freezes[i].From
			break
		}
	}
	for {
		open, edge := s.weeklyAt(t)
		switch {
		case !open:
			return t
		case edge.IsZero(), !freeze.IsZero() && !edge.Before(freeze):
			return freeze
		}
		t = edge
	}
}
