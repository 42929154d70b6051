package rest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/coreroller/coreroller/fleet/fault"
)

func TestIntervalsParseAndFormat(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"15 minutes": 15 * time.Minute, "1 minute": time.Minute, "1 hour": time.Hour, "2 Hours": 2 * time.Hour, " 1 day ": 24 * time.Hour,
		"00:15:00": 15 * time.Minute, "100:00:00.5": 100*time.Hour + 500*time.Millisecond, "500 milliseconds": 500 * time.Millisecond,
		"2 weeks": 14 * 24 * time.Hour, "1.5 hours": 90 * time.Minute, "90 secs": 90 * time.Second, "10 mins": 10 * time.Minute,
		"7 microseconds": 7 * time.Microsecond, "0 minutes": 0,
	} {
		if d, ok := parseInterval(text); !ok || d != want {
			t.Errorf("%q is %v, %v", text, d, ok)
		}
	}
	for _, text := range []string{
		"", "15", "minutes", "-15 minutes", "15 minutess", "15  minutes or so", "1 month", "1 year", "PT15M", "1h", "00:60:00", "00:15", "15 s",
		"999999999999 weeks", "1e3 minutes", "1 hour 30 minutes", "∞ hours", "15\x00minutes",
	} {
		if d, ok := parseInterval(text); ok {
			t.Errorf("%q is %v", text, d)
		}
	}
	for d, want := range map[time.Duration]string{
		time.Minute: "1 minute", 15 * time.Minute: "15 minutes", time.Hour: "1 hour", 90 * time.Minute: "90 minutes", 48 * time.Hour: "2 days",
		time.Second: "1 second", 500 * time.Millisecond: "500 milliseconds", 1500 * time.Millisecond: "1500 milliseconds", 0: "0 seconds",
		7 * time.Microsecond: "0.000007 seconds", time.Hour + time.Nanosecond: "3600.000000001 seconds",
	} {
		text := formatInterval(d)
		if back, ok := parseInterval(text); text != want || !ok || back != d {
			t.Errorf("%d is %q, which is %v", d, text, back)
		}
	}
}

func TestPagesFromParameters(t *testing.T) {
	for query, want := range map[string]page{
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
		params := params{Values: q}
		if p := params.page(); params.err != nil || p != want {
			t.Errorf("%s: %+v %v", query, p, params.err)
		}
	}
}

func TestPlacesExpireAndAreLimited(t *testing.T) {
	p := newPlaces()
	now := time.Unix(0, 0)
	for i := range maxPlaces + 1 {
		p.put(place{"list", i}, fmt.Sprint("m", i), now)
	}
	if _, ok := p.get(place{"list", 0}, now); ok || p.known.Len() != maxPlaces {
		t.Errorf("%d places are cached", p.known.Len())
	}
	if m, ok := p.get(place{"list", 7}, now); !ok || m != "m7" {
		t.Errorf("%q %v", m, ok)
	}
	p.put(place{"list", 7}, "n", now)
	if m, ok := p.get(place{"list", 7}, now.Add(placeTime-1)); !ok || m != "n" {
		t.Errorf("%q %v", m, ok)
	}
	if _, ok := p.get(place{"list", 7}, now.Add(placeTime)); ok {
		t.Error("a place does not expire")
	}
}

// FuzzBody checks the readers of bodies: they do not panic, refuse with a code, a
// field and a short text, and accept what the standard library decodes equally.
func FuzzBody(f *testing.F) {
	for _, text := range []string{
		`{}`, `null`, `[]`, `{"type":1,"version":"1.0.0","url":"https://example.com/","size":"12","hash":null,"channels_blacklist":["e96281a6-d1af-4bde-9a0a-97b76e56dc57"],"coreos_action":{"sha256":"x"}}`,
		`{"name":"prod","policy_period_interval":"15 minutes","policy_update_timeout":"00:15:00","policy_max_updates_per_period":2,"policy_safe_mode":true,"channel_id":""}`,
		`{"NAME":"a","name":"b","size":1e3,"type":1.5,"coreos_action":[]}`, "{\"name\":\"\xff\"}", `{"size":99999999999999999999}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := parseBody(data)
		if err != nil {
			if fault.CodeOf(err) != fault.Invalid || err.Error() == "" {
				t.Fatalf("error %v", err)
			}
			return
		}
		var plain map[string]any
		numbers := json.NewDecoder(bytes.NewReader(data))
		numbers.UseNumber() // unread fields may have numbers too large for any type
		if err := numbers.Decode(&plain); err != nil {
			t.Fatalf("accepted, but %v", err)
		}
		pkg, err1 := b.newPackage()
		b.problems = new([]error)
		group, err2 := b.newGroup()
		for _, err := range []error{err1, err2} {
			for _, e := range fault.All(err) {
				if e.Code != fault.Invalid || e.Field == "" || e.Message == "" || len(e.Message) > 200 || !utf8.ValidString(e.Message) {
					t.Fatalf("error %+v", e)
				}
			}
		}
		if p := combine(append(fault.All(err1), &fault.Error{Code: fault.Invalid})); p.Code == "" {
			t.Fatalf("%+v", p)
		}
		if name, ok := plain["name"].(string); ok && group.Name != name {
			t.Fatalf("the name is %q, not %q", group.Name, name)
		}
		if version, ok := plain["version"].(string); ok && pkg.Version != version {
			t.Fatalf("the version is %q, not %q", pkg.Version, version)
		}
		if err1 == nil && (pkg.Type < 0 || strings.Contains(pkg.SHA1, "\xff")) {
			t.Fatalf("%+v", pkg)
		}
	})
}
