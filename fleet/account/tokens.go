package account

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"time"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db/user"
	"github.com/coreroller/coreroller/fleet/change"
	"github.com/coreroller/coreroller/fleet/fault"
)

// maxTokenLife bounds the life of a token, so that forgotten ones end.
const maxTokenLife = 10 * 365 * 24 * time.Hour

// CreateToken is the input of Service.CreateToken.
type CreateToken struct {
	Username string
	Life     time.Duration // at least a minute, at most ten years
}

// CreateToken creates a token with which a script acts as a user. It ends when it
// expires, when the password changes and when the user is deleted, like the
// user's sessions. Only a hash is stored.
func (s *Service) CreateToken(ctx context.Context, in CreateToken) (token string, expires time.Time, err error) {
	who, err := fault.Require(ctx, auth.Owner)
	if err != nil {
		return "", expires, err
	}
	if in.Life < time.Minute || in.Life > maxTokenLife {
		return "", expires, fault.Errorf(fault.Invalid, "life", "must be at least a minute and at most ten years")
	}
	row, err := s.store.Reader().User.Query().Where(user.Username(in.Username)).Only(ctx)
	if err != nil {
		return "", expires, fault.Missing(err, "username", "user")
	}
	token = newToken()
	v := change.Verb{Name: "createToken", By: who, Object: "user", ID: row.ID}
	err = s.changes.Do(ctx, v, func(c *change.Change) error {
		expires = c.Now.Add(in.Life)
		c.After = struct {
			Expires time.Time `json:"expires"`
		}{expires}
		return c.Tx.Client().Session.Create().SetID(tokenHash(token)).SetUserID(row.ID).SetCreatedAt(c.Now).SetExpiresAt(expires).Exec(ctx)
	})
	return token, expires, err
}

// newToken returns 256 random bits as text.
func newToken() string {
	raw := make([]byte, 32)
	_, _ = rand.Read(raw) // documented never to fail
	return base64.RawURLEncoding.EncodeToString(raw)
}
