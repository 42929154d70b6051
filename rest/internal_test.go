package rest

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/coreroller/coreroller/fleet/fault"
)

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
	d := dialect()
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := d.ParseBody(data)
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
		pkg, err1 := newPackage(b)
		again, _ := d.ParseBody(data)
		group, err2 := newGroup(again)
		for _, err := range []error{err1, err2} {
			for _, e := range fault.All(err) {
				if e.Code != fault.Invalid || e.Field == "" || e.Message == "" || len(e.Message) > 200 || !utf8.ValidString(e.Message) {
					t.Fatalf("error %+v", e)
				}
			}
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
