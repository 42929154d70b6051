package graph

import (
	"context"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
)

// Role returns what a user may do. A role that this version does not know is the
// zero Role, which may do nothing.
func (r *userResolver) Role(_ context.Context, u *db.User) (auth.Role, error) {
	role, _ := auth.ParseRole(u.Role)
	return role, nil
}

// Permissions names what the user's role may call.
func (r *userResolver) Permissions(ctx context.Context, u *db.User) ([]string, error) {
	role, _ := auth.ParseRole(u.Role)
	return role.Permissions(), nil
}
