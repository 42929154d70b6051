package catalog

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
)

// SecretPrefix begins every machine secret, so that people and scanners of leaked
// secrets recognise it.
const SecretPrefix = "crm_"

// Purpose says what a machine secret is for.
type Purpose string

// The purposes.
const (
	PurposeIdentify Purpose = "IDENTIFY" // the request comes from a machine of the operator
	PurposeEnroll   Purpose = "ENROLL"   // also enrolls the machine
)

// SecretHash is the SHA-256 of a machine secret; the zero value is that of no secret.
// Secrets are random, so that a fast hash protects them.
type SecretHash [sha256.Size]byte

// NewSecret returns a secret with at least 128 random bits, without characters that
// need an escape in a URL or in update.conf.
func NewSecret() string { return SecretPrefix + rand.Text() }

// HashSecret returns the hash of a secret.
func HashSecret(text string) SecretHash { return sha256.Sum256([]byte(text)) }

// Secret is one machine secret of an application.
type Secret struct {
	ID      uuid.UUID
	Name    string
	Group   uuid.UUID // zero: right for all groups of the application
	Purpose Purpose
	Expires time.Time // zero: never
	Revoked bool
	hash    SecretHash
}

// secretKey is the part of a hash that finds a secret. The rest is compared in constant
// time, so that the time of an answer says nothing about it.
type secretKey [8]byte

func newSecret(row *db.MachineSecret) *Secret {
	s := &Secret{ID: row.ID, Name: row.Name, Purpose: Purpose(row.Purpose), Revoked: row.RevokedAt != nil, hash: SecretHash(row.Hash)}
	if row.GroupID != nil {
		s.Group = *row.GroupID
	}
	if row.ExpiresAt != nil {
		s.Expires = *row.ExpiresAt
	}
	return s
}

// addSecret adds a secret to the application's table.
func (a *App) addSecret(s *Secret) {
	if a.secrets == nil {
		a.secrets = map[secretKey]*Secret{}
	}
	a.secrets[secretKey(s.hash[:])] = s
}

// Accepts reports whether a machine could use the secret now.
func (s *Secret) Accepts(now time.Time) bool {
	return !s.Revoked && (s.Expires.IsZero() || now.Before(s.Expires))
}

// HasSecret reports whether a machine of the group could send a right secret now.
func (g *Group) HasSecret(now time.Time) bool {
	for _, s := range g.App.secrets {
		if s.opens(g) && s.Accepts(now) {
			return true
		}
	}
	return false
}

func (s *Secret) opens(g *Group) bool { return s.Group == uuid.Nil || s.Group == g.ID }

// Identify checks the secret of a request to the group. It returns the secret if it is
// right. Without one the verdict is VerdictOK only if the group requires none.
func (g *Group) Identify(h SecretHash, now time.Time) (*Secret, Verdict) {
	verdict := VerdictSecretMissing
	if h != (SecretHash{}) {
		s := g.App.secrets[secretKey(h[:])]
		switch {
		case s == nil || subtle.ConstantTimeCompare(s.hash[:], h[:]) != 1 || !s.opens(g):
			verdict = VerdictSecretUnknown
		case s.Revoked:
			verdict = VerdictSecretRevoked
		case !s.Accepts(now):
			verdict = VerdictSecretExpired
		default:
			return s, VerdictOK
		}
	}
	if g.RequireSecret {
		return nil, verdict
	}
	return nil, VerdictOK
}
