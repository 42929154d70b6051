package acceptance

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/application"
	"github.com/coreroller/coreroller/ent/db/group"
	"github.com/coreroller/coreroller/ent/db/grouprollout"
	"github.com/coreroller/coreroller/ent/db/historyentry"
	"github.com/coreroller/coreroller/ent/db/instance"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/view"
	lists "github.com/coreroller/coreroller/fleet/view/machines"
)

// conflicts checks that a deletion is refused and names what relies on the object,
// as the preview of the deletion does.
func (s *site) conflicts(err error, what view.Deletion, named ...string) {
	s.t.Helper()
	s.refusedField(err, fault.Conflict, "id")
	impact, e := s.View.DeletionImpact(s.ctx, what)
	s.ok(e)
	for _, text := range named {
		if err == nil || !strings.Contains(err.Error(), text) || !strings.Contains(strings.Join(impact.Warnings, "; "), text) {
			s.t.Errorf("refused with %v, previewed with %q, want %q", err, impact.Warnings, text)
		}
	}
}

func TestCase53_DeletingAPackageNamesWhatReliesOnIt(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		old, floor := s.pkg("2.0.0"), s.pkg("1.5.0")
		s.grants("m", "1.0.0", "2.0.0")
		remove := func(id uuid.UUID, force bool) error {
			return s.DeletePackage(s.ctx, fleet.DeletePackage{ID: id, Force: force})
		}
		s.conflicts(remove(old, false), view.Deletion{PackageID: &old}, `channel "C" points to it`, "1 machine may still install it")
		s.promote("3.0.0")
		s.conflicts(remove(old, false), view.Deletion{PackageID: &old}, "1 machine may still install it")
		s.floor("1.5.0", "schema")
		s.conflicts(remove(floor, false), view.Deletion{PackageID: &floor}, `it is a floor of channel "C"`)
		_, err := s.BlacklistPackage(s.ctx, fleet.BlacklistPackage{ChannelID: s.channel, PackageID: old, Reason: "bad"})
		s.ok(err)
		s.conflicts(remove(old, false), view.Deletion{PackageID: &old}, `channel "C" blacklists it`)
		s.grants("n", "1.0.0", "1.5.0")
		s.ok(remove(old, true))
		s.ok(remove(floor, true))
		s.grants("n", "1.0.0", "3.0.0") // the floor is gone, and with it the offer
		free := s.pkg("4.0.0")
		s.ok(remove(free, false))
		s.recount()
	})
}

func TestCase53_DeletingChannelGroupAndApplicationNamesWhatReliesOnThem(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.grants("m", "1.0.0", "2.0.0")
		s.conflicts(s.DeleteChannel(s.ctx, fleet.DeleteChannel{ID: s.channel}), view.Deletion{ChannelID: &s.channel}, `group "G" follows it`)
		s.conflicts(s.DeleteGroup(s.ctx, fleet.DeleteGroup{ID: s.group}), view.Deletion{GroupID: &s.group}, `group "G" has 1 machine`)
		s.conflicts(s.DeleteApplication(s.ctx, fleet.DeleteApplication{ID: s.app}), view.Deletion{ApplicationID: &s.app}, `group "G" has 1 machine`)
		empty := s.newGroup("empty", "empty", casePolicy())
		s.ok(s.DeleteGroup(s.ctx, fleet.DeleteGroup{ID: empty}))

		s.ok(s.DeleteChannel(s.ctx, fleet.DeleteChannel{ID: s.channel, Force: true}))
		s.holds("m", "1.0.0", "no_package")
		s.inFlight(0)
		s.ok(s.DeleteGroup(s.ctx, fleet.DeleteGroup{ID: s.group, Force: true}))
		if m := s.instance("m"); m.GroupID != nil {
			t.Errorf("the machine is in group %v", m.GroupID)
		}
		s.ok(s.DeleteApplication(s.ctx, fleet.DeleteApplication{ID: s.app})) // no machine is in a group
	})
}

// second returns the error of a call.
func second[T any](_ T, err error) error { return err }

// left counts the rows of the application, machines first.
func (s *site) left() (machines, applications int) {
	s.t.Helper()
	machines, err := s.server.store.Reader().Instance.Query().Where(instance.ApplicationID(s.app)).Count(s.ctx)
	s.ok(err)
	applications, err = s.server.store.Reader().Application.Query().Where(application.ID(s.app)).Count(s.ctx)
	s.ok(err)
	return machines, applications
}

