package fleet

import (
	"encoding/base64"
	"encoding/hex"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/rollout"
)

// The types of package; the numbers are those of CoreRoller 1.0.
const (
	PackageFlatcar int8 = 1 // CoreOS, Flatcar: an operating system, needs a reboot
	PackageDocker  int8 = 2
	PackageRkt     int8 = 3
	PackageOther   int8 = 4
)

// renderPackage makes what is sent to machines from a row with its files and
// action loaded.
func renderPackage(row *db.Release) *Package {
	p := &Package{
		ID: rollout.ID(row.ID), Version: row.Version, URL: row.URL, Description: row.Description,
		File:    File{Name: row.Filename, Size: row.Size, SHA1Base64: row.Sha1, SHA256Hex: row.Sha256},
		Reboots: row.Type == PackageFlatcar,
	}
	for _, f := range row.Edges.Files {
		p.Extra = append(p.Extra, File{Name: f.Name, Size: f.Size, SHA1Base64: f.Sha1, SHA256Hex: f.Sha256})
	}
	if a := row.Edges.Action; a != nil {
		p.Action = &Action{
			Event: a.Event, SHA256: a.Sha256, ChromeOSVersion: a.ChromeosVersion,
			NeedsAdmin: a.NeedsAdmin, IsDelta: a.IsDelta, DisablePayloadBackoff: a.DisablePayloadBackoff,
			MetadataSignatureRSA: a.MetadataSignatureRsa, MetadataSize: a.MetadataSize, Deadline: a.Deadline,
		}
	}
	return p
}

// offerable says why machines would refuse a package, "" when they would not.
// update_engine gives up on an answer without any of these, and reports that as
// a failure of the version (omaha error 34).
func (p *Package) offerable() string {
	switch {
	case !p.Reboots:
		return ""
	case p.Action == nil || p.Action.SHA256 == "":
		return "has no SHA-256, without which update_engine refuses it"
	case p.File.Size <= 0:
		return "has no size, without which update_engine refuses it"
	case p.File.Name == "":
		return "has no file name, without which update_engine refuses it"
	}
	return ""
}

// sha256Base64 writes a lower-case hex digest as base64; "" stays "".
func sha256Base64(hexText string) string {
	raw, err := hex.DecodeString(hexText)
	if err != nil {
		return ""
	}
	return base64.StdEncoding.EncodeToString(raw)
}

// sha256Hex writes a base64 digest as lower-case hex; "" stays "".
func sha256Hex(base64Text string) string {
	raw, err := base64.StdEncoding.DecodeString(base64Text)
	if err != nil {
		return ""
	}
	return hex.EncodeToString(raw)
}
