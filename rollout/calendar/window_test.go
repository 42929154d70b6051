package calendar

import (
	"encoding/json"
	"math"
	"slices"
	"testing"
	"time"
	_ "time/tzdata" // zones for machines without a zone database

	"pgregory.net/rapid"
)

// start is a Monday, 10:00 UTC.
var start = time.Date(2026, time.March, 2, 10, 0, 0, 0, time.UTC)

func compile(t testing.TB, r Rules) *Calendar {
	t.Helper()
	c, problems := Compile(r)
	if len(problems) > 0 && !problems[0].Warning {
		t.Fatalf("the rules do not compile: %+v", problems)
	}
	return &c
}

// wallOpen is a naive implementation: it reads the wall clock with package time
// and looks it up in the rules.
func wallOpen(p Rules, zone *time.Location, t time.Time) bool {
	for _, f := range p.Freezes {
		if !t.Before(f.From) && t.Before(f.Until) {
			return false
		}
	}
	local := t.In(zone)
	minute := local.Hour()*60 + local.Minute()
	today, yesterday := local.Weekday(), (local.Weekday()+6)%7
	inside := len(p.Windows) == 0
	for _, w := range p.Windows {
		for _, day := range w.Days {
			if w.Start < w.End {
				inside = inside || day == today && minute >= w.Start && minute < w.End
			} else {
				inside = inside || day == today && minute >= w.Start || day == yesterday && minute < w.End
			}
		}
	}
	if p.OfficeHours && (today == time.Sunday || today == time.Saturday || minute < 9*60 || minute >= 17*60) {
		return false
	}
	return inside
}

// checkOpening fails unless Opening agrees with wallOpen, the calendar is open
// at next, and it is closed at every minute before next.
func checkOpening(t interface {
	Helper()
	Fatalf(string, ...any)
}, s *Calendar, now time.Time) {
	t.Helper()
	p := s.rules
	open, freeze, next := s.Opening(now)
	if want := wallOpen(p, s.zone, now); open != want {
		t.Fatalf("at %s (%s): open %v, wallOpen %v", now, now.In(s.zone), open, want)
	}
	if open {
		if freeze != nil || !next.IsZero() {
			t.Fatalf("open, but frozen by %v and next open at %s", freeze, next)
		}
		return
	}
	if !next.After(now) || !wallOpen(p, s.zone, next) {
		t.Fatalf("at %s the next opening is %s (%s), which is closed", now, next, next.In(s.zone))
	}
	closed := func(at time.Time) {
		if at.Before(next) && wallOpen(p, s.zone, at) {
			t.Fatalf("at %s the next opening is %s, but %s (%s) is open before", now, next, at, at.In(s.zone))
		}
	}
	closed(next.Add(-time.Nanosecond))
	const most = 9 * 24 * 60 // minutes: check nine days from both ends
	for i := range min(most, int(next.Sub(now)/time.Minute)) {
		closed(now.Truncate(time.Minute).Add(time.Duration(i+1) * time.Minute))
		closed(next.Add(-time.Duration(i+1) * time.Minute))
	}
}

