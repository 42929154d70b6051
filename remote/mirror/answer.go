package mirror

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"io"
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The answer as XML. Unknown elements and attributes are ignored.
type (
	xmlResponse struct {
		XMLName xml.Name `xml:"response"`
		Server  string   `xml:"server,attr"`
		Apps    []xmlApp `xml:"app"`
	}
	xmlApp struct {
		ID     string     `xml:"appid,attr"`
		Status string     `xml:"status,attr"`
		Checks []xmlCheck `xml:"updatecheck"`
	}
	xmlCheck struct {
		Status    string         `xml:"status,attr"`
		Track     *string        `xml:"channel_track,attr"`
		Arch      string         `xml:"channel_arch,attr"`
		Version   string         `xml:"channel_version,attr"`
		URLs      []xmlURL       `xml:"urls>url"`
		Manifests []xmlManifest  `xml:"manifest"`
		Withdrawn []xmlWithdrawn `xml:"withdrawn"`
	}
	xmlURL struct {
		Codebase string `xml:"codebase,attr"`
	}
	xmlManifest struct {
		Version     string       `xml:"version,attr"`
		Floor       string       `xml:"is_floor,attr"`
		FloorReason string       `xml:"floor_reason,attr"`
		Target      string       `xml:"is_target,attr"`
		Packages    []xmlPackage `xml:"packages>package"`
		Actions     []xmlAction  `xml:"actions>action"`
	}
	xmlPackage struct {
		Name   string `xml:"name,attr"`
		Size   string `xml:"size,attr"`
		SHA1   string `xml:"hash,attr"`
		SHA256 string `xml:"hash_sha256,attr"`
	}
	xmlAction struct {
		Event          string `xml:"event,attr"`
		SHA256         string `xml:"sha256,attr"`
		DisplayVersion string `xml:"DisplayVersion,attr"`
		ChromeOS       string `xml:"ChromeOSVersion,attr"`
		NeedsAdmin     string `xml:"needsadmin,attr"`
		IsDelta        string `xml:"IsDeltaPayload,attr"`
		NoBackoff      string `xml:"DisablePayloadBackoff,attr"`
		Signature      string `xml:"MetadataSignatureRsa,attr"`
		MetadataSize   string `xml:"MetadataSize,attr"`
		Deadline       string `xml:"deadline,attr"`
	}
	xmlWithdrawn struct {
		Version string `xml:"version,attr"`
		Reason  string `xml:"reason,attr"`
	}
)

// parse checks an answer. Nothing of an answer with an error may be used.
func parse(body []byte, q Query) (*Answer, error) {
	r, err := decode(body)
	if err != nil {
		return nil, err
	}
	if len(r.Apps) != 1 {
		return nil, errorf("the answer has %d applications in place of one", len(r.Apps))
	}
	app := &r.Apps[0]
	switch {
	case app.Status != "ok":
		return nil, errorf("the upstream refuses the application with status %s: check its id and the track %s", quoted(app.Status), quoted(q.Track))
	case !sameApp(app.ID, q.App):
		return nil, errorf("the answer is for application %s, not for %s", quoted(app.ID), quoted(q.App))
	case len(app.Checks) != 1:
		return nil, errorf("the answer has %d update checks in place of one", len(app.Checks))
	}
	check := &app.Checks[0]
	a := &Answer{Target: -1, Bytes: int64(len(body))}
	if a.Channel, err = readChannel(check, q); err != nil {
		return nil, err
	}
	switch check.Status {
	case "noupdate":
		return a, nil
	case "ok":
	default:
		return nil, errorf("the upstream answers the check of track %s with status %s", quoted(q.Track), quoted(check.Status))
	}
	if err := a.readManifests(r, check, q); err != nil {
		return nil, err
	}
	return a, nil
}

func decode(body []byte) (*xmlResponse, error) {
	var r xmlResponse
	d := xml.NewDecoder(bytes.NewReader(body))
	if err := d.Decode(&r); err != nil {
		return nil, errorf("the answer is not an Omaha response: %s", clip(err.Error()))
	}
	for {
		switch t, err := d.Token(); t := t.(type) {
		case nil:
			if errors.Is(err, io.EOF) {
				return &r, nil
			}
			return nil, errorf("the answer is not an Omaha response: %s", clip(err.Error()))
		case xml.CharData:
			if len(bytes.TrimSpace(t)) == 0 {
				continue
			}
		case xml.Comment:
			continue
		}
		return nil, errorf("the answer is not an Omaha response: something follows its end")
	}
}

