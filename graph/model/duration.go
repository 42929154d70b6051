package model

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/sosodev/duration"
)

const day = 24 * time.Hour

var (
	isoPattern   = regexp.MustCompile(`^P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d{1,9})?)S)?)?$`)
	clockPattern = regexp.MustCompile(`^(\d{1,3}):([0-5]\d):([0-5]\d(?:\.\d{1,9})?)$`)
	unitsPattern = regexp.MustCompile(`^(?:\d+(?:\.\d+)?\s*[a-z]+[\s,]*)+$`)
	unitPattern  = regexp.MustCompile(`(\d+(?:\.\d+)?)\s*([a-z]+)`)
)

// errDuration is the error for text that is not a duration.
func errDuration() error {
	return inputError(`must be a duration such as "15 minutes", "1h30m" or "PT15M"`)
}

// FormatDuration returns a duration in ISO 8601 with days as the largest unit,
// because the length of longer units varies.
func FormatDuration(d time.Duration) string {
	iso := duration.Duration{Negative: d < 0}
	d = d.Abs()
	iso.Days = float64(d / day)
	iso.Hours = float64(d % day / time.Hour)
	iso.Minutes = float64(d % time.Hour / time.Minute)
	iso.Seconds = (d % time.Minute).Seconds()
	return iso.String()
}

// ParseDuration parses ISO 8601, hh:mm:ss such as 00:15:00, or numbers with units
// such as "1 hour 30 minutes". It refuses months, years and negative durations.
func ParseDuration(text string) (time.Duration, error) {
	text = strings.TrimSpace(text)
	if m := isoPattern.FindStringSubmatch(strings.ToUpper(text)); m != nil && !strings.HasSuffix(strings.ToUpper(text), "T") && len(text) > 1 {
		return sum(m[1:], []time.Duration{7 * day, day, time.Hour, time.Minute, time.Second})
	}
	if m := clockPattern.FindStringSubmatch(text); m != nil {
		return sum(m[1:], []time.Duration{time.Hour, time.Minute, time.Second})
	}
	lower := strings.ToLower(text)
	if !unitsPattern.MatchString(lower) {
		return 0, errDuration()
	}
	var numbers []string
	var lengths []time.Duration
	for _, m := range unitPattern.FindAllStringSubmatch(lower, -1) {
		if units[m[2]] == 0 {
			return 0, errDuration()
		}
		numbers, lengths = append(numbers, m[1]), append(lengths, units[m[2]])
	}
	return sum(numbers, lengths)
}

// units are the units that people write. Single letters have the meaning of Go and
// PostgreSQL: m is minutes.
var units = map[string]time.Duration{
	"us": time.Microsecond, "microsecond": time.Microsecond, "microseconds": time.Microsecond,
	"ms": time.Millisecond, "msec": time.Millisecond, "msecs": time.Millisecond, "millisecond": time.Millisecond, "milliseconds": time.Millisecond,
	"s": time.Second, "sec": time.Second, "secs": time.Second, "second": time.Second, "seconds": time.Second,
	"m": time.Minute, "min": time.Minute, "mins": time.Minute, "minute": time.Minute, "minutes": time.Minute,
	"h": time.Hour, "hr": time.Hour, "hrs": time.Hour, "hour": time.Hour, "hours": time.Hour,
	"d": day, "day": day, "days": day,
	"w": 7 * day, "week": 7 * day, "weeks": 7 * day,
}

// sum adds up numbers times units; empty numbers count as 0.
func sum(numbers []string, units []time.Duration) (time.Duration, error) {
	var total float64
	var exact time.Duration
	for i, text := range numbers {
		if text == "" {
			continue
		}
		n, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return 0, errDuration()
		}
		if total += n * float64(units[i]); total > math.MaxInt64/2 {
			return 0, inputError("is too long a duration")
		}
		exact += time.Duration(math.Round(n * float64(units[i])))
	}
	return exact, nil
}