func TestOpeningAcrossDaylightSaving(t *testing.T) {
	sunday, friday, saturday := []time.Weekday{time.Sunday}, []time.Weekday{time.Friday}, []time.Weekday{time.Saturday}
	for _, c := range []struct {
		name, zone   string
		window       Window
		at, next     string // next "" means open
		wantUntil    string
		secondOpens  string
		secondCloses string
	}{
		{name: "before the spring change", zone: "Europe/Berlin", window: Window{Days: sunday, Start: 9 * 60, End: 10 * 60},
			at: "2026-03-28T12:00:00Z", next: "2026-03-29T07:00:00Z", wantUntil: "2026-03-29T08:00:00Z"},
		{name: "before the autumn change", zone: "Europe/Berlin", window: Window{Days: sunday, Start: 9 * 60, End: 10 * 60},
			at: "2026-10-24T12:00:00Z", next: "2026-10-25T08:00:00Z", wantUntil: "2026-10-25T09:00:00Z"},
		{name: "begins in the skipped hour", zone: "Europe/Berlin", window: Window{Days: sunday, Start: 2*60 + 30, End: 4 * 60},
			at: "2026-03-29T00:00:00Z", next: "2026-03-29T01:00:00Z", wantUntil: "2026-03-29T02:00:00Z"},
		{name: "lies in the skipped hour", zone: "Europe/Berlin", window: Window{Days: sunday, Start: 2*60 + 15, End: 2*60 + 45},
			at: "2026-03-29T00:00:00Z", next: "2026-04-05T00:15:00Z", wantUntil: "2026-04-05T00:45:00Z"},
		{name: "lies in the repeated hour", zone: "Europe/Berlin", window: Window{Days: sunday, Start: 2*60 + 15, End: 2*60 + 45},
			at: "2026-10-25T00:00:00Z", next: "2026-10-25T00:15:00Z", wantUntil: "2026-10-25T00:45:00Z",
			secondOpens: "2026-10-25T01:15:00Z", secondCloses: "2026-10-25T01:45:00Z"},
		{name: "spans the repeated hour", zone: "America/New_York", window: Window{Days: sunday, Start: 30, End: 3 * 60},
			at: "2026-11-01T04:00:00Z", next: "2026-11-01T04:30:00Z", wantUntil: "2026-11-01T08:00:00Z"},
		{name: "over midnight belongs to the day it began", zone: "America/New_York", window: Window{Days: saturday, Start: 22 * 60, End: 2 * 60},
			at: "2026-03-07T20:00:00Z", next: "2026-03-08T03:00:00Z", wantUntil: "2026-03-08T07:00:00Z"},
		{name: "daylight saving of half an hour", zone: "Australia/Lord_Howe", window: Window{Days: sunday, Start: 1*60 + 45, End: 2*60 + 15},
			at: "2026-04-04T14:00:00Z", next: "2026-04-04T14:45:00Z", wantUntil: "2026-04-04T15:00:00Z",
			secondOpens: "2026-04-04T15:15:00Z", secondCloses: "2026-04-04T15:45:00Z"},
		{name: "a day that does not exist", zone: "Pacific/Apia", window: Window{Days: friday, Start: 9 * 60, End: 10 * 60},
			at: "2011-12-30T05:00:00Z", next: "2012-01-05T19:00:00Z", wantUntil: "2012-01-05T20:00:00Z"},
		{name: "an offset of quarter hours", zone: "Asia/Kathmandu", window: Window{Days: friday, Start: 9 * 60, End: 10 * 60},
			at: "2026-03-06T03:14:59Z", next: "2026-03-06T03:15:00Z", wantUntil: "2026-03-06T04:15:00Z"},
		{name: "the last second is open, the end is closed", zone: "UTC", window: Window{Days: friday, Start: 0, End: 24 * 60},
			at: "2026-03-06T23:59:59Z"},
		{name: "twenty-four hours from nine to nine", zone: "UTC", window: Window{Days: friday, Start: 9 * 60, End: 9 * 60},
			at: "2026-03-06T08:59:00Z", next: "2026-03-06T09:00:00Z", wantUntil: "2026-03-07T09:00:00Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := Rules{}
			p.Timezone, p.Windows = c.zone, []Window{c.window}
			s := compile(t, p)
			now := moments(t, c.at)
			checkOpening(t, s, now)
			open, _, next := s.Opening(now)
			if open != (c.next == "") || !open && !next.Equal(moments(t, c.next)) {
				t.Fatalf("open %v, next %s, want %s", open, next, c.next)
			}
			if open {
				return
			}
			spans := s.Next(now, 2)
			if !spans[0].From.Equal(next) || !spans[0].Until.Equal(moments(t, c.wantUntil)) {
				t.Errorf("the next window is %v, want it until %s", spans[0], c.wantUntil)
			}
			if c.secondOpens != "" && (!spans[1].From.Equal(moments(t, c.secondOpens)) || !spans[1].Until.Equal(moments(t, c.secondCloses))) {
				t.Errorf("the one after is %v, want %s until %s", spans[1], c.secondOpens, c.secondCloses)
			}
		})
	}
}