// A deletion answers at once. It deletes machines in small transactions, between which
// other applications are served, and another process completes it.
func TestDeletionOfALargeApplicationRunsInBatches(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		other := s.fill("B", newSetup(nil))
		for i := range 650 {
			s.check(fmt.Sprintf("m%d", i), "2.0.0")
		}
		group, pkg, machine := s.group, s.packages["2.0.0"], s.instance("m1").ID
		s.ok(s.DeleteApplication(s.ctx, fleet.DeleteApplication{ID: s.app, Force: true}))
		machines, rows := s.left()
		if machines == 0 || machines == 650 || rows != 1 {
			t.Fatalf("%d of 650 machines and %d application are left after the request", machines, rows)
		}

		// It is unknown to machines, on no list, and not found.
		if a := s.check("m1", "1.0.0"); a.Status != "error-unknownApplication" {
			t.Errorf("a machine of the deleted application was answered %s", a)
		}
		all, err := s.View.Applications(s.ctx, nil)
		s.ok(err)
		if slices.ContainsFunc(all, func(a *db.Application) bool { return a.ID == s.app }) {
			t.Error("the deleted application is listed")
		}
		if list, err := s.View.Machines(s.ctx, lists.List{Limit: 500}, nil); err != nil || len(list) != 0 {
			t.Errorf("%d machines of the deleted application are listed (%v)", len(list), err)
		}
		if n, err := s.View.FleetNumbers(s.ctx); err != nil || n.Total != 0 {
			t.Errorf("the fleet has %+v (%v)", n, err)
		}
		for what, read := range map[string]func() error{
			"application": func() error { return second(s.View.Application(s.ctx, s.app, nil)) },
			"group":       func() error { return second(s.View.Group(s.ctx, group, nil)) },
			"package":     func() error { return second(s.View.Package(s.ctx, pkg, nil)) },
			"channel":     func() error { return second(s.View.Channel(s.ctx, s.channel, nil)) },
			"machine":     func() error { return second(s.View.Instance(s.ctx, machine, nil)) },
			"pause":       func() error { return second(s.PauseUpdates(s.ctx, fleet.PauseUpdates{GroupID: group})) },
			"copy": func() error {
				return second(s.CreateApplication(s.ctx, fleet.CreateApplication{Name: "copy", CloneFrom: &s.app}))
			},
			"again": func() error { return s.DeleteApplication(s.ctx, fleet.DeleteApplication{ID: s.app}) },
		} {
			if err := read(); fault.CodeOf(err) != fault.NotFound {
				t.Errorf("%s: %v, want not found", what, err)
			}
		}
		// Its name is free.
		s.ok(second(s.CreateApplication(s.ctx, fleet.CreateApplication{Name: "A"})))

		// One transaction deletes a bounded number of machines.
		gone, err := s.server.store.DropApplication(s.ctx, s.clock.Now(), s.app, 1)
		s.ok(err)
		after, _ := s.left()
		if gone || machines-after > 200 {
			t.Errorf("one transaction deleted %d machines", machines-after)
		}
		other.grants("m1", "1.0.0", "2.0.0")

		// Another process goes on after this one was killed.
		s.join()
		next := s.on(len(s.servers) - 1)
		next.work()
		if machines, rows := s.left(); machines != 0 || rows != 0 {
			t.Errorf("%d machines and %d application are left", machines, rows)
		}
		if n, err := s.server.store.Reader().HistoryEntry.Query().Where(historyentry.InstanceID(machine)).Count(s.ctx); err != nil || n != 0 {
			t.Errorf("%d history entries are left (%v)", n, err)
		}
		other.holds("m1", "2.0.0", "up_to_date")
	})
}

