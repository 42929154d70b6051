package fleet

import (
	"context"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/application"
	"github.com/coreroller/coreroller/event"
	"github.com/coreroller/coreroller/store"
)

// CreateApplication is the input of Service.CreateApplication.
type CreateApplication struct {
	Name        string
	ProductID   *string // reverse-domain name; nil or "" = none
	Description string
	CloneFrom   *uuid.UUID // application whose channels and groups are copied
	ID          uuid.UUID  // zero: a new one, which is all that people can ask for
}

// CreateApplication makes an application, empty or with the channels and
// groups of another one. Packages are not copied: they belong to a product.
func (s *Service) CreateApplication(ctx context.Context, in CreateApplication) (*db.Application, error) {
	who, err := require(ctx, auth.Configure)
	if err != nil {
		return nil, err
	}
	var p problems
	name := p.name("name", in.Name, maxName)
	product := p.productID("productId", or(in.ProductID, ""))
	description := p.text("description", in.Description, maxDescription)
	if err := p.err(); err != nil {
		return nil, err
	}
	if in.ID == uuid.Nil {
		in.ID = store.NewID(s.now())
	}
	v := verb{name: "createApplication", by: who, object: "application", id: in.ID, unique: "name"}
	err = s.configure(ctx, v, func(c *change) error {
		if err := c.freeApplication(uuid.Nil, name, product); err != nil {
			return err
		}
		create := c.tx.Client().Application.Create().SetID(c.id).SetTeamID(c.team()).SetCreatedAt(c.now).
			SetName(name).SetDescription(description)
		if product != "" {
			create.SetProductID(product)
		}
		row, err := create.Save(ctx)
		if err != nil {
			return err
		}
		c.verb.app = c.id
		c.tell(event.FleetChanged)
		if in.CloneFrom != nil {
			if err := c.clone(*in.CloneFrom); err != nil {
				return err
			}
		}
		return c.saved(row, nil)
	})
	if err != nil {
		return nil, err
	}
	return s.readApplication(ctx, v.id)
}

// UpdateApplication is the input of Service.UpdateApplication; nil leaves a
// field as it is.
type UpdateApplication struct {
	ID          uuid.UUID
	Name        *string
	ProductID   *string // "" = none
	Description *string
}

// UpdateApplication changes what an application is called. Machines that name
// it by its old product id are not served any more.
func (s *Service) UpdateApplication(ctx context.Context, in UpdateApplication) (*db.Application, error) {
	who, err := require(ctx, auth.Configure)
	if err != nil {
		return nil, err
	}
	var p problems
	in.Name = checked(in.Name, func(text string) string { return p.name("name", text, maxName) })
	in.ProductID = checked(in.ProductID, func(text string) string { return p.productID("productId", text) })
	in.Description = checked(in.Description, func(text string) string { return p.text("description", text, maxDescription) })
	if err := p.err(); err != nil {
		return nil, err
	}
	v := verb{name: "updateApplication", by: who}
	err = s.changeApplication(ctx, v, in.ID, func(c *change, row *db.Application) error {
		name, product := or(in.Name, row.Name), or(in.ProductID, or(row.ProductID, ""))
		if err := c.freeApplication(row.ID, name, product); err != nil {
			return err
		}
		update := c.tx.Client().Application.UpdateOneID(row.ID).SetName(name).SetDescription(or(in.Description, row.Description))
		if product == "" {
			update.ClearProductID()
		} else {
			update.SetProductID(product)
		}
		return c.saved(update.Save(ctx))
	})
	if err != nil {
		return nil, err
	}
	return s.readApplication(ctx, in.ID)
}

// DeleteApplication is the input of Service.DeleteApplication.
type DeleteApplication struct {
	ID     uuid.UUID
	Reason string
}

// DeleteApplication removes an application with everything below it, its
// machines and their history included.
func (s *Service) DeleteApplication(ctx context.Context, in DeleteApplication) error {
	who, err := require(ctx, auth.Configure)
	if err != nil {
		return err
	}
	v := verb{name: "deleteApplication", by: who, reason: in.Reason}
	return s.changeApplication(ctx, v, in.ID, func(c *change, row *db.Application) error {
		if err := c.tx.DropJournals(ctx, row.ID); err != nil {
			return err
		}
		return c.tx.Client().Application.DeleteOneID(row.ID).Exec(ctx)
	})
}

func (s *Service) changeApplication(ctx context.Context, v verb, id uuid.UUID, f func(*change, *db.Application) error) error {
	if err := checkReason(v.reason); err != nil {
		return err
	}
	v.app, v.object, v.id, v.unique = id, "application", id, "name"
	return s.configure(ctx, v, func(c *change) error {
		row, err := c.tx.Client().Application.Get(ctx, id)
		if err != nil {
			return err
		}
		c.before = row
		c.tell(event.FleetChanged)
		return f(c, row)
	})
}

// freeApplication refuses a name or product id that another application has.
func (c *change) freeApplication(self uuid.UUID, name, product string) error {
	query := c.tx.Client().Application.Query
	taken, err := query().Where(application.TeamID(c.team()), application.Name(name), application.IDNEQ(self)).Exist(c.ctx)
	if err != nil {
		return err
	}
	if taken {
		return Errorf(Conflict, "name", "there is another application %q", name)
	}
	if product == "" {
		return nil
	}
	taken, err = query().Where(application.ProductIDEqualFold(product), application.IDNEQ(self)).Exist(c.ctx)
	if err != nil {
		return err
	}
	if taken {
		return Errorf(Conflict, "productId", "another application has the product id %q", product)
	}
	return nil
}

func (s *Service) readApplication(ctx context.Context, id uuid.UUID) (*db.Application, error) {
	row, err := s.store.Reader().Application.Get(ctx, id)
	return row, found(err, "id", "application")
}