func sameApp(a, b string) bool {
	return strings.EqualFold(strings.Trim(a, "{}"), strings.Trim(b, "{}"))
}

// readChannel reads the state of the upstream's channel, nil if it was not sent.
func readChannel(check *xmlCheck, q Query) (*Channel, error) {
	if check.Track == nil {
		return nil, nil
	}
	switch {
	case check.Arch != q.Arch:
		return nil, errorf("the answer is for architecture %s, not for %s", quoted(check.Arch), quoted(q.Arch))
	case !strings.EqualFold(*check.Track, q.Track):
		return nil, errorf("the answer is for track %s, not for %s", quoted(*check.Track), quoted(q.Track))
	case len(check.Withdrawn) > maxWithdrawn:
		return nil, errorf("the answer withdraws %d versions; at most %d are read", len(check.Withdrawn), maxWithdrawn)
	case check.Version != "" && !isVersion(check.Version):
		return nil, errorf("the version %s of the upstream's channel is not valid", quoted(check.Version))
	}
	c := &Channel{Version: check.Version}
	for _, w := range check.Withdrawn {
		if !isVersion(w.Version) {
			return nil, errorf("the withdrawn version %s is not valid", quoted(w.Version))
		}
		c.Withdrawn = append(c.Withdrawn, Withdrawn{Version: w.Version, Reason: plain(w.Reason)})
	}
	return c, nil
}

func (a *Answer) readManifests(r *xmlResponse, check *xmlCheck, q Query) error {
	switch n := len(check.Manifests); {
	case n == 0:
		return errorf("the answer offers an update without a manifest")
	case n > maxManifests:
		return errorf("the answer has %d manifests; at most %d are read", n, maxManifests)
	case len(check.URLs) == 0:
		return errorf("the answer offers an update without a URL")
	}
	// One list of URLs belongs to all manifests. CoreRoller sends one for each if they differ.
	each := r.Server == "coreroller" && len(check.URLs) == len(check.Manifests)
	seen, last := map[string]bool{}, -1
	for i := range check.Manifests {
		m, from := &check.Manifests[i], 0
		if each {
			from = i
		}
		read, err := readManifest(m, check.URLs[from].Codebase, q)
		switch {
		case err != nil:
			return err
		case seen[m.Version]:
			return errorf("the answer lists version %s twice", m.Version)
		case is(m.Target) && a.Target >= 0:
			return errorf("the answer has two targets, %s and %s", a.Manifests[a.Target].Version, m.Version)
		case is(m.Target):
			a.Target = i
		}
		if seen[m.Version] = true; !read.Floor {
			last = i
		}
		a.Manifests = append(a.Manifests, *read)
	}
	if a.Target < 0 {
		a.Target = last
	}
	if len(a.Manifests) == 1 {
		a.Target = 0
	}
	return nil
}

func readManifest(m *xmlManifest, codebase string, q Query) (*Manifest, error) {
	if !isVersion(m.Version) {
		return nil, errorf("the version %s of a manifest is not valid", quoted(m.Version))
	}
	at := "version " + m.Version
	base, err := readCodebase(codebase, q)
	switch {
	case err != nil:
		return nil, errorf("%s: %w", at, err)
	case len(m.Packages) == 0:
		return nil, errorf("%s has no package", at)
	case len(m.Packages) > maxFiles:
		return nil, errorf("%s has %d files; at most %d are read", at, len(m.Packages), maxFiles)
	}
	read := &Manifest{Version: m.Version, Codebase: base, Floor: is(m.Floor), FloorReason: plain(m.FloorReason)}
	names := map[string]bool{}
	for i, p := range m.Packages {
		file, err := readFile(p)
		if err == nil && names[file.Name] {
			err = errorf("the file is listed twice")
		}
		if err != nil {
			return nil, errorf("%s, file %s: %w", at, quoted(p.Name), err)
		}
		names[file.Name] = true
		if i == 0 {
			read.Payload = file
		} else {
			read.Extra = append(read.Extra, file)
		}
	}
	if err := read.readAction(m.Actions); err != nil {
		return nil, errorf("%s: %w", at, err)
	}
	if q.Flatcar && read.Payload.SHA256 == "" {
		return nil, errorf("%s has no SHA-256 of its payload, without which update_engine refuses it", at)
	}
	return read, nil
}