// The machines of a large group leave it in small transactions. Meanwhile the group is
// unknown, and its machines and the other groups go on.
func TestDeletionOfALargeGroupRunsInBatches(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		other := s.newGroup("other", "other", casePolicy())
		for i := range 650 {
			s.check(fmt.Sprintf("m%d", i), "2.0.0")
		}
		s.grants("under way", "1.0.0", "2.0.0")
		s.advance(time.Minute)
		s.work()                                                                                            // points of the statistics
		s.ok(second(s.MoveInstance(s.ctx, fleet.MoveInstance{ID: s.instance("m9").ID, GroupID: &s.group}))) // whatever track it sends
		rollout, err := s.server.store.Reader().GroupRollout.Query().Where(grouprollout.GroupID(s.group)).FirstID(s.ctx)
		s.ok(err)
		s.ok(s.DeleteGroup(s.ctx, fleet.DeleteGroup{ID: s.group, Force: true}))
		in := func() int {
			n, err := s.server.store.Reader().Instance.Query().Where(instance.GroupID(s.group)).Count(s.ctx)
			s.ok(err)
			return n
		}
		left := in()
		if left == 0 || left == 651 {
			t.Fatalf("%d of 651 machines are left after the request", left)
		}

		for what, read := range map[string]func() error{
			"group":   func() error { return second(s.View.Group(s.ctx, s.group, nil)) },
			"rollout": func() error { return second(s.View.Rollout(s.ctx, rollout, nil)) },
			"pause":   func() error { return second(s.PauseUpdates(s.ctx, fleet.PauseUpdates{GroupID: s.group})) },
			"move": func() error {
				return second(s.MoveInstance(s.ctx, fleet.MoveInstance{ID: s.instance("m1").ID, GroupID: &s.group}))
			},
			"again": func() error { return s.DeleteGroup(s.ctx, fleet.DeleteGroup{ID: s.group, Force: true}) },
		} {
			if err := read(); fault.CodeOf(err) != fault.NotFound {
				t.Errorf("%s: %v, want not found", what, err)
			}
		}
		groups, err := s.View.GroupIDs(s.ctx, s.app)
		s.ok(err)
		if len(groups) != 1 || groups[0] != other {
			t.Errorf("the application has the groups %v", groups)
		}

		copied, err := s.CreateApplication(s.ctx, fleet.CreateApplication{Name: "copy", CloneFrom: &s.app})
		s.ok(err)
		if groups, err := s.View.GroupIDs(s.ctx, copied.ID); err != nil || len(groups) != 1 {
			t.Errorf("the copy has %d groups (%v)", len(groups), err)
		}

		// Machines join the group of their track, and name and track are free.
		if a := s.onTrack("other", "under way", "1.0.0"); a.offered() != "2.0.0" {
			t.Errorf("the machine that was updating was answered %s", a)
		}
		s.onTrack("other", "m9", "2.0.0")
		for _, machine := range []string{"under way", "m9"} {
			if m := s.instance(machine); m.GroupID == nil || *m.GroupID != other {
				t.Errorf("%s is in group %v", machine, m.GroupID)
			}
		}
		again := s.newGroup("G", "t", casePolicy())
		s.holds("m649", "2.0.0", "up_to_date")
		if m := s.instance("m649"); m.GroupID == nil || *m.GroupID != again {
			t.Errorf("the machine is in group %v", m.GroupID)
		}

		// Another process goes on after this one was killed.
		before := in()
		gone, err := s.server.store.DropGroup(s.ctx, s.clock.Now(), s.group, 1)
		s.ok(err)
		if now := in(); gone || before-now > 200 {
			t.Errorf("one transaction moved %d machines", before-now)
		}
		s.join()
		s.on(len(s.servers) - 1).work()
		if exists, err := s.server.store.Reader().Group.Query().Where(group.ID(s.group)).Exist(s.ctx); err != nil || exists || in() != 0 {
			t.Errorf("%d machines are in the group, which exists: %t (%v)", in(), exists, err)
		}
		if machines, _ := s.left(); machines != 651 {
			t.Errorf("%d of 651 machines exist", machines)
		}
		s.group = again
		s.recount()
	})
}

// A group or an application that is not deleted loses nothing.
func TestOnlyDeletedGroupsAndApplicationsAreDropped(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.grants("m", "1.0.0", "2.0.0")
		s.advance(time.Minute)
		s.work()
		s.ok(second(s.server.store.DropGroup(s.ctx, s.clock.Now(), s.group, 3)))
		s.ok(second(s.server.store.DropApplication(s.ctx, s.clock.Now(), s.app, 3)))
		if n, err := s.server.store.Reader().StatPoint.Query().Count(s.ctx); err != nil || n == 0 {
			t.Errorf("%d points are left (%v)", n, err)
		}
		s.work()
		if machines, rows := s.left(); machines != 1 || rows != 1 {
			t.Errorf("%d machines and %d applications are left", machines, rows)
		}
	})
}
