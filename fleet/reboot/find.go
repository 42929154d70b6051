package reboot

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/instance"
	"github.com/coreroller/coreroller/ent/db/predicate"
	"github.com/coreroller/coreroller/ent/db/rebootslot"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/store"
)

// target is where the request of a client belongs.
type target struct {
	group    *catalog.Group
	instance uuid.UUID // zero: the client is not known as a machine
	machine  string    // id of that machine, or that of the client
	version  string    // that the machine runs
}

// maxApplications bounds the applications in which a client with an unknown group is
// looked for.
const maxApplications = 1000

// find returns the group that a client names, else that of its machine. If several
// groups have the name, a right secret, the machine and the reboot slots decide in this
// order; otherwise the client must send the id of the group.
func (s *Service) find(ctx context.Context, r *Request) (target, error) {
	c := s.catalog.Catalog()
	named := c.Groups(func(g *catalog.Group) bool { return names(g, r.Group) })
	apps := appsOf(named)
	if len(named) == 0 {
		if apps = c.Apps(); len(apps) > maxApplications {
			return target{}, errNoGroup(r.Group)
		}
	}
	machines, err := s.machines(ctx, apps, r.Client)
	if err != nil {
		return target{}, err
	}
	if len(named) == 0 {
		for _, m := range machines {
			if g := groupOf(c, m); g != nil {
				named = append(named, g)
			}
		}
	}
	proven := func(g *catalog.Group) bool { secret, _ := g.Identify(r.Secret, s.now()); return secret != nil }
	inhabited := func(g *catalog.Group) bool {
		return slices.ContainsFunc(machines, func(m *db.Instance) bool { return m.GroupID != nil && *m.GroupID == g.ID })
	}
	coordinated := func(g *catalog.Group) bool { return g.Policy.RebootSlots > 0 }
	for _, better := range []func(*catalog.Group) bool{proven, inhabited, coordinated} {
		if some := filter(named, better); len(some) > 0 {
			named = some
		}
	}
	switch len(named) {
	case 0:
		return target{}, errNoGroup(r.Group)
	case 1:
	default:
		return target{}, fault.Errorf(fault.NotFound, "client_params.group", "%d groups have this track or name: send the id of one", len(named))
	}
	t := target{group: named[0], machine: r.Client}
	for _, m := range machines {
		if m.ApplicationID == t.group.App.ID {
			t.instance, t.machine, t.version = m.ID, m.MachineID, m.Version
		}
	}
	return t, nil
}

func errNoGroup(text string) error {
	return fault.Errorf(fault.NotFound, "client_params.group", "no group has the track, name or id %q", text)
}

func names(g *catalog.Group, text string) bool {
	if _, found := g.Named(text); found || strings.EqualFold(g.Name, text) {
		return true
	}
	id, err := uuid.Parse(text)
	return err == nil && id == g.ID
}

func appsOf(groups []*catalog.Group) []uuid.UUID {
	var ids []uuid.UUID
	for _, g := range groups {
		ids = append(ids, g.App.ID)
	}
	return distinct(ids)
}

func groupOf(c *catalog.Catalog, m *db.Instance) *catalog.Group {
	if m.GroupID == nil {
		return nil
	}
	return c.App(m.ApplicationID).Group(*m.GroupID)
}

func filter(groups []*catalog.Group, keep func(*catalog.Group) bool) (some []*catalog.Group) {
	for _, g := range groups {
		if keep(g) {
			some = append(some, g)
		}
	}
	return some
}

// machines returns the machines of applications that a client may be, at most one per
// application: those with its id in one of the usual forms.
func (s *Service) machines(ctx context.Context, apps []uuid.UUID, client string) ([]*db.Instance, error) {
	forms := Forms(client)
	var ids []uuid.UUID
	for _, app := range apps {
		ids = append(ids, store.InstanceIDs(app, forms)...)
	}
	if len(ids) == 0 {
		return nil, nil
	}
	all, err := s.store.Reader().Instance.Query().Where(instance.IDIn(ids...)).
		Select(instance.FieldID, instance.FieldApplicationID, instance.FieldGroupID, instance.FieldMachineID, instance.FieldVersion).All(ctx)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	slices.SortStableFunc(all, func(a, b *db.Instance) int {
		return slices.Index(forms, a.MachineID) - slices.Index(forms, b.MachineID)
	})
	seen := map[uuid.UUID]bool{}
	return slices.DeleteFunc(all, func(m *db.Instance) bool {
		again := seen[m.ApplicationID]
		seen[m.ApplicationID] = true
		return again
	}), nil
}

// rows reads rows without a lock.
func (s *Service) rows(ctx context.Context, where ...predicate.RebootSlot) ([]*db.RebootSlot, error) {
	return s.store.Reader().RebootSlot.Query().Where(where...).Order(rebootslot.ByID()).Limit(100).All(ctx)
}

// admits checks the secret and the certificate of a request to a group.
func admits(g *catalog.Group, r *Request, machine string, now time.Time) error {
	if machine == "" {
		machine = r.Client
	}
	if g.Certify(r.Certificate, machine, now) != catalog.VerdictOK {
		return fault.Errorf(fault.Forbidden, "", "the connection needs a client certificate that names the machine of the request")
	}
	if _, v := g.Identify(r.Secret, now); v != catalog.VerdictOK {
		return fault.Errorf(fault.Forbidden, "", "the request needs a machine secret that is right for its group")
	}
	return nil
}