// readAction reads the postinstall action, whose digest is that of the payload.
func (m *Manifest) readAction(actions []xmlAction) error {
	for i := range actions {
		a := &actions[i]
		if a.Event != "postinstall" {
			continue
		}
		if a.SHA256 != "" {
			raw, err := base64.StdEncoding.Strict().DecodeString(a.SHA256)
			if err != nil || len(raw) != 32 {
				return errorf("the sha256 %s of the action is not 32 bytes in base64", quoted(a.SHA256))
			}
			digest := hex.EncodeToString(raw)
			if m.Payload.SHA256 != "" && m.Payload.SHA256 != digest {
				return errorf("the payload has SHA-256 %s, but its action says %s", m.Payload.SHA256, digest)
			}
			m.Payload.SHA256 = digest
		}
		display := a.DisplayVersion
		if display == "" {
			display = a.ChromeOS
		}
		m.Action = &Action{
			DisplayVersion: plain(display), NeedsAdmin: is(a.NeedsAdmin), IsDelta: is(a.IsDelta), DisablePayloadBackoff: is(a.NoBackoff),
			MetadataSignatureRSA: plain(a.Signature), MetadataSize: plain(a.MetadataSize), Deadline: plain(a.Deadline),
		}
		return nil
	}
	return nil
}

func readFile(p xmlPackage) (File, error) {
	f := File{Name: p.Name, SHA1: p.SHA1, SHA256: strings.ToLower(p.SHA256)}
	if p.Name == "" || len(p.Name) > maxName || plain(p.Name) != p.Name {
		return f, errorf("the name is not valid")
	}
	var err error
	if f.Size, err = strconv.ParseInt(p.Size, 10, 64); err != nil || f.Size <= 0 || f.Size > maxSize {
		return f, errorf("the size %s is not a number of bytes", quoted(p.Size))
	}
	if raw, err := base64.StdEncoding.Strict().DecodeString(f.SHA1); err != nil || len(raw) != 20 && len(raw) != 0 {
		return f, errorf("the hash %s is not a SHA-1 in base64", quoted(p.SHA1))
	}
	// Some libraries write base64 in place of hex.
	if raw, err := base64.StdEncoding.Strict().DecodeString(p.SHA256); err == nil && len(raw) == 32 {
		f.SHA256 = hex.EncodeToString(raw)
	}
	if raw, err := hex.DecodeString(f.SHA256); err != nil || len(raw) != 32 && len(raw) != 0 {
		return f, errorf("the hash_sha256 %s is not a SHA-256 in hexadecimal digits", quoted(p.SHA256))
	}
	if f.SHA1 == "" && f.SHA256 == "" {
		return f, errorf("it has no hash")
	}
	return f, nil
}

// readCodebase returns a URL that ends with a slash, as Flatcar's download of extensions
// needs it.
func readCodebase(text string, q Query) (string, error) {
	if err := CheckURL(text); err != nil {
		return "", errorf("the codebase %s %w", quoted(text), err)
	}
	if u, err := url.Parse(text); err != nil || u.RawQuery != "" || plain(text) != text || strings.ContainsAny(text, " \t") {
		return "", errorf("the codebase %s must have no query and no blanks", quoted(text))
	}
	for board, arch := range map[string]string{"amd64-usr": "amd64", "arm64-usr": "arm64"} {
		if q.Flatcar && arch != q.Arch && strings.Contains(text, board) {
			return "", errorf("the codebase %s is that of architecture %s, not of %s", quoted(text), arch, q.Arch)
		}
	}
	return strings.TrimSuffix(text, "/") + "/", nil
}

func isVersion(text string) bool {
	if text == "" || len(text) > maxVersion {
		return false
	}
	for _, r := range text {
		if r <= ' ' || r > '~' || strings.ContainsRune(`/\"'<>&`, r) {
			return false
		}
	}
	return true
}

func is(text string) bool { return text == "1" || strings.EqualFold(text, "true") }

// plain returns foreign text without characters that are not printed, and short.
func plain(text string) string {
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, ""))
	for len(text) > maxText {
		_, size := utf8.DecodeLastRuneInString(text)
		text = text[:len(text)-size]
	}
	return text
}

func escape(text string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(text)) // a Buffer never fails
	return b.String()
}
