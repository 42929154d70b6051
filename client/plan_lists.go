package client

import (
	"maps"
	"slices"
)

// lists compares the floors and the blacklistings of a channel. What comes before a
// promotion permits it and keeps machines from skipping a floor; the package that the
// channel leaves can be forbidden only after it.
func (p *plan) lists(app, self string, want, have object) (before, after []mutation, lines []string, err error) {
	floors, err := members(want, have, app, "floors")
	if err != nil {
		return nil, nil, nil, err
	}
	forbidden, err := members(want, have, app, "blacklistings")
	if err != nil {
		return nil, nil, nil, err
	}
	send := func(verb, version string, input object) mutation {
		if input["reason"] == nil || input["reason"] == "" {
			input["reason"] = p.reason
		}
		return mutation{change: change{mutation: verb, input: input}, result: "channel", refs: map[string]string{
			"channelId": self, "packageId": key("package", app, archOf(want), version),
		}}
	}
	for _, version := range forbidden.removed {
		before, lines = append(before, send("unblacklistPackage", version, object{})), append(lines, "blacklistings: - "+version)
	}
	for _, version := range floors.removed {
		before, lines = append(before, send("removeFloor", version, object{})), append(lines, "floors: - "+version)
	}
	for _, version := range floors.added {
		before = append(before, send("addFloor", version, pickFields(floors.wanted[version], []string{"reason"})))
		lines = append(lines, "floors: + "+version)
	}
	for _, version := range forbidden.added {
		after = append(after, send("blacklistPackage", version, pickFields(forbidden.wanted[version], []string{"reason", "downgrade"})))
		lines = append(lines, "blacklistings: + "+version)
	}
	return before, after, lines, nil
}

// membership is the difference of a list whose entries are known by the version of their
// package.
type membership struct {
	wanted         map[string]object
	added, removed []string // versions
}

// members compares a list. A list that the file leaves out is kept. An entry with another
// downgrade is added again, which changes it; a reason is sent only once.
func members(want, have object, app, field string) (m membership, err error) {
	list, owned := objects(want, field)
	if !owned {
		return m, nil
	}
	m.wanted = map[string]object{}
	for _, one := range list {
		version := text(one, "package")
		if version == "" || m.wanted[version] != nil {
			return m, usage("channel %s/%s: an entry of %s has no package, or one that another has: %q", app, text(want, "name"), field, version)
		}
		m.wanted[version] = one
	}
	present := map[string]object{}
	existing, _ := objects(have, field)
	for _, one := range existing {
		present[text(one, "package")] = one
	}
	for _, version := range slices.Sorted(maps.Keys(m.wanted)) {
		downgrade, set := m.wanted[version]["downgrade"]
		if present[version] == nil || set && !same(downgrade, present[version]["downgrade"]) {
			m.added = append(m.added, version)
		}
	}
	for _, version := range slices.Sorted(maps.Keys(present)) {
		if m.wanted[version] == nil {
			m.removed = append(m.removed, version)
		}
	}
	return m, nil
}
