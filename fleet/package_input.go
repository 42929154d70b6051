package fleet

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"

	"github.com/coreroller/coreroller/rollout"
)

// Limits of a package, in bytes of text; the URL and the file name are sent
// with every offer.
const (
	maxVersion = 64
	maxURL     = 2_000
	maxFile    = 255
	maxFiles   = 100
)

// FileInput is one more file of a package, besides its payload.
type FileInput struct {
	Name   string
	Size   int64  // bytes
	SHA1   string // base64; "" = not known
	SHA256 string // hex; "" = not known
}

// ActionInput is the postinstall action of an operating system's package.
type ActionInput struct {
	SHA256                string // base64 of the payload's SHA-256; "" = that of the package
	ChromeOSVersion       string
	NeedsAdmin            bool
	IsDelta               bool
	DisablePayloadBackoff *bool // nil = true: a failed install is tried again without a day's silence
	MetadataSignatureRSA  string
	MetadataSize          string
	Deadline              string
}

// packageFields is a package as a person describes it, whole.
type packageFields struct {
	Type        int8
	Version     string
	URL         string
	Filename    string
	Size        int64
	SHA1        string
	SHA256      string
	Description string
	Files       []FileInput
	Action      *ActionInput
}

// check validates and brings digests into the form they are kept in. The
// SHA-256 of package and action is the same digest in two spellings: each is
// derived from the other when only one is given.
func (f *packageFields) check(p *problems) {
	if f.Type < PackageFlatcar || f.Type > PackageOther {
		p.add("type", "must be 1 (CoreOS, Flatcar), 2 (Docker), 3 (rkt) or 4 (other)")
	}
	f.Version = strings.TrimSpace(f.Version)
	if _, ok := rollout.ParseVersion(f.Version); !ok || len(f.Version) > maxVersion {
		p.add("version", "%q is not a semantic version such as 1.2.3", f.Version)
	}
	f.URL = p.name("url", f.URL, maxURL)
	p.url(f.URL, f.Type)
	f.Filename = p.line("filename", f.Filename, maxFile)
	if f.Type == PackageFlatcar && (strings.HasPrefix(f.Filename, "/") || strings.ContainsAny(f.Filename, " \t")) {
		p.add("filename", "must not begin with / nor contain blanks: update_engine appends it to the URL as it is")
	}
	p.file("", f.Size, &f.SHA1, &f.SHA256)
	f.Description = p.text("description", f.Description, maxDescription)
	f.files(p)
	f.action(p)
}

func (f *packageFields) files(p *problems) {
	if len(f.Files) > maxFiles {
		p.add("files", "at most %d files", maxFiles)
	}
	seen := map[string]bool{f.Filename: true}
	for i := range f.Files {
		file, at := &f.Files[i], fmt.Sprintf("files[%d].", i)
		file.Name = p.name(at+"name", file.Name, maxFile)
		if seen[file.Name] {
			p.add(at+"name", "%q is named twice", file.Name)
		}
		seen[file.Name] = true
		p.file(at, file.Size, &file.SHA1, &file.SHA256)
	}
}

func (f *packageFields) action(p *problems) {
	if f.Type != PackageFlatcar {
		if f.Action != nil {
			p.add("action", "only a package of type 1 has one")
		}
		return
	}
	if f.Action == nil {
		if f.SHA256 == "" {
			return // may be stored, and is refused where it would be offered
		}
		f.Action = &ActionInput{}
	}
	a := *f.Action // not the caller's
	f.Action = &a
	p.base64("action.sha256", a.SHA256, 32)
	for _, text := range []struct{ field, text string }{
		{"action.chromeosVersion", a.ChromeOSVersion}, {"action.metadataSignatureRsa", a.MetadataSignatureRSA},
		{"action.metadataSize", a.MetadataSize}, {"action.deadline", a.Deadline},
	} {
		p.line(text.field, text.text, maxURL)
	}
	switch {
	case a.SHA256 == "":
		a.SHA256 = sha256Base64(f.SHA256)
	case f.SHA256 == "":
		f.SHA256 = sha256Hex(a.SHA256)
	case sha256Hex(a.SHA256) != f.SHA256:
		p.add("action.sha256", "is not the SHA-256 of the package")
	}
	if a.SHA256 == "" {
		p.add("action.sha256", "is missing: update_engine refuses a payload it cannot check")
	}
}

// url checks a codebase. update_engine appends the file name to the text, so a
// query would swallow it.
func (p *problems) url(text string, kind int8) {
	u, err := url.Parse(text)
	switch {
	case text == "": // missing, said already
	case err != nil || u.Scheme == "" || u.Host == "":
		p.add("url", "must be an absolute URL such as https://example.com/1.2.3/")
	case strings.ContainsAny(text, " \t"):
		p.add("url", "must not contain blanks")
	case kind == PackageFlatcar && (strings.Contains(text, "?") || strings.Contains(text, "#")):
		p.add("url", "must have no query and no fragment: update_engine appends the file name to the URL as it is")
	}
}

func (p *problems) file(at string, size int64, sha1, sha256 *string) {
	if size < 0 {
		p.add(at+"size", "must not be negative")
	}
	*sha1, *sha256 = strings.TrimSpace(*sha1), strings.ToLower(strings.TrimSpace(*sha256))
	p.base64(at+"sha1", *sha1, 20)
	if raw, err := hex.DecodeString(*sha256); err != nil || len(raw) != 0 && len(raw) != 32 {
		p.add(at+"sha256", "must be the 64 hexadecimal digits of a SHA-256")
	}
}

// base64 checks a digest of n bytes; "" is allowed.
func (p *problems) base64(field, text string, n int) {
	if text == "" {
		return
	}
	if raw, err := base64.StdEncoding.Strict().DecodeString(text); err != nil || len(raw) != n {
		p.add(field, "must be %d bytes in base64 with padding", n)
	}
}