func moments(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestNextSpans(t *testing.T) {
	p := Rules{}
	if got := compile(t, p).Next(start, 5); len(got) != 1 || got[0] != (Span{From: start}) {
		t.Errorf("without windows: %v", got)
	}
	p.Freezes = []Freeze{{From: start.Add(time.Hour), Until: start.Add(2 * time.Hour)}, {From: start.Add(90 * time.Minute), Until: start.Add(3 * time.Hour)}}
	got := compile(t, p).Next(start, 5)
	if len(got) != 2 || got[0] != (Span{start, start.Add(time.Hour)}) || got[1] != (Span{From: start.Add(3 * time.Hour)}) {
		t.Errorf("with overlapping freezes: %v", got)
	}
	p.Windows = []Window{{[]time.Weekday{1}, 0, 600}, {[]time.Weekday{1}, 600, 720}, {[]time.Weekday{1}, 700, 800}, {[]time.Weekday{1}, 801, 900}}
	if got := compile(t, p).Next(start.AddDate(0, 0, 4), 1); got[0].Until.Sub(got[0].From) != 800*time.Minute {
		t.Errorf("windows that touch: %v", got)
	}
	p.Windows = []Window{{[]time.Weekday{0, 1, 2, 3, 4, 5, 6}, 720, 720}}
	if s := compile(t, p); s.weekly != nil {
		t.Errorf("around the clock is %v", s.weekly)
	}
	p.Windows, p.OfficeHours = nil, true
	got = compile(t, p).Next(start, 1000)
	if len(got) != maxSpans {
		t.Fatalf("%d windows", len(got))
	}
	if got[1] != (Span{start.Add(3 * time.Hour), start.Add(7 * time.Hour)}) {
		t.Errorf("after the freeze: %v", got[1])
	}
	s := compile(t, p)
	for i, w := range got {
		mid := w.From.Add(w.Until.Sub(w.From) / 2)
		if !wallOpen(p, time.UTC, w.From) || !wallOpen(p, time.UTC, mid) || wallOpen(p, time.UTC, w.Until) {
			t.Fatalf("window %d, %v, disagrees with wallOpen", i, w)
		}
		if open, _, _ := s.Opening(w.Until.Add(-time.Nanosecond)); !open {
			t.Fatalf("window %d closes early", i)
		}
	}
}

// TestOpeningAgreesWithWallClock draws calendars around the changes of zones.
func TestOpeningAgreesWithWallClock(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := Rules{}
		p.Timezone = rapid.SampledFrom([]string{
			"UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Casablanca", "America/St_Johns", "Antarctica/Troll",
		}).Draw(rt, "zone")
		around := rapid.SampledFrom([]string{
			"2026-03-29T01:00:00Z", "2026-10-25T01:00:00Z", "2026-03-08T07:00:00Z", "2026-11-01T06:00:00Z", "2011-12-30T10:00:00Z", "2026-02-15T02:00:00Z",
		}).Draw(rt, "around")
		now := moments(t, around).Add(time.Duration(rapid.IntRange(-4*86400, 4*86400).Draw(rt, "seconds")) * time.Second)
		for range rapid.IntRange(0, 3).Draw(rt, "windows") {
			p.Windows = append(p.Windows, Window{
				Days:  rapid.SliceOfNDistinct(rapid.Map(rapid.IntRange(0, 6), func(i int) time.Weekday { return time.Weekday(i) }), 1, 3, rapid.ID).Draw(rt, "days"),
				Start: rapid.IntRange(0, 1439).Draw(rt, "start"), End: rapid.IntRange(1, 1440).Draw(rt, "end"),
			})
		}
		p.OfficeHours = rapid.Bool().Draw(rt, "office hours")
		for range rapid.IntRange(0, 2).Draw(rt, "freezes") {
			from := now.Add(time.Duration(rapid.IntRange(-200, 200).Draw(rt, "from")) * time.Hour)
			p.Freezes = append(p.Freezes, Freeze{From: from, Until: from.Add(time.Duration(rapid.IntRange(1, 300).Draw(rt, "length")) * time.Hour)})
		}
		if s, problems := Compile(p); !slices.ContainsFunc(problems, func(p Problem) bool { return !p.Warning }) {
			checkOpening(rt, &s, now)
		}
	})
}

// FuzzOpening reads rules and a time: compiling never panics, and the next
// opening is the first time at which the calendar is open.
func FuzzOpening(f *testing.F) {
	for _, rules := range []string{
		`{}`,
		`{"officeHours":true,"timezone":"Europe/Berlin"}`,
		`{"windows":[{"days":[0,6],"start":1320,"end":120}],"timezone":"America/New_York"}`,
		`{"windows":[{"days":[0],"start":135,"end":165},{"days":[1],"start":0,"end":1440}],"timezone":"Australia/Lord_Howe"}`,
		`{"officeHours":true,"freezes":[{"from":"2026-03-01T00:00:00Z","until":"2026-04-01T00:00:00Z","reason":"x"}]}`,
		`{"timezone":"../etc/passwd","windows":[{"days":[9],"start":-1,"end":1441}]}`,
	} {
		f.Add([]byte(rules), start.Unix(), int64(0))
		f.Add([]byte(rules), int64(1774746000), int64(999_999_999)) // 2026-03-29T01:00:00Z
	}
	f.Fuzz(func(t *testing.T, text []byte, seconds, nanos int64) {
		var r Rules
		if json.Unmarshal(text, &r) != nil {
			return
		}
		c, problems := Compile(r)
		if slices.ContainsFunc(problems, func(p Problem) bool { return !p.Warning }) {
			return
		}
		if seconds < 0 || seconds > 32503680000 { // compare times from 1970 to 3000 only
			seconds %= math.MaxInt32
		}
		now := time.Unix(seconds, nanos%1_000_000_000).UTC()
		checkOpening(t, &c, now)
		for _, s := range c.Next(now, 3) {
			if open, _, _ := c.Opening(s.From); !open || !s.Until.IsZero() && !s.Until.After(s.From) {
				t.Fatalf("span %v", s)
			}
		}
		if (c.DescribeWeek() == "") != (c.weekly == nil) {
			t.Fatalf("described as %q", c.DescribeWeek())
		}
	})
}
