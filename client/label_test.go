package client

import (
	"fmt"
	"strings"
	"testing"
)

func TestLabelsOfAFile(t *testing.T) {
	rows, err := parseLabels(strings.NewReader("\ufeffmachine, rack,tags\na,3,canary web\n\"b\",,\nc,\"x, y\",\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := "[{2 a map[rack:3] [canary web]} {3 b map[] []} {4 c map[rack:x, y] []}]"
	if got := fmt.Sprint(rows); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	for text, want := range map[string]string{
		"":                           "the file is empty",
		"rack\n3\n":                  `no column is named "machine"`,
		"machine,rack,rack\na,1,2":   `two columns are named "rack"`,
		"machine,\na,1\n":            "column 2 has no name",
		"machine,rack\na\n":          "line 2",
		"machine,rack\n ,3\n":        "line 2: the machine is missing",
		"machine\na\nb\na\n":         "line 4: machine a is in line 2 already",
		"machine,rack\na,\"3\nb,4\n": "line 2",
	} {
		if _, err := parseLabels(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func TestMachinesThatHaveTheirLabelsAreLeftAlone(t *testing.T) {
	m := &labeled{Attributes: []labelAttribute{{"rack", "3"}, {"room", "1"}}, Tags: []struct{ Name string }{{"web"}}}
	for _, c := range []struct {
		row  labelRow
		want string
	}{
		{labelRow{attributes: map[string]string{"rack": "3"}, tags: []string{"web"}}, "map[]"},
		{labelRow{attributes: map[string]string{"rack": "4", "room": "1"}}, "map[addTags:[] setAttributes:[{rack 4}]]"},
		{labelRow{tags: []string{"web", "new", "new"}}, "map[addTags:[new] setAttributes:[]]"},
	} {
		if got := fmt.Sprint(c.row.missing(m)); got != c.want {
			t.Errorf("%+v: %s, want %s", c.row, got, c.want)
		}
	}
}
