package client

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// step is one object that a file adds, changes or deletes.
type step struct {
	Action  string   `json:"action"` // add, change or delete
	Kind    string   `json:"kind"`
	Name    string   `json:"name"`
	Changes []string `json:"changes,omitempty"`
	Effect  string   `json:"effect,omitempty"` // on machines

	mutations []mutation
}

// mutation is a change whose input may name objects that earlier steps make.
type mutation struct {
	change
	refs   map[string]string // input field → key of the object
	result string            // field of the payload with the object; "" for a deletion
	makes  string            // key of the object that it makes
}

// plan is what must be done so that the server equals a file.
type plan struct {
	Steps     []step   `json:"steps"`
	Kept      []string `json:"kept"` // only on the server
	Unchanged int      `json:"unchanged"`

	deletions []step
	ids       map[string]string // of objects, by key
	reason    string
}

// key identifies an object by kind and names.
func key(parts ...string) string { return strings.Join(parts, "\x00") }

// text returns a field of an object, "" when it is missing.
func text(o object, field string) string {
	value, _ := o[field].(string)
	return value
}

// archOf returns the architecture of an object; amd64 when it is missing.
func archOf(o object) string {
	if arch := text(o, "arch"); arch != "" {
		return arch
	}
	return "amd64"
}

// objects returns a list of an object, and whether the file has it.
func objects(o object, field string) ([]object, bool) {
	list, ok := o[field].([]any)
	all := make([]object, 0, len(list))
	for _, item := range list {
		if one, isObject := item.(object); isObject {
			all = append(all, one)
		}
	}
	return all, ok
}

// differences returns the fields of a file's object that the server has otherwise, and
// what changes.
func differences(want, have object, fields ...string) (changed object, lines []string) {
	changed = object{}
	for _, field := range fields {
		value, present := want[field]
		if !present || same(value, have[field]) {
			continue
		}
		changed[field] = value
		lines = append(lines, fmt.Sprintf("%s: %s → %s", field, shown(have[field]), shown(value)))
	}
	return changed, lines
}

// same compares a value with the server's, which adds a slash to some URLs. A missing
// value, "" and an empty list are the same.
func same(a, b any) bool {
	if empty(a) && empty(b) {
		return true
	}
	x, isText := a.(string)
	y, alsoText := b.(string)
	if isText && alsoText {
		return x == y || strings.TrimSuffix(x, "/") == strings.TrimSuffix(y, "/")
	}
	return reflect.DeepEqual(a, b)
}

func empty(value any) bool {
	switch v := value.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case []any:
		return len(v) == 0
	}
	return false
}

func shown(value any) string {
	if value == nil {
		return `""`
	}
	data, _ := json.Marshal(value) // it was decoded from JSON
	return string(data)
}

// makePlan compares a file with the server.
func (s *session) makePlan(ctx context.Context, file []object, reason string) (*plan, error) {
	server, err := s.readFleet(ctx)
	if err != nil {
		return nil, err
	}
	p := &plan{Steps: []step{}, Kept: []string{}, ids: map[string]string{}, reason: reason}
	byName := map[string]fileApplication{}
	for _, app := range server.Applications {
		byName[app.Name] = app
		p.ids[key("application", app.Name)] = app.ID
		for _, one := range app.Packages {
			p.ids[key("package", app.Name, one.Arch, one.Version)] = one.ID
		}
		for _, one := range app.Channels {
			p.ids[key("channel", app.Name, one.Arch, one.Name)] = one.ID
		}
		for _, one := range app.Groups {
			p.ids[key("group", app.Name, one.Arch, one.Name)] = one.ID
		}
	}
	for _, want := range file {
		have, err := fieldsOf(byName[text(want, "name")])
		if err == nil {
			err = p.application(ctx, s, want, have)
		}
		if err != nil {
			return nil, err
		}
	}
	slices.Reverse(p.deletions) // groups before channels before packages
	return p, nil
}

// kinds are the lists of an application in the order in which they are made. The
// identity is the field that names an object.
var kinds = []struct{ field, kind, identity string }{
	{"packages", "package", "version"}, {"channels", "channel", "name"}, {"groups", "group", "name"},
}

func (p *plan) application(ctx context.Context, s *session, want, have object) error {
	name := text(want, "name")
	if name == "" {
		return usage("an application of the file has no name")
	}
	fields := []string{"productId", "description", "versioning", "requestAttributes"}
	if names, listed := want["requestAttributes"].([]any); listed { // as the server sorts them
		slices.SortFunc(names, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	}
	self := key("application", name)
	if p.ids[self] == "" {
		input := pickFields(want, append(fields, "name"))
		p.Steps = append(p.Steps, step{Action: "add", Kind: "application", Name: name,
			mutations: []mutation{{change: change{mutation: "createApplication", input: input}, result: "application", makes: self}}})
	} else if changed, lines := differences(want, have, fields...); len(lines) > 0 {
		p.Steps = append(p.Steps, step{Action: "change", Kind: "application", Name: name, Changes: lines,
			mutations: []mutation{{change: change{mutation: "updateApplication", input: changed}, result: "application", refs: map[string]string{"id": self}}}})
	} else {
		p.Unchanged++
	}
	for _, k := range kinds {
		wanted, owned := objects(want, k.field)
		if !owned {
			continue // the file says nothing about them
		}
		present, _ := objects(have, k.field)
		if err := p.list(ctx, s, name, k.kind, k.identity, wanted, present); err != nil {
			return err
		}
	}
	return nil
}

// list compares the objects of one kind.
func (p *plan) list(ctx context.Context, s *session, app, kind, identity string, wanted, present []object) error {
	byKey := map[string]object{}
	for _, have := range present {
		byKey[key(kind, app, archOf(have), text(have, identity))] = have
	}
	seen := map[string]bool{}
	for _, want := range wanted {
		self := key(kind, app, archOf(want), text(want, identity))
		if text(want, identity) == "" || seen[self] {
			return usage("application %s: a %s has no %s, or one that another has: %q (%s)", app, kind, identity, text(want, identity), archOf(want))
		}
		seen[self] = true
		var st step
		var err error
		switch kind {
		case "package":
			st = p.pkg(app, self, want, byKey[self])
		case "channel":
			st, err = p.channel(ctx, s, app, self, want, byKey[self])
		case "group":
			st, err = p.group(ctx, s, app, self, want, byKey[self])
		}
		if err != nil {
			return err
		}
		st.Kind, st.Name, st.Action = kind, fmt.Sprintf("%s/%s (%s)", app, text(want, identity), archOf(want)), "add"
		if byKey[self] != nil {
			st.Action = "change"
		}
		if len(st.mutations) == 0 {
			p.Unchanged++
			continue
		}
		p.Steps = append(p.Steps, st)
	}
	for _, k := range slices.Sorted(maps.Keys(byKey)) {
		if seen[k] {
			continue
		}
		have := byKey[k]
		name := fmt.Sprintf("%s/%s (%s)", app, text(have, identity), archOf(have))
		p.Kept = append(p.Kept, kind+" "+name)
		verb := "delete" + strings.ToUpper(kind[:1]) + kind[1:]
		p.deletions = append(p.deletions, step{Action: "delete", Kind: kind, Name: name, mutations: []mutation{
			{change: change{mutation: verb, input: object{"reason": p.reason}}, refs: map[string]string{"id": k}},
		}})
	}
	return nil
}

func pickFields(o object, fields []string) object {
	picked := object{}
	for _, field := range fields {
		if value, ok := o[field]; ok {
			picked[field] = value
		}
	}
	return picked
}
