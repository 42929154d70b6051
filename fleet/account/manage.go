package account

import (
	"context"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/fleet/fault"
)

// inPerson is fault.RequireVerb for what tokens may not do; see auth.Principal.InPerson.
func inPerson(ctx context.Context, verb string) (auth.Principal, error) {
	who, err := fault.RequireVerb(ctx, verb)
	if err == nil && !who.InPerson() {
		err = fault.Errorf(fault.Forbidden, "", "tokens and sessions cannot be managed with a token: sign in with your password")
	}
	return who, err
}

// ends reports whether the caller may see and end the tokens and sessions of a user: its
// own, and as an admin of the team those of users with at most its own rights.
func ends(who auth.Principal, owner *db.User) bool {
	return who.UserID == owner.ID || manages(who, owner.TeamID) && below(owner, who) == nil
}
