package endpoint

import (
	"fmt"
	"math"
	"net/url"
	"testing"
	"time"
)

func TestIntervalsParseAndFormat(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"15 minutes": 15 * time.Minute, "1 minute": time.Minute, "1 hour": time.Hour, "2 Hours": 2 * time.Hour, " 1 day ": 24 * time.Hour,
		"00:15:00": 15 * time.Minute, "100:00:00.5": 100*time.Hour + 500*time.Millisecond, "500 milliseconds": 500 * time.Millisecond,
		"2 weeks": 14 * 24 * time.Hour, "1.5 hours": 90 * time.Minute, "90 secs": 90 * time.Second, "10 mins": 10 * time.Minute,
		"7 microseconds": 7 * time.Microsecond, "0 minutes": 0,
	} {
		if d, ok := ParseInterval(text); !ok || d != want {
			t.Errorf("%q is %v, %v", text, d, ok)
		}
	}
	for _, text := range []string{
		"", "15", "minutes", "-15 minutes", "15 minutess", "15  minutes or so", "1 month", "1 year", "PT15M", "1h", "00:60:00", "00:15", "15 s",
		"999999999999 weeks", "1e3 minutes", "1 hour 30 minutes", "∞ hours", "15\x00minutes",
	} {
		if d, ok := ParseInterval(text); ok {
			t.Errorf("%q is %v", text, d)
		}
	}
	for d, want := range map[time.Duration]string{
		time.Minute: "1 minute", 15 * time.Minute: "15 minutes", time.Hour: "1 hour", 90 * time.Minute: "90 minutes", 48 * time.Hour: "2 days",
		time.Second: "1 second", 500 * time.Millisecond: "500 milliseconds", 1500 * time.Millisecond: "1500 milliseconds", 0: "0 seconds",
		7 * time.Microsecond: "0.000007 seconds", time.Hour + time.Nanosecond: "3600.000000001 seconds",
	} {
		text := FormatInterval(d)
		if back, ok := ParseInterval(text); text != want || !ok || back != d {
			t.Errorf("%d is %q, which is %v", d, text, back)
		}
	}
}

func TestPagesFromParameters(t *testing.T) {
	for query, want := range map[string]Page{
		"": {0, 500}, "page=1": {0, 500}, "page=0&perpage=0": {0, 500}, "page=3&perpage=10": {20, 10},
		fmt.Sprintf("page=%d", math.MaxInt):                          {math.MaxInt / 2, 500},
		fmt.Sprintf("page=%d&perpage=%d", math.MaxInt, math.MaxInt):  {math.MaxInt / 2, math.MaxInt},
		fmt.Sprintf("page=2&perpage=%d", math.MaxInt/2+1):            {math.MaxInt / 2, math.MaxInt/2 + 1},
		fmt.Sprintf("page=%d&perpage=1", math.MaxInt/2-5):            {math.MaxInt/2 - 6, 1},
		fmt.Sprintf("page=%d&perpage=%d", 1, int64(math.MaxInt32)*3): {0, math.MaxInt32 * 3},
	} {
		q, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		params := Params{Values: q}
		if p := params.Page(500); params.Err != nil || p != want {
			t.Errorf("%s: %+v %v", query, p, params.Err)
		}
	}
}

func TestPlacesExpireAndAreLimited(t *testing.T) {
	p := newPlaces()
	now := time.Unix(0, 0)
	for i := range maxPlaces + 1 {
		p.Put("list", i, fmt.Sprint("m", i), now)
	}
	if _, ok := p.Get("list", 0, now); ok || p.known.Len() != maxPlaces {
		t.Errorf("%d places are cached", p.known.Len())
	}
	if m, ok := p.Get("list", 7, now); !ok || m != "m7" {
		t.Errorf("%q %v", m, ok)
	}
	p.Put("list", 7, "n", now)
	if m, ok := p.Get("list", 7, now.Add(placeTime-1)); !ok || m != "n" {
		t.Errorf("%q %v", m, ok)
	}
	if _, ok := p.Get("list", 7, now.Add(placeTime)); ok {
		t.Error("a place does not expire")
	}
}
