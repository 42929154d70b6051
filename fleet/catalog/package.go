package catalog

import (
	"strings"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/rollout"
)

// The package types, numbered as in CoreRoller 1.0.
const (
	PackageFlatcar int8 = 1 // CoreOS, Flatcar: an operating system, needs a reboot
	PackageDocker  int8 = 2
	PackageRkt     int8 = 3
	PackageOther   int8 = 4
)

// RenderPackage makes the manifest of a row whose files and action are loaded.
func RenderPackage(row *db.Release) *Package {
	p := &Package{
		ID: rollout.ID(row.ID), Version: row.Version, URL: row.URL, Description: row.Description,
		File:    File{Name: row.Filename, Size: row.Size, SHA1Base64: row.Sha1, SHA256Hex: row.Sha256},
		Reboots: row.Type == PackageFlatcar,
	}
	if p.Reboots && !strings.HasSuffix(p.URL, "/") && !strings.ContainsAny(p.URL, "?#") {
		p.URL += "/" // of an older row; without it extensions are looked for one folder above
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

// Offerable returns why machines would refuse the package, "" when they would
// not. update_engine rejects an answer in which one of these is missing and
// reports that as a failure (error 34). What downloads the other files of an
// operating system checks size and digest, too.
func (p *Package) Offerable() string {
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
	for i := range p.Extra {
		switch f := &p.Extra[i]; {
		case f.Size <= 0:
			return "has the file " + f.Name + " without a size"
		case f.SHA256Hex == "":
			return "has the file " + f.Name + " without a SHA-256"
		}
	}
	return ""
}

// ExtensionName returns the name of an extension of Flatcar at the end of a file name,
// such as "oem-azure.gz" of "extrafile-amd64-4152.2.0-oem-azure.gz"; "" for other
// files. A machine finds the file by this end of its name.
func ExtensionName(file string) string {
	i := max(strings.LastIndex(file, "oem-"), strings.LastIndex(file, "flatcar-"))
	if i < 0 || !strings.HasSuffix(file, ".gz") {
		return ""
	}
	return file[i:]
}
