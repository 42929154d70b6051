package selector

import (
	"strings"
	"testing"
)

func machine() *Machine {
	return &Machine{
		ID: "0123abcd", Alias: "web-1", Address: "10.1.2.3", Arch: "amd64", OEM: "azure", OEMVersion: "2.9", FirstVersion: "3374.2.0",
		Attributes: map[string]string{"rack": "4", "data-center": "fra"}, Tags: []string{"canary", "web"},
	}
}

func TestExpressionsSelectMachines(t *testing.T) {
	for text, want := range map[string]bool{
		"oem == 'azure'": true,
		"oem == 'azure' && attributes.rack in ['3', '4']": true,
		"attributes['data-center'] == 'fra'":              true,
		"attributes.missing == ''":                        true,
		"attributes.missing != ''":                        false,
		"'canary' in tags":                                true,
		"tags.exists(t, t.startsWith('can'))":             true,
		"tags.all(t, t == 'web')":                         false,
		"alias.startsWith('web-')":                        true,
		"alias.matches('^db-[0-9]+$')":                    false,
		"machine in ['0123abcd', 'x']":                    true,
		"within(address, '10.1.0.0/16')":                  true,
		"within(address, '192.168.0.0/16')":               false,
		"within(alias, '0.0.0.0/0')":                      false,
		"within(address, 'no network')":                   false,
		"!(arch == 'arm64')":                              true,
		"aleph_version.startsWith('3374.')":               true,
		"oem_version == '2.9' || oem == ''":               true,
		"oem.lowerAscii() == 'azure'":                     true,
		"attributes.rack == '4' ? true : false":           true,
	} {
		e, err := Compile(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := e.Matches(machine()); got != want {
			t.Errorf("%s is %v, want %v", text, got, want)
		}
	}
	e, err := Compile("oem == '' && tags.size() == 0 && attributes.rack == ''")
	if err != nil || !e.Matches(&Machine{}) {
		t.Errorf("a machine about which nothing is known: %v", err)
	}
}

func TestMistakesAreNamedWithTheirPlace(t *testing.T) {
	for text, want := range map[string]string{
		"":                                "must not be empty",
		"oem":                             "must be true or false",
		"oem = 'azure'":                   "line 1, column 5: did not expect '= '",
		"oem == 'azure' oem":              "line 1, column 16: did not expect 'oem'",
		"arch == 'amd64' &&":              "line 1, column 19: the expression is not complete",
		"oem ==\n  3":                     "line 1, column 5",
		"vendor == 'x'":                   "line 1, column 1: there is no 'vendor'",
		"attributes.rack == 3":            "line 1, column 17",
		"has(attributes.rack)":            "there is no 'has'",
		"oem.foo() == 'x'":                "there is no 'foo'",
		strings.Repeat("x", 2001):         "2000 bytes",
		"oem == '\xff'":                   "UTF-8",
		strings.Repeat("!", 600) + "true": "",
	} {
		_, err := Compile(text)
		if want == "" {
			continue // only that it ends
		}
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%.40q: %v, want %q", text, err, want)
		}
	}
}

func TestCostIsLimited(t *testing.T) {
	e, err := Compile("tags.all(a, tags.all(b, tags.all(c, tags.all(d, a + b + c + d != 'x'))))")
	if err != nil {
		t.Fatal(err)
	}
	m := machine()
	for range 62 {
		m.Tags = append(m.Tags, strings.Repeat("t", 60))
	}
	if e.Matches(m) {
		t.Error("an evaluation of 17 million steps was not cut off")
	}
}

func TestExplanationShowsEachComparison(t *testing.T) {
	e, err := Compile("oem == 'gce' && (attributes.rack == '3' || 'canary' in tags) && within(address, '10.0.0.0/8')")
	if err != nil {
		t.Fatal(err)
	}
	want := []Part{
		{`oem == "gce"`, false, "oem is 'azure'"},
		{`attributes.rack == "3"`, false, "attributes.rack is '4'"},
		{`"canary" in tags`, true, "tags is ['canary', 'web']"},
		{`within(address, "10.0.0.0/8")`, true, "address is '10.1.2.3'"},
	}
	got := e.Explain(machine())
	if len(got) != len(want) {
		t.Fatalf("%+v", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%+v, want %+v", got[i], want[i])
		}
	}
}

func BenchmarkMatches(b *testing.B) {
	e, err := Compile("oem == 'azure' && attributes.rack in ['3', '4'] && !('canary' in tags)")
	if err != nil {
		b.Fatal(err)
	}
	m := machine()
	for b.Loop() {
		e.Matches(m)
	}
}
