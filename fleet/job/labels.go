package job

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/input"
	"github.com/coreroller/coreroller/rollout/phrase"
)

const (
	// MaxLabels is the most attributes, and the most tags, of one machine. A page shows
	// all of them.
	MaxLabels = 64
	// MaxValue is the longest value of an attribute in bytes, as of what machines send.
	MaxValue = 256
	// describedLabels are named in a text; of further ones only the number is.
	describedLabels = 4
)

var (
	attributePattern = regexp.MustCompile(`^[a-z][a-z0-9_]{0,62}$`)
	tagPattern       = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,62}$`)
)

// The names of what machines send about themselves.
const (
	AttributeOEM          = "oem"
	AttributeOEMVersion   = "oem_version"
	AttributeAlephVersion = "aleph_version"
	AttributeArch         = "arch"
	AttributeAddress      = "address"
)

// reserved are names that people cannot give attributes: they mean something that the
// server knows about a machine, also where it is not an attribute.
var reserved = []string{
	AttributeOEM, AttributeOEMVersion, AttributeAlephVersion, AttributeArch, AttributeAddress, "board", "hardware_class", "alias", "application",
	"channel", "group", "id", "machine_id", "state", "tag", "tags", "track", "version",
}

// Attribute is an attribute of a machine.
type Attribute struct{ Name, Value string }

// Labels are changes of the attributes and tags that people give machines.
type Labels struct {
	SetAttributes    []Attribute `json:",omitempty"`
	RemoveAttributes []string    `json:",omitempty"`
	AddTags          []string    `json:",omitempty"`
	RemoveTags       []string    `json:",omitempty"`
}

// LabelsOf returns the changes of a stored job.
func LabelsOf(text string) *Labels {
	if text == "" {
		return nil
	}
	var l Labels
	if json.Unmarshal([]byte(text), &l) != nil {
		return nil // it was written by Text
	}
	return &l
}

// Text returns the changes as LabelsOf reads them, "" for none.
func (l *Labels) Text() (string, error) {
	if l == nil {
		return "", nil
	}
	text, err := json.Marshal(l)
	return string(text), err
}

// Check adds the problems of the changes, whose field has the given name, and writes
// values in their stored form.
func (l *Labels) Check(p *input.Problems, field string) {
	attributes, tags := map[string]bool{}, map[string]bool{}
	for what, n := range map[string]int{
		"setAttributes": len(l.SetAttributes), "removeAttributes": len(l.RemoveAttributes), "addTags": len(l.AddTags), "removeTags": len(l.RemoveTags),
	} {
		if n > MaxLabels {
			p.Add(field+"."+what, "at most %d", MaxLabels)
			return
		}
	}
	for i := range l.SetAttributes {
		a, at := &l.SetAttributes[i], fmt.Sprintf("%s.setAttributes[%d]", field, i)
		checkName(p, at+".name", a.Name, attributePattern, "a lower-case letter, then lower-case letters, digits and _", attributes)
		if slices.Contains(reserved, a.Name) {
			p.Add(at+".name", "%s is reserved for what the server knows itself", a.Name)
		}
		a.Value = p.Name(at+".value", a.Value, MaxValue)
	}
	for i, name := range l.RemoveAttributes {
		checkName(p, fmt.Sprintf("%s.removeAttributes[%d]", field, i), name, attributePattern, "a lower-case letter, then lower-case letters, digits and _", attributes)
	}
	for what, names := range map[string][]string{"addTags": l.AddTags, "removeTags": l.RemoveTags} {
		for i, name := range names {
			checkName(p, fmt.Sprintf("%s.%s[%d]", field, what, i), name, tagPattern, "lower-case letters, digits and . _ -, beginning with a letter or digit", tags)
		}
	}
	if len(attributes)+len(tags) == 0 && len(*p) == 0 {
		p.Add(field, "name at least one attribute or tag")
	}
}

// MaxRequestAttributes is the most attributes of the request that an application keeps:
// each is looked for in every update check.
const MaxRequestAttributes = 8

// sentOnly are reserved names that an application can keep, because machines send them.
var sentOnly = []string{"board", "hardware_class"}

// changing are attributes of <app> that mean something else or that differ from request to
// request, so that a check would always be a change.
var changing = []string{"ap", "appid", "bootid", "fp", "from_track", "installsource", "machineid", "oemversion", "alephversion", "machinealias", "multi_manifest_ok", "nextversion", "withdrawn_ok"}

// CheckRequestAttributes adds the problems of the names of request attributes that an
// application keeps, and returns them sorted, without duplicates.
func CheckRequestAttributes(p *input.Problems, field string, names []string) []string {
	sorted := append([]string{}, names...) // not nil, which means unchanged
	slices.Sort(sorted)
	sorted = slices.Compact(sorted)
	if len(sorted) > MaxRequestAttributes {
		p.Add(field, "at most %d names, not %d", MaxRequestAttributes, len(sorted))
		return nil
	}
	for i, name := range names {
		at := fmt.Sprintf("%s[%d]", field, i)
		switch {
		case !attributePattern.MatchString(name):
			p.Add(at, "must have 1 to 63 characters: a lower-case letter, then lower-case letters, digits and _")
		case slices.Contains(reserved, name) && !slices.Contains(sentOnly, name), slices.Contains(changing, name):
			p.Add(at, "%s cannot be kept: the server uses it already, or it changes with every request", name)
		}
	}
	return sorted
}

func checkName(p *input.Problems, field, name string, pattern *regexp.Regexp, form string, seen map[string]bool) {
	switch {
	case !pattern.MatchString(name):
		p.Add(field, "must have 1 to 63 characters: %s", form)
	case seen[name]:
		p.Add(field, "%s is there twice", name)
	}
	seen[name] = true
}

// Reduce returns the part of the changes that changes a machine with the given
// attributes and tags, nil for nothing. It returns a Conflict if the machine had too many.
func (l *Labels) Reduce(have []*db.MachineLabel) (*Labels, error) {
	attributes, tags := map[string]string{}, map[string]bool{}
	for _, row := range have {
		switch {
		case row.Tag:
			tags[row.Name] = true
		case row.Sent:
			if slices.ContainsFunc(l.SetAttributes, func(a Attribute) bool { return a.Name == row.Name }) || slices.Contains(l.RemoveAttributes, row.Name) {
				return nil, fault.Errorf(fault.Conflict, "labels", "the machine sends %s itself", row.Name)
			}
		default:
			attributes[row.Name] = row.Value
		}
	}
	var out Labels
	for _, a := range l.SetAttributes {
		if value, ok := attributes[a.Name]; !ok || value != a.Value {
			out.SetAttributes = append(out.SetAttributes, a)
			attributes[a.Name] = a.Value
		}
	}
	for _, name := range l.RemoveAttributes {
		if _, ok := attributes[name]; ok {
			out.RemoveAttributes = append(out.RemoveAttributes, name)
			delete(attributes, name)
		}
	}
	for _, name := range l.AddTags {
		if !tags[name] {
			out.AddTags = append(out.AddTags, name)
			tags[name] = true
		}
	}
	for _, name := range l.RemoveTags {
		if tags[name] {
			out.RemoveTags = append(out.RemoveTags, name)
			delete(tags, name)
		}
	}
	switch {
	case len(out.SetAttributes) > 0 && len(attributes) > MaxLabels:
		return nil, fault.Errorf(fault.Conflict, "labels.setAttributes", "the machine would have %d attributes; at most %d", len(attributes), MaxLabels)
	case len(out.AddTags) > 0 && len(tags) > MaxLabels:
		return nil, fault.Errorf(fault.Conflict, "labels.addTags", "the machine would have %d tags; at most %d", len(tags), MaxLabels)
	case len(out.SetAttributes)+len(out.RemoveAttributes)+len(out.AddTags)+len(out.RemoveTags) == 0:
		return nil, nil
	}
	return &out, nil
}

// Describe returns the changes as text: "rack=3, tag canary, no tag old".
func (l *Labels) Describe() string {
	var parts []string
	for _, a := range l.SetAttributes {
		parts = append(parts, a.Name+"="+a.Value)
	}
	for _, name := range l.RemoveAttributes {
		parts = append(parts, "no "+name)
	}
	for _, name := range l.AddTags {
		parts = append(parts, "tag "+name)
	}
	for _, name := range l.RemoveTags {
		parts = append(parts, "no tag "+name)
	}
	if n := len(parts) - describedLabels; n > 0 {
		parts = append(parts[:describedLabels], phrase.Count(n, "more change"))
	}
	return strings.Join(parts, ", ")
}

func (o *Order) label(m Machine) Outcome {
	switch part, err := o.Labels.Reduce(m.Labels); {
	case err != nil:
		return failed("would have too many attributes or tags, or send one of them themselves", err.Error())
	case part == nil:
		return skipped("have these attributes and tags already", "has them already")
	default:
		return done("are labeled", "labeled "+part.Describe())
	}
}

// Apply returns attributes and tags of a machine after the changes.
func (l *Labels) Apply(have []*db.MachineLabel) []*db.MachineLabel {
	gone := func(row *db.MachineLabel) bool {
		if row.Tag {
			return slices.Contains(l.RemoveTags, row.Name) || slices.Contains(l.AddTags, row.Name)
		}
		return slices.Contains(l.RemoveAttributes, row.Name) || slices.ContainsFunc(l.SetAttributes, func(a Attribute) bool { return a.Name == row.Name })
	}
	after := slices.DeleteFunc(slices.Clone(have), gone)
	for _, a := range l.SetAttributes {
		after = append(after, &db.MachineLabel{Name: a.Name, Value: a.Value})
	}
	for _, name := range l.AddTags {
		after = append(after, &db.MachineLabel{Tag: true, Name: name})
	}
	return after
}
