package fleet

import (
	"context"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/application"
	"github.com/coreroller/coreroller/ent/db/channel"
	"github.com/coreroller/coreroller/ent/db/group"
	"github.com/coreroller/coreroller/ent/db/instance"
	"github.com/coreroller/coreroller/ent/db/release"
	"github.com/coreroller/coreroller/event"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/change"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/input"
	"github.com/coreroller/coreroller/fleet/job"
	"github.com/coreroller/coreroller/rollout/version"
	"github.com/coreroller/coreroller/store"
)

// CreateApplication is the input of Service.CreateApplication.
type CreateApplication struct {
	Name        string
	TeamID      uuid.UUID // that owns it; zero: the caller's
	ProductID   *string   // reverse-domain name; nil or "" = none
	Description string
	Versioning  *version.Versioning // nil: that of CloneFrom, else semantic
	// RequestAttributes are the names of attributes of <app> that are kept.
	RequestAttributes []string
	CloneFrom         *uuid.UUID // copies the channels and groups of this application
	ID                uuid.UUID  // zero: a new id; only the demo sets it
}

// CreateApplication creates an application, empty or with copies of the channels
// and groups of another one. Packages are not copied.
func (s *Service) CreateApplication(ctx context.Context, in CreateApplication) (*db.Application, error) {
	var p input.Problems
	name := p.Name("name", in.Name, input.MaxName)
	product := p.ProductID("productId", input.Or(in.ProductID, ""))
	description := p.Text("description", in.Description, input.MaxDescription)
	names := job.CheckRequestAttributes(&p, "requestAttributes", in.RequestAttributes)
	if in.ID == uuid.Nil {
		in.ID = store.NewID(s.now())
	}
	v := change.Verb{Name: "createApplication", Object: "application", ID: in.ID, TeamID: in.TeamID, Unique: "name", Invalid: p.Err()}
	if err := s.ownTeam(ctx, in.TeamID); err != nil {
		return nil, err
	}
	err := s.configure(ctx, v, func(c *change.Change) error {
		if err := freeApplication(c, c.Team(), uuid.Nil, name, product); err != nil {
			return err
		}
		create := c.Tx.Client().Application.Create().SetID(c.ID).SetTeamID(c.Team()).SetCreatedAt(c.Now).
			SetName(name).SetDescription(description).SetRequestAttributes(names)
		versioning, err := in.versioning(c)
		if err != nil {
			return err
		}
		create.SetVersioning(versioning)
		if product != "" {
			create.SetProductID(product)
		}
		row, err := create.Save(ctx)
		if err != nil {
			return err
		}
		c.App = c.ID
		c.Publish(event.FleetChanged)
		if in.CloneFrom != nil {
			if err := clone(c, *in.CloneFrom, in.RequestAttributes); err != nil {
				return err
			}
		}
		return c.Saved(row, nil)
	})
	if err != nil {
		return nil, err
	}
	return s.View.Application(ctx, v.ID, nil)
}

// versioning returns the versioning of a new application.
func (in *CreateApplication) versioning(c *change.Change) (version.Versioning, error) {
	if in.Versioning != nil || in.CloneFrom == nil {
		return input.Or(in.Versioning, version.Semantic), nil
	}
	from, err := undeleted(c, *in.CloneFrom)
	if err != nil {
		return "", fault.Missing(err, "cloneFrom", "application")
	}
	return from.Versioning, nil
}

// UpdateApplication is the input of Service.UpdateApplication; nil leaves a
// field as it is.
type UpdateApplication struct {
	ID          uuid.UUID
	Name        *string
	TeamID      *uuid.UUID // that owns it; needs the role in both teams
	ProductID   *string    // "" = none
	Description *string
	Versioning  *version.Versioning // only without packages and machines
	// RequestAttributes replaces the names of attributes of <app> that are kept.
	RequestAttributes []string

	RequireSecret      *bool // whether all groups refuse requests without a right machine secret
	RequireCertificate *bool // whether all groups refuse requests without a certificate of their machine
}

