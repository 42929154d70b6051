package fleet

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"time"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db/user"
)

// maxTokenLife is how long a token may be good for: one that nobody renews
// outlives whoever remembers it.
const maxTokenLife = 10 * 365 * 24 * time.Hour

// CreateToken is the input of Service.CreateToken.
type CreateToken struct {
	Username string
	Life     time.Duration // at least a minute, at most ten years
}

// CreateToken makes a token with which a script acts as a user, in place of the
// password. It ends as the user's sessions do: when its time is over, when the
// password changes, and with the user. Only a hash of it is kept.
func (s *Service) CreateToken(ctx context.Context, in CreateToken) (token string, expires time.Time, err error) {
	who, err := require(ctx, auth.Own)
	if err != nil {
		return "", expires, err
	}
	if in.Life < time.Minute || in.Life > maxTokenLife {
		return "", expires, Errorf(Invalid, "life", "must be at least a minute and at most ten years")
	}
	row, err := s.store.Reader().User.Query().Where(user.Username(in.Username)).Only(ctx)
	if err != nil {
		return "", expires, found(err, "username", "user")
	}
	token = newToken()
	v := verb{name: "createToken", by: who, object: "user", id: row.ID}
	err = s.change(ctx, v, func(c *change) error {
		expires = c.now.Add(in.Life)
		c.is = struct {
			Expires time.Time `json:"expires"`
		}{expires}
		return c.tx.Client().Session.Create().SetID(tokenHash(token)).SetUserID(row.ID).SetCreatedAt(c.now).SetExpiresAt(expires).Exec(ctx)
	})
	return token, expires, err
}

// newToken is 256 random bits as text.
func newToken() string {
	raw := make([]byte, 32)
	_, _ = rand.Read(raw) // documented never to fail
	return base64.RawURLEncoding.EncodeToString(raw)
}
