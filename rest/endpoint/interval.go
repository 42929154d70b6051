package endpoint

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const day = 24 * time.Hour

var (
	unitPattern  = regexp.MustCompile(`^(\d{1,12}(?:\.\d{1,9})?) +([a-z]+)$`)
	clockPattern = regexp.MustCompile(`^(\d{1,4}):([0-5]\d):([0-5]\d(?:\.\d{1,9})?)$`)
)

// ParseInterval reads a duration in the format of CoreRoller 1.0: PostgreSQL's
// intervals with one unit of fixed length ("15 minutes"), or a clock ("00:15:00").
func ParseInterval(text string) (time.Duration, bool) {
	text = strings.ToLower(strings.TrimSpace(text))
	if m := clockPattern.FindStringSubmatch(text); m != nil {
		return sum(m[1:], []time.Duration{time.Hour, time.Minute, time.Second})
	}
	m := unitPattern.FindStringSubmatch(text)
	if m == nil {
		return 0, false
	}
	unit, known := units[strings.TrimSuffix(m[2], "s")]
	if !known {
		return 0, false
	}
	return sum(m[1:2], []time.Duration{unit})
}

// units are the units in the singular.
var units = map[string]time.Duration{
	"microsecond": time.Microsecond, "usec": time.Microsecond,
	"millisecond": time.Millisecond, "msec": time.Millisecond,
	"second": time.Second, "sec": time.Second,
	"minute": time.Minute, "min": time.Minute,
	"hour": time.Hour, "hr": time.Hour,
	"day":  day,
	"week": 7 * day,
}

func sum(numbers []string, units []time.Duration) (total time.Duration, ok bool) {
	for i, text := range numbers {
		n, err := strconv.ParseFloat(text, 64)
		unit := float64(units[i]) //nolint:gosec // G602: callers give as many units as numbers
		if err != nil || n*unit > math.MaxInt64/4 {
			return 0, false
		}
		total += time.Duration(math.Round(n * unit))
	}
	return total, true
}

// FormatInterval writes a duration as a multiple of the largest unit that divides
// it.
func FormatInterval(d time.Duration) string {
	for _, u := range []struct {
		length time.Duration
		name   string
	}{
		{day, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}, {time.Second, "second"}, {time.Millisecond, "millisecond"},
	} {
		switch n := int64(d / u.length); {
		case n == 0 || d%u.length != 0:
		case n == 1:
			return "1 " + u.name
		default:
			return strconv.FormatInt(n, 10) + " " + u.name + "s"
		}
	}
	return strconv.FormatFloat(d.Seconds(), 'f', -1, 64) + " seconds"
}
