package auth_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
)

var (
	team, otherTeam = uuid.New(), uuid.New()
	app, otherApp   = uuid.New(), uuid.New()
	group           = uuid.New()
)

func TestRoleIsTheHighestOfTheGrantsThatCoverThePlace(t *testing.T) {
	p := auth.Principal{Grants: []auth.Grant{
		{Role: auth.Viewer, Team: team},
		{Role: auth.Publisher, Team: team, Application: app},
		{Role: auth.Admin, Team: otherTeam, Application: otherApp, Group: group},
	}}
	for _, c := range []struct {
		place auth.Place
		want  auth.Role
	}{
		{auth.Place{}, 0},
		{auth.Place{Team: team}, auth.Viewer},
		{auth.Place{Team: team, Application: otherApp}, auth.Viewer},
		{auth.Place{Team: team, Application: app}, auth.Publisher},
		{auth.Place{Team: team, Application: app, Group: group}, auth.Publisher},
		{auth.Place{Team: otherTeam}, 0},
		{auth.Place{Team: otherTeam, Application: otherApp}, 0},
		{auth.Place{Team: otherTeam, Application: otherApp, Group: group}, auth.Admin},
		{auth.Place{Team: otherTeam, Application: otherApp, Group: uuid.New()}, 0},
	} {
		if got := p.RoleOn(c.place); got != c.want {
			t.Errorf("role on %v is %q, want %q", c.place, got, c.want)
		}
	}
	if p.SeesAll() {
		t.Error("sees all teams")
	}
}

func TestWithoutGrantsTheRoleIsForTheTeamOrForAllTeams(t *testing.T) {
	admin := auth.Principal{Role: auth.Admin, TeamID: team}
	if admin.SeesAll() || admin.RoleOn(auth.Place{Team: team}) != auth.Admin || admin.RoleOn(auth.Place{Team: otherTeam}) != 0 {
		t.Error("an admin's role is not that on its team only")
	}
	owner := auth.Principal{Role: auth.Owner, TeamID: team}
	if !owner.SeesAll() || owner.RoleOn(auth.Place{Team: otherTeam}) != auth.Owner {
		t.Error("an owner is not an owner of every team")
	}
	if (auth.Principal{TeamID: team}).RoleOn(auth.Place{Team: team}) != 0 {
		t.Error("a principal without a role has one")
	}
}

func TestNarrowedGrantsAreNeverWiderThanEither(t *testing.T) {
	user := []auth.Grant{{Role: auth.Publisher, Team: team}, {Role: auth.Operator, Team: otherTeam, Application: otherApp}}
	for name, c := range map[string]struct{ by, want []auth.Grant }{
		"an application of the team":    {[]auth.Grant{{Role: auth.Admin, Team: team, Application: app}}, []auth.Grant{{Role: auth.Publisher, Team: team, Application: app}}},
		"a lower role everywhere":       {[]auth.Grant{{Role: auth.Viewer}}, []auth.Grant{{Role: auth.Viewer, Team: team}, {Role: auth.Viewer, Team: otherTeam, Application: otherApp}}},
		"another application":           {[]auth.Grant{{Role: auth.Owner, Team: otherTeam, Application: app}}, nil},
		"a group of the one it may see": {[]auth.Grant{{Role: auth.Owner, Team: otherTeam, Application: otherApp, Group: group}}, []auth.Grant{{Role: auth.Operator, Team: otherTeam, Application: otherApp, Group: group}}},
		"nothing":                       {nil, nil},
	} {
		if got := auth.Narrow(user, c.by); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestGrantIsStoredWithTheNameOfItsRole(t *testing.T) {
	text, err := json.Marshal(auth.Grant{Role: auth.Operator, Team: team})
	if want := `{"role":"operator","team":"` + team.String() + `"}`; err != nil || string(text) != want {
		t.Errorf("%s, %v; want %s", text, err, want)
	}
	var g auth.Grant
	if err := json.Unmarshal([]byte(`{"role":"king"}`), &g); err == nil {
		t.Error("an unknown role is accepted")
	}
}
