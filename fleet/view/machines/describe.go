package machines

import (
	"fmt"
	"strings"
	"time"

	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/rollout/phrase"
)

// describedValues are listed in a description; of longer lists only the length is.
const describedValues = 3

// stateNames and standingNames are indexed by the numbers.
var (
	stateNames    = []string{"none", "undefined", "granted", "error", "complete", "installed", "downloaded", "downloading", "on hold"}
	standingNames = []string{"active", "silent", "held or pinned", "quarantined"}
)

// Describe returns the conditions as text: "group production, version 4459.2.0".
func (f *Filter) Describe(c *catalog.Catalog) string {
	var parts []string
	add := func(format string, values ...any) { parts = append(parts, fmt.Sprintf(format, values...)) }
	if f.Group != nil {
		name := f.Group.String()
		if g := c.Group(*f.Group); g != nil {
			name = g.Name + " of " + g.App.Name
		}
		add("group %s", name)
	} else if f.Application != nil {
		name := f.Application.String()
		if a := c.App(*f.Application); a != nil {
			name = a.Name
		}
		add("application %s", name)
	}
	parts = list(parts, "state", f.States, func(s int) string { return nameOf(stateNames, int(f.States[s])) })
	parts = list(parts, "version", f.Versions, func(i int) string { return f.Versions[i] })
	parts = list(parts, "standing", f.Standings, func(i int) string { return nameOf(standingNames, int(f.Standings[i])) })
	parts = list(parts, "reason", f.Reasons, func(i int) string { return f.Reasons[i].String() })
	parts = list(parts, "counted as", f.CountedAs, func(i int) string {
		return strings.ToLower(strings.ReplaceAll(string(f.CountedAs[i]), "_", " "))
	})
	if f.OEM != nil {
		add("OEM %s", *f.OEM)
	}
	for _, a := range f.Attributes {
		add("attribute %s=%s", a.Name, a.Value)
	}
	for _, name := range f.Tags {
		add("tag %s", name)
	}
	if f.SeenAfter != nil {
		add("seen since %s", f.SeenAfter.UTC().Format(time.DateTime))
	}
	if f.SeenBefore != nil {
		add("not seen since %s", f.SeenBefore.UTC().Format(time.DateTime))
	}
	if f.Search != "" {
		add("begins with %s", f.Search)
	}
	if f.IDs != nil {
		add("%s chosen", phrase.Count(len(f.IDs), "machine"))
	}
	if parts == nil {
		return "all machines"
	}
	return strings.Join(parts, ", ")
}

// list appends a condition on one of several values.
func list[T any](parts []string, what string, values []T, text func(i int) string) []string {
	switch {
	case values == nil:
		return parts
	case len(values) > describedValues:
		return append(parts, fmt.Sprintf("one of %d %ss", len(values), what))
	}
	texts := make([]string, len(values))
	for i := range values {
		texts[i] = text(i)
	}
	return append(parts, what+" "+strings.Join(texts, " or "))
}

func nameOf(names []string, number int) string {
	if number < 0 || number >= len(names) {
		return fmt.Sprint(number)
	}
	return names[number]
}
