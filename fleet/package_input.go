package fleet

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"

	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/input"
	"github.com/coreroller/coreroller/rollout/version"
)

// Limits of a package, in bytes of text; the URL and the file name are sent
// with every offer.
const (
	maxVersion = 64
	maxURL     = 2_000
	maxFile    = 255
	maxFiles   = 100
)

// FileInput is an extra file of a package.
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
	DisablePayloadBackoff *bool // nil = true: update_engine retries a failed install without waiting a day
	MetadataSignatureRSA  string
	MetadataSize          string
	Deadline              string
}

// check validates the fields and normalises the URL, unless sameURL says that it is
// that of a stored package, and the digests. versioning is that of the application. The SHA-256 of package and
// action is the same digest in hex and base64: a missing one is derived from the
// other.
func (f *CreatePackage) check(p *input.Problems, versioning version.Versioning, sameURL bool) {
	if f.Type < catalog.PackageFlatcar || f.Type > catalog.PackageOther {
		p.Add("type", "must be 1 (CoreOS, Flatcar), 2 (Docker), 3 (rkt) or 4 (other)")
	}
	if f.Type == catalog.PackageFlatcar && versioning == version.Numeric {
		p.Add("type", "must be another one: the application has numeric versions, but update_engine reports semantic ones")
	}
	f.Version = strings.TrimSpace(f.Version)
	if _, ok := versioning.Parse(f.Version); !ok || len(f.Version) > maxVersion {
		p.Add("version", "%q is not %s", f.Version, versioning.Describe())
	}
	if f.Filename = strings.TrimSpace(f.Filename); !sameURL {
		f.URL = checkURL(p, strings.TrimSpace(f.URL), f.Filename, f.Type)
	}
	p.Exact("filename", f.Filename, maxFile)
	checkFilename(p, "filename", f.Filename, f.Type)
	checkFile(p, "", f.Size, &f.SHA1, &f.SHA256)
	f.Description = p.Text("description", f.Description, input.MaxDescription)
	f.files(p)
	f.action(p)
}

func (f *CreatePackage) files(p *input.Problems) {
	if len(f.Files) > maxFiles {
		p.Add("files", "at most %d files", maxFiles)
	}
	seen := map[string]bool{f.Filename: true}
	for i := range f.Files {
		file, at := &f.Files[i], fmt.Sprintf("files[%d].", i)
		if file.Name = strings.TrimSpace(file.Name); file.Name == "" {
			p.Add(at+"name", "is missing")
		}
		p.Exact(at+"name", file.Name, maxFile)
		checkFilename(p, at+"name", file.Name, f.Type)
		if seen[file.Name] {
			p.Add(at+"name", "%q is listed twice", file.Name)
		}
		seen[file.Name] = true
		checkFile(p, at, file.Size, &file.SHA1, &file.SHA256)
		if f.Type == catalog.PackageFlatcar {
			f.checkExtension(p, i, at+"name")
		}
	}
}

// checkExtension checks that Flatcar's download of extensions finds file i, and no
// other one, by its name. It resolves the name against the URL (RFC 3986), writes the
// file under this name, and takes the first file whose name matches "*oem-X.gz" or
// "*flatcar-X.gz".
func (f *CreatePackage) checkExtension(p *input.Problems, i int, field string) {
	name := f.Files[i].Name
	if strings.ContainsAny(name, `/\:?#`) {
		p.Add(field, `must have none of / \ : ? #, because Flatcar downloads the file by this name`)
	}
	end := catalog.ExtensionName(name)
	if end == "" {
		return
	}
	for j, other := range append([]FileInput{{Name: f.Filename}}, f.Files...) {
		if j != i+1 && other.Name != name && strings.HasSuffix(other.Name, end) {
			p.Add(field, "%q ends like %q: Flatcar takes the first file that ends with %q", name, other.Name, end)
			return
		}
	}
}