// UpdateApplication changes properties of an application. Machines that send the old
// product id are no longer served. They lose a request attribute whose name is removed
// with their next update check, or in the background.
func (s *Service) UpdateApplication(ctx context.Context, in UpdateApplication) (*db.Application, error) {
	var p input.Problems
	in.Name = input.Checked(in.Name, func(text string) string { return p.Name("name", text, input.MaxName) })
	in.ProductID = input.Checked(in.ProductID, func(text string) string { return p.ProductID("productId", text) })
	in.Description = input.Checked(in.Description, func(text string) string { return p.Text("description", text, input.MaxDescription) })
	if in.RequestAttributes != nil {
		in.RequestAttributes = job.CheckRequestAttributes(&p, "requestAttributes", in.RequestAttributes)
	}
	v := change.Verb{Name: "updateApplication", Invalid: p.Err()}
	if err := s.ownTeam(ctx, input.Or(in.TeamID, uuid.Nil)); err != nil {
		return nil, err
	}
	err := s.changeApplication(ctx, v, in.ID, func(c *change.Change, row *db.Application) error {
		name, product := input.Or(in.Name, row.Name), input.Or(in.ProductID, input.Or(row.ProductID, ""))
		team := input.Or(in.TeamID, row.TeamID)
		if team != row.TeamID {
			for _, id := range []uuid.UUID{row.TeamID, team} {
				if err := fault.RequireOn(c.By, c.Name, auth.Place{Team: id}); err != nil {
					return err
				}
			}
		}
		if product != input.Or(row.ProductID, "") || team != row.TeamID { // other machines, or other people who approve
			if err := requiresApprovals(c); err != nil {
				return err
			}
		}
		if err := freeApplication(c, team, row.ID, name, product); err != nil {
			return err
		}
		versioning := input.Or(in.Versioning, row.Versioning)
		if versioning != row.Versioning {
			if err := mayVersion(c, versioning); err != nil {
				return err
			}
		}
		require := input.Or(in.RequireSecret, row.RequireSecret)
		if require && !row.RequireSecret {
			if err := mayRequire(c, c.Config.Groups...); err != nil {
				return err
			}
		}
		certificate := input.Or(in.RequireCertificate, row.RequireCertificate)
		if err := s.requireCertificate(c, row.RequireCertificate, certificate); err != nil {
			return err
		}
		update := c.Tx.Client().Application.UpdateOneID(row.ID).SetTeamID(team).SetRequireSecret(require).SetRequireCertificate(certificate).SetName(name).SetVersioning(versioning).
			SetDescription(input.Or(in.Description, row.Description))
		if in.RequestAttributes != nil && !slices.Equal(in.RequestAttributes, row.RequestAttributes) {
			update.SetRequestAttributes(in.RequestAttributes).AddRequestAttributesRevision(1).SetRemovedRequestAttributes(removedRequestAttributes(row, in.RequestAttributes))
		}
		if product == "" {
			update.ClearProductID()
		} else {
			update.SetProductID(product)
		}
		return c.Saved(update.Save(ctx))
	})
	if err != nil {
		return nil, err
	}
	return s.View.Application(ctx, in.ID, nil)
}

// removedRequestAttributes returns the names whose labels must be deleted when an
// application names others.
func removedRequestAttributes(row *db.Application, names []string) string {
	gone := slices.DeleteFunc(append(strings.Split(row.RemovedRequestAttributes, ","), row.RequestAttributes...), func(name string) bool {
		return name == "" || slices.Contains(names, name)
	})
	slices.Sort(gone)
	return strings.Join(slices.Compact(gone), ",")
}

// mayVersion returns an error if the versioning of the application cannot change to
// another one: its versions would be compared differently.
func mayVersion(c *change.Change, to version.Versioning) error {
	if c.App == catalog.FlatcarID() {
		return fault.Errorf(fault.Invalid, "versioning", "must stay semantic, because update_engine reports semantic versions")
	}
	packages, err := c.Tx.Client().Release.Query().Where(release.ApplicationID(c.App)).Exist(c.Ctx)
	if err != nil {
		return err
	}
	machines, err := c.Tx.Client().Instance.Query().Where(instance.ApplicationID(c.App)).Exist(c.Ctx)
	if err != nil {
		return err
	}
	if packages || machines {
		return fault.Errorf(fault.Conflict, "versioning", "can change only while the application has no packages and no machines: create another application")
	}
	return nil
}

// DeleteApplication is the input of Service.DeleteApplication.
type DeleteApplication struct {
	ID     uuid.UUID
	Reason string
	Force  bool // also if it has machines
}

// DeleteApplication deletes an application with everything below it, including
// its machines and their history. From its commit on the application is unknown to
// machines and on no list; what many machines left behind is deleted afterwards, in
// small transactions.
func (s *Service) DeleteApplication(ctx context.Context, in DeleteApplication) error {
	v := change.Verb{Name: "deleteApplication", Reason: in.Reason}
	err := s.changeApplication(ctx, v, in.ID, func(c *change.Change, row *db.Application) error {
		if err := requiresApprovals(c); err != nil {
			return err
		}
		relies, err := s.View.RelyOnGroups(c.Ctx, c.Config.GroupIDs())
		if err != nil {
			return err
		}
		if err := reliedOn(in.Force, relies); err != nil {
			return err
		}
		// The name and the product id are free at once.
		return c.Tx.Client().Application.UpdateOneID(row.ID).SetDeletedAt(c.Now).SetName("deleted " + row.ID.String()).ClearProductID().Exec(ctx)
	})
	if err == nil {
		// A small application is gone at once. After an error the worker goes on.
		_, _ = s.store.DropApplication(ctx, s.now(), in.ID, dropAtOnce)
	}
	return err
}

// dropAtOnce limits the transactions of a deletion that run within its request; they
// are enough for a few hundred machines.
const dropAtOnce = 2

