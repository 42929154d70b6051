package importing

import (
	"encoding/base64"
	"encoding/hex"
	"math"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/fleet/input"
)

// parseSize reads a number of bytes: decimal digits, or a float with a whole value such
// as "1.54967458e+08", which a number in a request became. "" is 0.
func parseSize(text string) (size int64, ok bool) {
	text = strings.TrimSpace(text)
	if text == "" {
		return 0, true
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n, n >= 0
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || f != math.Trunc(f) || f < 0 || f >= 1<<53 {
		return 0, false
	}
	return int64(f), true
}

// parseDigest reads a digest of n bytes in hexadecimal or base64. "" is none.
func parseDigest(text string, n int) (digest []byte, ok bool) {
	text = strings.TrimSpace(text)
	if text == "" {
		return nil, true
	}
	if raw, err := hex.DecodeString(text); err == nil && len(raw) == n {
		return raw, true
	}
	for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding} {
		if raw, err := encoding.DecodeString(text); err == nil && len(raw) == n {
			return raw, true
		}
	}
	return nil, false
}

func toBase64(digest []byte) string { return base64.StdEncoding.EncodeToString(digest) }

func toHex(digest []byte) string { return hex.EncodeToString(digest) }

// architectures are those of Nebraska by their numbers.
var architectures = []string{"amd64", "amd64", "arm64", "x86"}

func parseArch(n int) (arch string, ok bool) {
	if n < 0 || n >= len(architectures) {
		return "", false
	}
	return architectures[n], true
}

// slug makes a track from a name.
func slug(name string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(name) {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '.' || r == '_':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	return strings.Trim(b.String(), "-")
}

// name returns a name that can be stored, and whether it is the given one.
func name(text string, limit int, otherwise string) (stored string, same bool) {
	var p input.Problems
	stored = p.Name("name", text, limit)
	if p.Err() != nil {
		return otherwise, false
	}
	return stored, stored == text
}

// prose returns free text that can be stored; "" if this one cannot.
func prose(text string) string {
	var p input.Problems
	text = p.Text("description", text, input.MaxDescription)
	if p.Err() != nil {
		return ""
	}
	return text
}

// line returns a short text from a machine in a form that can be stored and shown.
func line(text string, limit int) string {
	var p input.Problems
	if p.Characters("text", text, limit); p.Err() != nil {
		return ""
	}
	return text
}

// ofOldServer reports whether a URL is one of the files that Nebraska itself serves.
func ofOldServer(text string) bool {
	u, err := url.Parse(text)
	return err == nil && strings.HasPrefix(u.Path, "/flatcar/")
}

// isURL reports whether machines can download from a URL.
func isURL(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https") && !strings.ContainsAny(text, " \t\r\n")
}

// isSyncer reports whether a machine id is that of Nebraska's syncer: a UUID in braces.
func isSyncer(id string) bool {
	inner, braces := strings.CutPrefix(id, "{")
	inner, end := strings.CutSuffix(inner, "}")
	_, err := uuid.Parse(inner)
	return braces && end && err == nil
}

// address returns an address as check-ins store it, "" for an invalid one.
func address(text string) string {
	a, err := netip.ParseAddr(text)
	if err != nil {
		return ""
	}
	return a.Unmap().String()
}
