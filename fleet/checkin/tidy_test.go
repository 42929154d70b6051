package checkin

import (
	"testing"

	"github.com/coreroller/coreroller/fleet/catalog"
)

func TestUnquote(t *testing.T) {
	for text, want := range map[string]string{
		"":              "",
		"stable":        "stable",
		" \t stable\n":  "stable",
		`"stable"`:      "stable",
		`'stable'`:      "stable",
		` " stable " `:  "stable",
		`""stable""`:    `"stable"`, // one pair only
		`"stable`:       `"stable`,
		`"stable'`:      `"stable'`,
		`"`:             `"`,
		`""`:            "",
		"\u00a0stable":  "stable",
		"two  parts":    "two  parts",
		`the "a" group`: `the "a" group`,
	} {
		if got := catalog.Unquote(text); got != want {
			t.Errorf("Unquote(%q) is %q, want %q", text, got, want)
		}
	}
}

func TestTidyKeepsTheCallersAlias(t *testing.T) {
	alias := ` "web 1" `
	in := CheckIn{Attributes: Attributes{Alias: &alias}}
	in.tidy()
	if *in.Alias != "web 1" || alias != ` "web 1" ` {
		t.Errorf("alias %q, the caller's is %q", *in.Alias, alias)
	}
}
