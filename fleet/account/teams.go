package account

import (
	"cmp"
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/application"
	"github.com/coreroller/coreroller/ent/db/team"
	"github.com/coreroller/coreroller/ent/db/user"
	"github.com/coreroller/coreroller/fleet/change"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/input"
	"github.com/coreroller/coreroller/store"
)

// Teams reads the teams in which the caller has a role, by name.
func (s *Service) Teams(ctx context.Context) ([]*db.Team, error) {
	who, err := fault.Require(ctx, auth.Viewer)
	if err != nil {
		return nil, err
	}
	q := s.store.Reader().Team.Query()
	if !who.SeesAll() {
		ids := []uuid.UUID{who.TeamID}
		for _, g := range who.AllGrants() {
			ids = append(ids, g.Team)
		}
		q.Where(team.IDIn(ids...))
	}
	rows, err := q.All(ctx)
	slices.SortFunc(rows, func(a, b *db.Team) int { return cmp.Compare(a.Name, b.Name) }) // databases sort text differently
	return rows, err
}

// Team reads one team in which the caller has a role.
func (s *Service) Team(ctx context.Context, id uuid.UUID) (*db.Team, error) {
	return s.team(ctx, "id", id)
}

// team is Team with the name of the field that has the id.
func (s *Service) team(ctx context.Context, field string, id uuid.UUID) (*db.Team, error) {
	rows, err := s.Teams(ctx)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(rows, func(t *db.Team) bool { return t.ID == id })
	if i < 0 {
		return nil, fault.Errorf(fault.NotFound, field, "there is no such team")
	}
	return rows[i], nil
}

// CreateTeam is the input of Service.CreateTeam.
type CreateTeam struct{ Name string }

// CreateTeam creates a team. Its applications and users do not exist for other teams.
func (s *Service) CreateTeam(ctx context.Context, in CreateTeam) (*db.Team, error) {
	return s.changeTeam(ctx, "createTeam", store.NewID(s.now()), in.Name, func(c *change.Change, name string) error {
		if err := teamApart(c, name); err != nil {
			return err
		}
		return c.Saved(c.Tx.Client().Team.Create().SetID(c.ID).SetName(name).SetCreatedAt(c.Now).Save(ctx))
	})
}

// UpdateTeam is the input of Service.UpdateTeam.
type UpdateTeam struct {
	ID   uuid.UUID
	Name string
}

// UpdateTeam renames a team.
func (s *Service) UpdateTeam(ctx context.Context, in UpdateTeam) (*db.Team, error) {
	return s.changeTeam(ctx, "updateTeam", in.ID, in.Name, func(c *change.Change, name string) error {
		row, err := c.Tx.Client().Team.Get(ctx, in.ID)
		if err != nil {
			return fault.Missing(err, "id", "team")
		}
		if name != row.Name {
			if err := teamApart(c, name); err != nil {
				return err
			}
		}
		c.Before = row
		return c.Saved(row.Update().SetName(name).Save(ctx))
	})
}

// teamApart returns Conflict if a new name looks like that of another team.
func teamApart(c *change.Change, name string) error {
	names, err := c.Tx.Client().Team.Query().Where(team.IDNEQ(c.ID)).Select(team.FieldName).Strings(c.Ctx)
	if err != nil {
		return err
	}
	return input.Apart("name", name, names...)
}

func (s *Service) changeTeam(ctx context.Context, verb string, id uuid.UUID, name string, f func(c *change.Change, name string) error) (*db.Team, error) {
	who, err := ownerOf(ctx, verb)
	if err != nil {
		return nil, err
	}
	var p input.Problems
	name = p.Name("name", name, input.MaxName)
	if err := p.Err(); err != nil {
		return nil, err
	}
	v := change.Verb{Name: verb, By: who, Object: "team", ID: id, TeamID: id, Unique: "name"}
	if err := s.changes.Do(ctx, v, func(c *change.Change) error { return f(c, name) }); err != nil {
		return nil, err
	}
	return s.Team(ctx, id)
}

// DeleteTeam is the input of Service.DeleteTeam.
type DeleteTeam struct{ ID uuid.UUID }

// DeleteTeam deletes a team without applications and users; else it is a Conflict.
func (s *Service) DeleteTeam(ctx context.Context, in DeleteTeam) error {
	who, err := ownerOf(ctx, "deleteTeam")
	if err != nil {
		return err
	}
	v := change.Verb{Name: "deleteTeam", By: who, Object: "team", ID: in.ID, TeamID: in.ID}
	return s.changes.Do(ctx, v, func(c *change.Change) error {
		row, err := c.Tx.Client().Team.Get(ctx, in.ID)
		if err != nil {
			return fault.Missing(err, "id", "team")
		}
		apps, err := c.Tx.Client().Application.Query().Where(application.TeamID(in.ID)).Count(ctx)
		if err != nil {
			return err
		}
		users, err := c.Tx.Client().User.Query().Where(user.TeamID(in.ID)).Count(ctx)
		if err != nil {
			return err
		}
		if apps+users > 0 {
			return fault.Errorf(fault.Conflict, "id", "team %q still has %d applications, with those that are being deleted, and %d users", row.Name, apps, users)
		}
		c.Before = row
		return c.Tx.Client().Team.DeleteOne(row).Exec(ctx)
	})
}

// ownerOf returns the caller, who needs the role for a verb on the whole installation.
func ownerOf(ctx context.Context, verb string) (auth.Principal, error) {
	who, err := fault.RequireVerb(ctx, verb)
	if err == nil {
		err = fault.RequireOn(who, verb, auth.Place{})
	}
	return who, err
}
