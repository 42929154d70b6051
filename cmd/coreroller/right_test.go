package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/store"
)

// rightStep is one command line with a part of its output and its exit code.
type rightStep struct {
	args string // separated by commas
	want string
	code int
}

func rightSteps(t *testing.T, dir string, all ...rightStep) {
	t.Helper()
	for _, s := range all {
		out, errs, code := execute(t, "a good password\n", nil, append(strings.Split(s.args, ","), "--data-dir="+dir)...)
		if code != s.code || !strings.Contains(strings.Join(strings.Fields(out+errs), " "), s.want) {
			t.Errorf("%s: exit code %d, %s%s; want %d and %q", s.args, code, out, errs, s.code, s.want)
		}
	}
}

func TestUserRole(t *testing.T) {
	rightSteps(
		t, t.TempDir(),
		rightStep{"user,add,ann,--role,operator", "user ann was added", 0},
		rightStep{"user,add,bob,--role,king", "--role: must be one of viewer", 1},
		rightStep{"user,list", "ann operator of the team default", 0},
		rightStep{"user,role,ann,--role,admin", "ann is admin of the team default", 0},
		rightStep{"user,role,ann", `required flag(s) "role"`, 1},
		rightStep{"user,role,ann,--role,king", "--role: must be one of viewer", 1},
		rightStep{"user,role,bob,--role,admin", "no such user", 1},
		rightStep{"user,role", "expected one argument", 1},
		rightStep{"user,role,ann,--role,owner", "ann is owner", 0},
		rightStep{"user,role,ann,--role,viewer", "ann is the last owner", 1},
		rightStep{"user,list", "ann owner", 0},
	)
}

func TestTeams(t *testing.T) {
	rightSteps(
		t, t.TempDir(),
		rightStep{"team,add,Retail", "team Retail was added", 0},
		rightStep{"team,add,Retail", "already taken", 1},
		rightStep{"team,add", "expected one argument, the name", 1},
		rightStep{"user,add,ann,--team,Retail,--role,admin", "user ann was added", 0},
		rightStep{"team,list", "applications 0, users 1", 0},
		rightStep{"team,list", "applications 1, users 0", 0}, // the default team with the preinstalled application
		rightStep{"team,rename,Retail,Shops", "the team is now Shops", 0},
		rightStep{"team,rename,Shops", "expected two arguments", 1},
		rightStep{"team,rename,Retail,Stores", "there is no such team: Retail", 1},
		rightStep{"user,list", "ann admin of the team Shops", 0},
		rightStep{"user,role,ann,--role,operator", "ann is operator of the team Shops", 0},
		rightStep{"user,role,ann,--role,viewer,--team,default", "ann is viewer of the team default", 0},
		rightStep{"user,role,ann,--role,viewer,--team,Retail", "there is no such team: Retail", 1},
		rightStep{"team,delete,Shops", `team "Shops" still has 0 applications`, 1},
		rightStep{"team,add,Empty", "team Empty was added", 0},
		rightStep{"team,delete,Empty", "team Empty was deleted", 0},
		rightStep{"team,delete,Empty", "there is no such team: Empty", 1},
	)
}

func TestRightsOnPartsOfAnApplication(t *testing.T) {
	dir := t.TempDir()
	flatcar, stable := catalog.FlatcarID().String(), ""
	rightSteps(t, dir, rightStep{"team,add,Retail", "team Retail was added", 0})
	func() {
		ctx := auth.With(t.Context(), commandPrincipal("test"))
		s, err := store.Open(t.Context(), store.Options{URL: filepath.Join(dir, "coreroller.db"), Log: discard()})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = s.Close() }()
		service, err := newService(ctx, s)
		if err != nil {
			t.Fatal(err)
		}
		defer service.Close()
		teams, err := service.Accounts.Teams(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, team := range teams {
			app, err := service.CreateApplication(ctx, fleet.CreateApplication{Name: "agent", TeamID: team.ID})
			if err != nil {
				t.Fatal(err)
			}
			group, err := service.CreateGroup(ctx, fleet.CreateGroup{ApplicationID: app.ID, Name: "Stable"})
			if err != nil {
				t.Fatal(err)
			}
			if team.ID == catalog.DefaultTeamID() {
				stable = group.ID.String()
			}
		}
	}()
	rightSteps(
		t, dir,
		rightStep{"user,add,ann,--role,publisher,--application," + flatcar, "user ann was added", 0},
		rightStep{"user,list", "ann publisher on Flatcar Container Linux", 0},
		rightStep{"user,role,ann,--role,operator,--application,agent", "there is more than one application with the name agent: use the id", 1},
		rightStep{"user,role,ann,--role,operator,--team,Retail,--application,agent,--group,Stable", "ann is operator on the group Stable of agent", 0},
		rightStep{"user,role,ann,--role,operator,--group," + stable, "ann is operator on the group Stable of agent", 0},
		rightStep{"user,role,ann,--role,operator,--team,Retail,--group," + stable, "there is no such group", 1},
		rightStep{"user,role,ann,--role,operator,--application,nothing", "there is no such application: nothing", 1},
		rightStep{"user,role,ann,--role,owner,--application," + flatcar, "an owner has no team", 1},
		rightStep{"user,add,bob,--role,operator,--team,Retail,--application,agent", "user bob was added", 0},
		rightStep{"team,list", "applications 1, users 1", 0},
	)
}
