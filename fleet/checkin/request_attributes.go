package checkin

import (
	"hash/maphash"
	"slices"
	"strings"

	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/store"
)

// maxRequestAttributes is the most bytes of the names and values of a machine's request
// attributes. Those that do not fit are left out.
const maxRequestAttributes = 1 << 10

// tidyRequest writes request attributes in their stored form: clean values, none of them
// empty.
func (a *Attributes) tidyRequest() {
	size, kept := 0, a.Request[:0]
	for _, r := range a.Request {
		r.Value = clean(r.Value)
		if n := len(r.Name) + len(r.Value); r.Value != "" && size+n <= maxRequestAttributes {
			size += n
			kept = append(kept, r)
		}
	}
	a.Request = kept
}

// The text of request attributes is "" for none, else the revision of the application's
// list and then name=value, one a line. With the revision each machine gets its labels
// again after a name was removed and added.

// requestText returns the request attributes of a check-in as text, without those that
// the application does not name any more.
func (a *Attributes) requestText(app *catalog.App) string {
	var b strings.Builder
	for _, r := range a.Request {
		if !slices.Contains(app.RequestAttributes, r.Name) {
			continue
		}
		if b.Len() == 0 {
			b.WriteString(app.RequestAttributesRevision)
		}
		b.WriteString("\n" + r.Name + "=" + r.Value)
	}
	return b.String()
}

// hashRequest writes the text of requestText to a hash without making it. A name that
// the application does not have any more makes another hash.
func (a *Attributes) hashRequest(h *maphash.Hash, app *catalog.App) {
	if len(a.Request) == 0 {
		return
	}
	_, _ = h.WriteString(app.RequestAttributesRevision)
	for i := range a.Request {
		_ = h.WriteByte('\n')
		_, _ = h.WriteString(a.Request[i].Name)
		_ = h.WriteByte('=')
		_, _ = h.WriteString(a.Request[i].Value)
	}
}

// requestAttributes splits a text of requestText.
func requestAttributes(text string) (revision string, all map[string]string) {
	revision, text, _ = strings.Cut(text, "\n")
	all = map[string]string{}
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		all[name] = value
	}
	return revision, all
}

// attributesChanged reports whether a check-in of this batch changed the request
// attributes of a machine.
func attributesChanged(m *store.Machine) bool {
	return m.RequestAttributes != m.RequestAttributesBefore()
}

// relabel copies the request attributes of a machine to its labels. It is the only place
// where check-ins change labels.
func (b *batch) relabel(m *store.Machine) {
	if !attributesChanged(m) {
		return
	}
	was, before := requestAttributes(m.RequestAttributesBefore())
	is, after := requestAttributes(m.RequestAttributes)
	for _, name := range sortedNames(before) {
		if _, sent := after[name]; !sent {
			b.out.Unsent = append(b.out.Unsent, store.LabelID(m.InstanceID, false, name))
		}
	}
	for _, name := range sortedNames(after) {
		if value, sent := before[name]; !sent || value != after[name] || was != is {
			b.out.Labels = append(b.out.Labels, store.Label{
				InstanceID: m.InstanceID, ApplicationID: m.ApplicationID, MachineID: m.ID, Name: name, Value: after[name], At: b.now, Sent: true,
			})
		}
	}
}