func (s *Service) changeApplication(ctx context.Context, v change.Verb, id uuid.UUID, f func(*change.Change, *db.Application) error) error {
	v.App, v.Object, v.ID, v.Unique = id, "application", id, "name"
	return s.configure(ctx, v, func(c *change.Change) error {
		row, err := c.Tx.Client().Application.Get(ctx, id)
		if err != nil {
			return err
		}
		c.Before = row
		c.Publish(event.FleetChanged)
		return f(c, row)
	})
}

// freeApplication returns Conflict for a name or product id that is taken.
func freeApplication(c *change.Change, team, self uuid.UUID, name, product string) error {
	query := c.Tx.Client().Application.Query
	taken, err := query().Where(application.TeamID(team), application.Name(name), application.IDNEQ(self)).Exist(c.Ctx)
	if err != nil {
		return err
	}
	if taken {
		return fault.Errorf(fault.Conflict, "name", "there is another application %q", name)
	}
	if err := applicationApart(c, team, self, name); err != nil {
		return err
	}
	if product == "" {
		return nil
	}
	taken, err = query().Where(application.ProductIDEqualFold(product), application.IDNEQ(self)).Exist(c.Ctx)
	if err != nil {
		return err
	}
	if taken {
		return fault.Errorf(fault.Conflict, "productId", "another application has the product id %q", product)
	}
	return nil
}

// applicationApart returns Conflict if a new name looks like that of another application
// of the team.
func applicationApart(c *change.Change, team, self uuid.UUID, name string) error {
	rows, err := c.Tx.Client().Application.Query().Where(application.TeamID(team), application.DeletedAtIsNil()).
		Select(application.FieldID, application.FieldName).All(c.Ctx)
	if err != nil {
		return err
	}
	var others []string
	for _, row := range rows {
		if row.ID == self && row.Name == name {
			return nil // not new
		}
		if row.ID != self {
			others = append(others, row.Name)
		}
	}
	return input.Apart("name", name, others...)
}

// undeleted reads an application that is not deleted.
func undeleted(c *change.Change, id uuid.UUID) (*db.Application, error) {
	row, err := c.Tx.Client().Application.Query().Where(application.ID(id), application.DeletedAtIsNil()).Only(c.Ctx)
	if err == nil && !c.By.Sees(row.TeamID, id) {
		return nil, &db.NotFoundError{}
	}
	return row, err
}

// clone copies the channels and groups of another application into the new one, and its
// request attributes unless some are given.
// The copied channels point to no package.
func clone(c *change.Change, from uuid.UUID, given []string) error {
	client := c.Tx.Client()
	source, err := undeleted(c, from)
	if err != nil {
		return fault.Missing(err, "cloneFrom", "application")
	}
	if given == nil {
		if err := client.Application.UpdateOneID(c.App).SetRequestAttributes(source.RequestAttributes).Exec(c.Ctx); err != nil {
			return err
		}
	}
	channels, err := client.Channel.Query().Where(channel.ApplicationID(from)).Order(channel.ByID()).All(c.Ctx)
	if err != nil {
		return err
	}
	copies := make(map[uuid.UUID]uuid.UUID, len(channels))
	for _, ch := range channels {
		copies[ch.ID] = store.NewID(c.Now)
		err := client.Channel.Create().SetID(copies[ch.ID]).SetApplicationID(c.App).SetCreatedAt(c.Now).
			SetName(ch.Name).SetColor(ch.Color).SetArch(ch.Arch).Exec(c.Ctx)
		if err != nil {
			return err
		}
	}
	groups, err := client.Group.Query().Where(group.ApplicationID(from), group.DeletedAtIsNil()).Order(group.ByID()).All(c.Ctx)
	if err != nil {
		return err
	}
	for _, g := range groups {
		create := client.Group.Create().SetID(store.NewID(c.Now)).SetApplicationID(c.App).SetCreatedAt(c.Now).
			SetName(g.Name).SetTrack(g.Track).SetAliases(g.Aliases).SetArch(g.Arch).SetDescription(g.Description).SetPolicy(g.Policy).
			SetExpression(g.Expression).SetPriority(g.Priority)
		if g.ChannelID != nil {
			create.SetChannelID(copies[*g.ChannelID])
		}
		if !g.Policy.UpdatesEnabled {
			create.SetPausedAt(c.Now).SetPausedBy(c.By.Name).SetPauseReason("copied from a paused group")
		}
		if err := create.Exec(c.Ctx); err != nil {
			return err
		}
	}
	return nil
}

// ownTeam returns NotFound for a team in which the caller has no role. Zero is none.
func (s *Service) ownTeam(ctx context.Context, id uuid.UUID) error {
	if id == uuid.Nil {
		return nil
	}
	_, err := s.Accounts.Team(ctx, id)
	if fault.CodeOf(err) == fault.NotFound {
		err = fault.Errorf(fault.NotFound, "teamId", "there is no such team")
	}
	return err
}
