package acceptance

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
)

// Operations of a site's operator.

// packageSize is the size of every package, in bytes.
const packageSize = 405006

func sha256Of(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func base64Of(hexText string) string {
	raw, _ := hex.DecodeString(hexText)
	return base64.StdEncoding.EncodeToString(raw)
}

func sha1Of(text string) string {
	sum := sha1.Sum([]byte(text))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// description returns a package for amd64 with digests derived from its version.
func (s *site) description(kind int8, version string) fleet.CreatePackage {
	return fleet.CreatePackage{
		ApplicationID: s.app, Type: kind, Version: version, URL: "https://updates.example.org/" + version + "/", Filename: "update.gz",
		Size: packageSize, SHA1: sha1Of(version), SHA256: sha256Of(version),
	}
}

func (s *site) packageOf(kind int8, version string) uuid.UUID {
	s.t.Helper()
	row, err := s.CreatePackage(s.ctx, s.description(kind, version))
	s.ok(err)
	s.packages[version] = row.ID
	return row.ID
}

// pkg returns the id of the package of a version and creates it if necessary.
func (s *site) pkg(version string) uuid.UUID {
	s.t.Helper()
	if id, ok := s.packages[version]; ok {
		return id
	}
	return s.packageOf(s.kind, version)
}

// promote promotes a version to C.
func (s *site) promote(version string) {
	s.t.Helper()
	id := s.pkg(version)
	_, err := s.PromotePackage(s.ctx, fleet.PromotePackage{ChannelID: s.channel, PackageID: &id})
	s.ok(err)
}

// newGroup creates a group on C.
func (s *site) newGroup(name, track string, p rollout.Policy) uuid.UUID {
	s.t.Helper()
	row, err := s.CreateGroup(s.ctx, fleet.CreateGroup{ApplicationID: s.app, Name: name, Track: track, ChannelID: &s.channel, Policy: &p})
	s.ok(err)
	return row.ID
}

// policy changes the policy of G.
func (s *site) policy(f func(p *rollout.Policy)) {
	s.t.Helper()
	row, err := s.store.Reader().Group.Get(s.ctx, s.group)
	s.ok(err)
	p := row.Policy
	f(&p)
	_, err = s.UpdatePolicy(s.ctx, fleet.UpdatePolicy{GroupID: s.group, Policy: p})
	s.ok(err)
}

func (s *site) pause(reason string) {
	s.t.Helper()
	_, err := s.PauseUpdates(s.ctx, fleet.PauseUpdates{GroupID: s.group, Reason: reason})
	s.ok(err)
}

func (s *site) resume(reason string) {
	s.t.Helper()
	_, err := s.ResumeUpdates(s.ctx, fleet.ResumeUpdates{GroupID: s.group, Reason: reason})
	s.ok(err)
}

func (s *site) halt(reason string) {
	s.t.Helper()
	_, err := s.HaltRollout(s.ctx, fleet.HaltRollout{GroupID: s.group, Reason: reason})
	s.ok(err)
}

func (s *site) release(machine string) {
	s.t.Helper()
	_, err := s.ReleaseInstance(s.ctx, fleet.ReleaseInstance{ID: s.instanceID(machine)})
	s.ok(err)
}

func (s *site) floor(version, reason string) {
	s.t.Helper()
	_, err := s.AddFloor(s.ctx, fleet.AddFloor{ChannelID: s.channel, PackageID: s.pkg(version), Reason: reason})
	s.ok(err)
}

// instanceID returns the id of a machine of A.
func (s *site) instanceID(machine string) uuid.UUID { return store.InstanceID(s.app, machine) }
