package fleet

import (
	"hash/maphash"
	"strings"
	"unicode"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
)

// maxWords is the longest text of a machine about itself, in bytes.
const maxWords = 256

// words is a hash of what a machine says of itself. What it does not send counts
// as empty: a machine that leaves out what was once sent is not found here and
// goes through the lane, which keeps what is stored. Nobody who does not know
// the seed can find two that are alike.
func (i *idleMemory) words(group uuid.UUID, version rollout.Version, more ...string) uint64 {
	var h maphash.Hash
	h.SetSeed(i.seed)
	_, _ = h.Write(group[:]) // never fails, as all writes to a hash
	_, _ = h.WriteString(version.String())
	for _, t := range more {
		_ = h.WriteByte(0)
		_, _ = h.WriteString(t)
	}
	return h.Sum64()
}

func (i *idleMemory) said(c *call) uint64 {
	in := &c.in
	return i.words(c.group.ID, c.version, in.Address, sent(in.Alias), sent(in.OEM), sent(in.OEMVersion), sent(in.AlephVersion))
}

func sent(text *string) string {
	if text == nil {
		return ""
	}
	return clean(*text)
}

func (i *idleMemory) kept(m *store.Machine) uint64 {
	return i.words(m.GroupID, m.Version, m.Address, m.MachineAlias, m.OEM, m.OEMVersion, m.AlephVersion)
}

// clean makes text sent by a machine safe to store and to show: valid UTF-8
// without control characters, at most maxWords bytes.
func clean(text string) string {
	if len(text) <= maxWords && isPlain(text) {
		return text
	}
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, text)
	if len(text) > maxWords {
		text = strings.ToValidUTF8(text[:maxWords], "") // the cut may split a character
	}
	return text
}

// isPlain reports whether text is printable ASCII, as nearly all is.
func isPlain(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return false
		}
	}
	return true
}
