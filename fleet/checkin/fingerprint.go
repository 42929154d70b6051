package checkin

import (
	"encoding/binary"
	"hash/maphash"
	"strings"
	"unicode"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
)

// maxAttribute is the longest stored attribute of a machine, in bytes.
const maxAttribute = 256

// maxPrefix is the longest targetversionprefix in bytes: longer than any version,
// so that a truncated one matches none either.
const maxPrefix = 100

// fingerprint hashes the group of a machine's track, the expressions of its application, and
// the machine's version and attributes, but not its request attributes. An attribute that
// was not sent counts as empty, so a machine that omits a stored one misses the
// cache and goes through the lane, which keeps the stored value. The random seed
// keeps clients from constructing collisions.
func (i *idleCache) fingerprint(h *maphash.Hash, home uuid.UUID, selectors int64, version rollout.Version, attributes ...string) {
	h.SetSeed(i.seed)
	_, _ = h.Write(home[:]) // writes to a hash never fail
	if selectors != 0 {
		var number [8]byte
		binary.LittleEndian.PutUint64(number[:], uint64(selectors)) //nolint:gosec // G115: any mapping will do
		_, _ = h.Write(number[:])
	}
	_, _ = h.WriteString(version.String())
	for _, t := range attributes {
		_ = h.WriteByte(0)
		_, _ = h.WriteString(t)
	}
	_ = h.WriteByte(0)
}

func (i *idleCache) fingerprintOf(c *call) uint64 {
	var h maphash.Hash
	in := &c.in
	i.fingerprint(&h, c.group.ID, c.group.App.Selectors(), c.version, demand(in.Check), in.Address, sent(in.Alias), sent(in.OEM), sent(in.OEMVersion), sent(in.AlephVersion))
	in.hashRequest(&h, c.group.App)
	return h.Sum64()
}

// demand returns what an update check demands as one text.
func demand(c rollout.Check) string {
	if c.Disabled {
		return c.Prefix + "\n" // a prefix has no control characters
	}
	return c.Prefix
}

func sent(text *string) string {
	if text == nil {
		return ""
	}
	return clean(*text)
}

func (i *idleCache) storedFingerprint(m *store.Machine) uint64 {
	var h maphash.Hash
	i.fingerprint(&h, m.Home(), m.Selectors, m.Version, demand(m.Check()), m.Address, m.MachineAlias, m.OEM, m.OEMVersion, m.AlephVersion)
	_, _ = h.WriteString(m.RequestAttributes)
	return h.Sum64()
}

// clean makes text sent by a machine safe to store and show: valid UTF-8 without
// control characters, at most maxAttribute bytes.
func clean(text string) string {
	if len(text) <= maxAttribute && isPlain(text) {
		return text
	}
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, text)
	if len(text) > maxAttribute {
		text = strings.ToValidUTF8(text[:maxAttribute], "") // the cut may split a character
	}
	return text
}

// isPlain reports whether text is printable ASCII, the common case.
func isPlain(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return false
		}
	}
	return true
}