func (f *CreatePackage) action(p *input.Problems) {
	if f.Type != catalog.PackageFlatcar {
		if f.Action != nil {
			p.Add("action", "must be empty unless the type is 1")
		}
		return
	}
	if f.Action == nil {
		if f.SHA256 == "" {
			return // it may be stored; promoting it is refused
		}
		f.Action = &ActionInput{}
	}
	a := *f.Action // a copy: the caller keeps its own
	f.Action = &a
	checkBase64(p, "action.sha256", a.SHA256, 32)
	for _, text := range []struct{ field, text string }{
		{"action.chromeosVersion", a.ChromeOSVersion}, {"action.metadataSignatureRsa", a.MetadataSignatureRSA},
		{"action.metadataSize", a.MetadataSize}, {"action.deadline", a.Deadline},
	} {
		p.Line(text.field, text.text, maxURL)
	}
	switch {
	case a.SHA256 == "":
		a.SHA256 = sha256Base64(f.SHA256)
	case f.SHA256 == "":
		f.SHA256 = sha256Hex(a.SHA256)
	case sha256Hex(a.SHA256) != f.SHA256:
		p.Add("action.sha256", "is not the SHA-256 of the package")
	}
	if a.SHA256 == "" {
		p.Add("action.sha256", "is missing: update_engine refuses a payload it cannot check")
	}
}

// checkURL checks a codebase and returns it in the form that is stored. Machines
// append the file name to the text. So after a query the name would become part of
// the query, a URL that already has the name would have it twice, and update_engine
// writes a slash between the two that other clients do not write.
func checkURL(p *input.Problems, text, filename string, kind int8) string {
	p.Exact("url", text, maxURL)
	u, err := url.Parse(text)
	switch {
	case text == "":
		p.Add("url", "is missing")
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		p.Add("url", "must be an absolute http or https URL such as https://example.com/1.2.3/")
	case strings.ContainsAny(text, " \t"):
		p.Add("url", "must not contain blanks")
	case u.User != nil:
		u.User = nil
		p.Add("url", "must not contain a user name or password, because it is sent to every machine: write %s", u)
	case filename != "" && (strings.HasSuffix(u.Path, "/"+filename) || strings.HasSuffix(text, "/"+filename)):
		p.Add("url", "must not end with the file name, because machines append it: write %s", parentOf(text, filename))
	case kind == catalog.PackageFlatcar && (strings.Contains(text, "?") || strings.Contains(text, "#")):
		p.Add("url", "must have no query and no fragment: update_engine appends the file name to the URL as it is")
	case kind == catalog.PackageFlatcar && !strings.HasSuffix(text, "/"):
		return text + "/"
	}
	return text
}

// parentOf returns a URL that ends with a file name without the name.
func parentOf(text, filename string) string {
	if end := strings.IndexAny(text, "?#"); end >= 0 {
		text = text[:end]
	}
	return text[:strings.LastIndex(strings.TrimSuffix(text, filename), "/")+1]
}

// checkFilename checks the name of the payload or of another file.
func checkFilename(p *input.Problems, field, name string, kind int8) {
	if kind == catalog.PackageFlatcar && (strings.HasPrefix(name, "/") || strings.ContainsAny(name, " \t")) {
		p.Add(field, "must not begin with / nor contain blanks: update_engine appends it to the URL as it is")
	}
}

// checkFile checks size and digests of one file and normalises the digests.
func checkFile(p *input.Problems, at string, size int64, sha1, sha256 *string) {
	if size < 0 {
		p.Add(at+"size", "must not be negative")
	}
	*sha1, *sha256 = strings.TrimSpace(*sha1), strings.ToLower(strings.TrimSpace(*sha256))
	checkBase64(p, at+"sha1", *sha1, 20)
	if raw, err := hex.DecodeString(*sha256); err != nil || len(raw) != 0 && len(raw) != 32 {
		p.Add(at+"sha256", "must be the 64 hexadecimal digits of a SHA-256")
	}
}

// checkBase64 checks a digest of n bytes; "" is allowed.
func checkBase64(p *input.Problems, field, text string, n int) {
	if text == "" {
		return
	}
	if raw, err := base64.StdEncoding.Strict().DecodeString(text); err != nil || len(raw) != n {
		p.Add(field, "must be %d bytes in base64 with padding", n)
	}
}

// sha256Base64 converts a lower-case hex digest to base64; "" stays "".
func sha256Base64(hexText string) string {
	raw, err := hex.DecodeString(hexText)
	if err != nil {
		return ""
	}
	return base64.StdEncoding.EncodeToString(raw)
}

// sha256Hex converts a base64 digest to lower-case hex; "" stays "".
func sha256Hex(base64Text string) string {
	raw, err := base64.StdEncoding.DecodeString(base64Text)
	if err != nil {
		return ""
	}
	return hex.EncodeToString(raw)
}

// HexDigest returns a SHA-256 in hexadecimal if it is in base64, and other text unchanged.
func HexDigest(text string) string {
	if raw, err := base64.StdEncoding.Strict().DecodeString(text); err == nil && len(raw) == 32 {
		return hex.EncodeToString(raw)
	}
	return text
}
