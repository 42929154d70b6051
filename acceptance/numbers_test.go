package acceptance

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db/instance"
	"github.com/coreroller/coreroller/ent/db/predicate"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/view"
	"github.com/coreroller/coreroller/rollout"
)

// The API tests cover the lists; this test covers their totals.
func TestCase52_TotalsMatchTheMachines(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		h := *s
		h.group = s.newGroup("H", "h", casePolicy())
		s.check("a", "1.0.0")
		s.check("b", "1.0.0")
		s.check("c", "1.0.0")
		s.check("d", "2.0.0")
		s.reports("b", "1.0.0", "3/0 10")
		s.advance(10 * time.Hour)
		r := s.checking("e", "2.0.0")
		r.track = "h"
		s.ask(r)

		now := s.clock.Now()
		for _, test := range []struct {
			name  string
			where []predicate.Instance
			want  int
		}{
			{"group", []predicate.Instance{instance.GroupID(s.group)}, 4},
			{"state", []predicate.Instance{instance.GroupID(s.group), instance.StateEQ(rollout.StateOnHold)}, 1},
			{"version", []predicate.Instance{instance.GroupID(s.group), instance.Version("2.0.0")}, 1},
			{"seen in the last hour", []predicate.Instance{instance.GroupID(s.group), instance.LastSeenAtGT(now.Add(-time.Hour))}, 0},
			{"other group", []predicate.Instance{instance.GroupID(h.group), instance.LastSeenAtGT(now.Add(-time.Hour))}, 1},
			{"application", []predicate.Instance{instance.ApplicationID(s.app)}, 5},
		} {
			got, err := s.store.Reader().Instance.Query().Where(test.where...).Count(s.ctx)
			s.ok(err)
			if got != test.want {
				t.Errorf("%s: %d machines, want %d", test.name, got, test.want)
			}
		}
		s.counts("G", s.numbers().Numbers, view.Numbers{Total: 4, Active: 4, OnTarget: 1, InFlight: 1, Waiting: 1, Failed: 1})
		s.counts("H", h.numbers().Numbers, view.Numbers{Total: 1, Active: 1, OnTarget: 1})
		all, err := s.View.ApplicationNumbers(s.ctx, []uuid.UUID{s.app})
		s.ok(err)
		s.counts("A", *all[s.app], view.Numbers{Total: 5, Active: 5, OnTarget: 2, InFlight: 1, Waiting: 1, Failed: 1})

		r = s.checking("c", "1.0.0") // c sends the track of the other group
		r.track = "h"
		s.ask(r)
		s.advance(15 * time.Hour)
		s.work()
		// The attempt in flight has timed out; c and e were seen 15 hours ago.
		s.counts("G 15 hours later", s.numbers().Numbers, view.Numbers{Total: 3, Silent: 3})
		s.counts("H 15 hours later", h.numbers().Numbers, view.Numbers{Total: 2, Active: 2, OnTarget: 1, Failed: 1})
		everything, err := s.View.FleetNumbers(s.ctx)
		s.ok(err)
		s.counts("everything", *everything, view.Numbers{Total: 5, Active: 2, OnTarget: 1, Failed: 1, Silent: 3})
		s.ok(s.DeleteGroup(s.ctx, fleet.DeleteGroup{ID: s.group, Force: true}))
		everything, err = s.View.FleetNumbers(s.ctx)
		s.ok(err)
		s.counts("everything without G", *everything, view.Numbers{Total: 2, Active: 2, OnTarget: 1, Failed: 1})
	})
}

func (s *site) counts(what string, got, want view.Numbers) {
	s.t.Helper()
	got.AsOf, got.ByVersion = want.AsOf, nil
	if got.Total != want.Total || got.Active != want.Active || got.OnTarget != want.OnTarget || got.InFlight != want.InFlight ||
		got.Waiting != want.Waiting || got.Failed != want.Failed || got.Silent != want.Silent || got.Quarantined != 0 || got.Overridden != 0 {
		s.t.Errorf("%s: %+v, want %+v", what, got, want)
	}
}
