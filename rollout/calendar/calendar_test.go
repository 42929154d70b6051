package calendar

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestCompileNamesTheInvalidField(t *testing.T) {
	days := []time.Weekday{time.Monday}
	for _, c := range []struct {
		field   string
		change  func(r *Rules)
		warning bool
	}{
		{"timezone", func(r *Rules) { r.Timezone = "Europe/Atlantis" }, false},
		{"timezone", func(r *Rules) { r.Timezone = "Local" }, false},
		{"timezone", func(r *Rules) { r.Timezone = "../../etc/passwd" }, false},
		{"windows[0].days", func(r *Rules) { r.Windows = []Window{{Start: 0, End: 60}} }, false},
		{"windows[0].days[1]", func(r *Rules) { r.Windows = []Window{{Days: []time.Weekday{1, 7}, End: 60}} }, false},
		{"windows[0].days[1]", func(r *Rules) { r.Windows = []Window{{Days: []time.Weekday{1, 1}, End: 60}} }, false},
		{"windows[1].start", func(r *Rules) { r.Windows = []Window{{days, 0, 60}, {days, 1440, 60}} }, false},
		{"windows[0].end", func(r *Rules) { r.Windows = []Window{{days, 0, 0}} }, false},
		{"windows[0].end", func(r *Rules) { r.Windows = []Window{{days, 0, 1441}} }, false},
		{"windows[0]", func(r *Rules) { r.Windows = []Window{{days, 0, 49}} }, true},
		{"windows[0]", func(r *Rules) { r.Windows = []Window{{days, 1430, 10}} }, true},
		{"windows", func(r *Rules) { r.Windows = slices.Repeat([]Window{{days, 0, 60}}, 101) }, false},
		{"officeHours", func(r *Rules) { r.OfficeHours = true; r.Windows = []Window{{days, 17 * 60, 18 * 60}} }, false},
		{"freezes", func(r *Rules) { r.Freezes = slices.Repeat([]Freeze{{start, start.Add(1), ""}}, 501) }, false},
		{"freezes[0].from", func(r *Rules) { r.Freezes = []Freeze{{Until: start}} }, false},
		{"freezes[0].until", func(r *Rules) { r.Freezes = []Freeze{{From: start, Until: start}} }, false},
		{"freezes[0].reason", func(r *Rules) { r.Freezes = []Freeze{{start, start.Add(1), strings.Repeat("x", 501)}} }, false},
	} {
		var r Rules
		c.change(&r)
		_, problems := Compile(r)
		if len(problems) != 1 || problems[0].Field != c.field || problems[0].Warning != c.warning || problems[0].Message == "" {
			t.Errorf("%s: %+v", c.field, problems)
		}
	}
}

func TestNoTimezoneIsUTC(t *testing.T) {
	if c := compile(t, Rules{}); c.zone != time.UTC || !c.Always() {
		t.Errorf("zone %s, always open: %v", c.zone, c.Always())
	}
}
