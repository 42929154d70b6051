package model

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
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
	var b strings.Builder
	if d < 0 {
		b.WriteByte('-')
		d = -d
	}
	b.WriteByte('P')
	if days := d / day; days > 0 {
		b.WriteString(strconv.FormatInt(int64(days), 10) + "D")
		if d -= days * day; d == 0 {
			return b.String()
		}
	}
	b.WriteByte('T')
	if hours := d / time.Hour; hours > 0 {
		b.WriteString(strconv.FormatInt(int64(hours), 10) + "H")
		d -= hours * time.Hour
	}
	if minutes := d / time.Minute; minutes > 0 {
		b.WriteString(strconv.FormatInt(int64(minutes), 10) + "M")
		d -= minutes * time.Minute
	}
	if d > 0 || strings.HasSuffix(b.String(), "T") {
		b.WriteString(strconv.FormatFloat(d.Seconds(), 'f', -1, 64) + "S")
	}
	return b.String()
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
	var units []time.Duration
	for _, m := range unitPattern.FindAllStringSubmatch(lower, -1) {
		u := unit(m[2])
		if u == 0 {
			return 0, errDuration()
		}
		numbers, units = append(numbers, m[1]), append(units, u)
	}
	return sum(numbers, units)
}

// unit returns the length of a unit, 0 for an unknown one. Single letters have
// the meaning of Go and PostgreSQL: m is minutes.
func unit(word string) time.Duration {
	switch word {
	case "us", "microsecond", "microseconds":
		return time.Microsecond
	case "ms", "msec", "msecs", "millisecond", "milliseconds":
		return time.Millisecond
	case "s", "sec", "secs", "second", "seconds":
		return time.Second
	case "m", "min", "mins", "minute", "minutes":
		return time.Minute
	case "h", "hr", "hrs", "hour", "hours":
		return time.Hour
	case "d", "day", "days":
		return day
	case "w", "week", "weeks":
		return 7 * day
	}
	return 0
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
