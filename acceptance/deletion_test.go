package acceptance

import (
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/view"
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
