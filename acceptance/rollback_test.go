package acceptance

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/activity"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/view"
	"github.com/coreroller/coreroller/rollout"
)

// badRollout brings 2.1.0 to a and b, c downloads it, d was offered it, e runs 2.2.0 by
// hand and f runs 1.0.0. Then the rollout is halted.
func (s *site) badRollout() {
	s.t.Helper()
	s.policy(func(p *rollout.Policy) { p.MaxUpdatesPerPeriod, p.MaxConcurrentUpdates = 10, 10 })
	s.promote("2.1.0")
	for _, machine := range []string{"a", "b"} {
		s.grants(machine, "2.0.0", "2.1.0")
		s.updates(machine, "2.0.0", "2.1.0")
	}
	s.grants("c", "2.0.0", "2.1.0")
	s.reports("c", "2.0.0", "13/1")
	s.grants("d", "2.0.0", "2.1.0")
	s.holds("e", "2.2.0", "up_to_date")
	s.halt("smoke in the rack")
	s.holds("f", "1.0.0", "halted")
	s.policy(func(p *rollout.Policy) { p.MaxUpdatesPerPeriod, p.MaxConcurrentUpdates = 1, 10 })
	s.advance(15 * time.Minute)
}

// rollBack rolls C back to 2.0.0.
func (s *site) rollBack(d catalog.Downgrade) (*db.Channel, error) {
	return s.RollBack(s.ctx, fleet.RollBack{
		GroupID: &s.group, ToPackageID: s.pkg("2.0.0"), Reason: "it burns", BlacklistCurrent: true, Downgrade: d,
	})
}

func TestRollBackLeavesMachinesOnTheBadVersionUnlessOrdered(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.badRollout()
		row, err := s.rollBack(catalog.DowngradeNever)
		s.ok(err)
		if row.PackageID == nil || *row.PackageID != s.pkg("2.0.0") || row.PromotedBy != operator {
			t.Errorf("the channel points to %v", row.PackageID)
		}
		s.holds("a", "2.1.0", "up_to_date")
		s.decisionContains("a", "a higher version than the target 2.0.0")
		s.holds("d", "2.0.0", "up_to_date") // its offer is withdrawn
		s.attemptsEnded("d", rollout.OutcomeWithdrawn)
		s.grants("f", "1.0.0", "2.0.0")
		_, err = s.PromotePackage(s.ctx, fleet.PromotePackage{ChannelID: s.channel, PackageID: new(s.pkg("2.1.0"))})
		s.refusedField(err, fault.Conflict, "packageId")
		if err == nil || !strings.Contains(err.Error(), "it burns") {
			t.Errorf("refused with %v", err)
		}
		backs, err := s.store.Reader().Activity.Query().Where(activity.ChannelID(s.channel), activity.Kind(rollout.ActivityRolledBack)).All(s.ctx)
		s.ok(err)
		if len(backs) != 1 || backs[0].Detail != "it burns" || backs[0].Version != "2.0.0" {
			t.Errorf("activities %v", backs)
		}
		s.promotionsAre("2.0.0 rolled back: it burns", "2.1.0", "2.0.0")
	})
}

// Machines on the bad version go down, and only they, within the caps of the policy.
func TestRollBackWithDowngrade(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.badRollout()
		_, err := s.rollBack(catalog.DowngradeBlacklisted)
		s.ok(err)
		s.holds("e", "2.2.0", "up_to_date") // above, and not recalled
		s.grants("a", "2.1.0", "2.0.0")
		s.decisionContains("a", "an ordered downgrade from the recalled 2.1.0")
		s.on(1).holds("b", "2.1.0", "period_limit")
		s.holds("d", "2.0.0", "up_to_date")
		s.reports("c", "2.0.0", "14/1", "3/1") // under way: cannot be recalled
		s.holds("c", "2.1.0", "period_limit", "3/2 from 2.0.0")
		s.is("c", rollout.StateOnHold)
		s.reports("a", "2.1.0", "13/1", "14/1", "3/1")
		s.holds("a", "2.1.0", "update_in_progress")
		s.holds("a", "2.0.0", "up_to_date", "3/2 from 2.1.0")
		s.is("a", rollout.StateComplete)
		s.attemptsEnded("a", rollout.OutcomeSucceeded, rollout.OutcomeSucceeded)
		s.rolloutIs(rollout.RolloutActive)
		for _, m := range []struct{ id, version string }{{"b", "2.1.0"}, {"c", "2.1.0"}, {"f", "1.0.0"}} {
			s.advance(15 * time.Minute)
			s.on(1).grants(m.id, m.version, "2.0.0")
			s.holds(m.id, "2.0.0", "up_to_date")
		}
		s.rolloutIs(rollout.RolloutCompleted)
		s.funnel(rollout.Counts{Granted: 4, Downloading: 4, Downloaded: 4, Installed: 4, Succeeded: 4})
		// A machine that goes back to the bad version by itself has failed.
		s.holds("b", "2.1.0", "quarantined")
		s.attemptsEnded("b", rollout.OutcomeSucceeded, rollout.OutcomeRolledBack)
	}, servers(2))
}

// The order can be given after the roll back, and taken back.
func TestDowngradeIsOrderedAndLiftedLater(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.badRollout()
		_, err := s.rollBack(catalog.DowngradeNever)
		s.ok(err)
		s.holds("a", "2.1.0", "up_to_date")
		order := fleet.BlacklistPackage{ChannelID: s.channel, PackageID: s.pkg("2.1.0"), Downgrade: catalog.DowngradeBlacklisted}
		_, err = s.BlacklistPackage(s.ctx, order)
		s.ok(err)
		_, err = s.BlacklistPackage(s.ctx, order)
		s.refusedField(err, fault.Conflict, "packageId")
		s.grants("a", "2.1.0", "2.0.0")
		s.advance(15 * time.Minute)
		s.grants("b", "2.1.0", "2.0.0")
		s.reports("b", "2.1.0", "13/1")
		_, err = s.UnblacklistPackage(s.ctx, fleet.UnblacklistPackage{ChannelID: s.channel, PackageID: s.pkg("2.1.0")})
		s.ok(err)
		s.holds("a", "2.1.0", "up_to_date") // had not begun
		s.holds("b", "2.0.0", "up_to_date") // was under way
		s.is("b", rollout.StateComplete)
		s.holds("b", "2.1.0", "up_to_date") // by hand, which is no failure now
		s.is("b", rollout.StateComplete)
	})
}

func TestRollBackIsRefused(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.promote("2.1.0")
		other := s.packageOf(s.kind, "3.0.0")
		valid := fleet.RollBack{GroupID: &s.group, ToPackageID: s.pkg("2.0.0"), Reason: "it burns", BlacklistCurrent: true}
		alone := s.newGroup("alone", "alone", casePolicy())
		_, err := s.UpdateGroup(s.ctx, fleet.UpdateGroup{ID: alone, SetChannel: true})
		s.ok(err)
		for name, c := range map[string]struct {
			change func(in *fleet.RollBack)
			code   fault.Code
			field  string
		}{
			"no reason":             {func(in *fleet.RollBack) { in.Reason = "" }, fault.Invalid, "reason"},
			"both":                  {func(in *fleet.RollBack) { in.ChannelID = &s.channel }, fault.Invalid, ""},
			"neither":               {func(in *fleet.RollBack) { in.GroupID = nil }, fault.Invalid, ""},
			"unknown group":         {func(in *fleet.RollBack) { in.GroupID = new(uuid.New()) }, fault.NotFound, "groupId"},
			"group without channel": {func(in *fleet.RollBack) { in.GroupID = &alone }, fault.Conflict, "groupId"},
			"unknown package":       {func(in *fleet.RollBack) { in.ToPackageID = uuid.New() }, fault.NotFound, "packageId"},
			"higher package":        {func(in *fleet.RollBack) { in.ToPackageID = other }, fault.Invalid, "toPackageId"},
			"the same package":      {func(in *fleet.RollBack) { in.ToPackageID = s.pkg("2.1.0") }, fault.Conflict, "toPackageId"},
			"downgrade alone": {func(in *fleet.RollBack) {
				in.BlacklistCurrent, in.Downgrade = false, catalog.DowngradeBlacklisted
			}, fault.Invalid, "downgrade"},
			"another revision": {func(in *fleet.RollBack) { in.ExpectedRevision = new(int64(99)) }, fault.Conflict, "expectedRevision"},
		} {
			in := valid
			c.change(&in)
			if _, err := s.RollBack(s.ctx, in); fault.CodeOf(err) != c.code {
				t.Errorf("%s: %v, want %s", name, err, c.code)
			} else {
				s.refusedField(err, c.code, c.field)
			}
		}
		s.grants("m", "1.0.0", "2.1.0") // nothing was changed
	})
}

// Two people roll back at once: one of them gets a conflict.
func TestTwoRollBacksAtOnce(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.pkg("1.0.0")
		s.promote("2.1.0")
		saw, done := s.channelRow().Revision, make([]error, 2)
		atOnce(2, func(i int) {
			_, done[i] = s.on(i).RollBack(s.ctx, fleet.RollBack{
				ChannelID: &s.channel, ToPackageID: s.pkg([]string{"1.0.0", "2.0.0"}[i]), Reason: "it burns", BlacklistCurrent: true, ExpectedRevision: &saw,
			})
		})
		s.refusedField(errors.Join(done...), fault.Conflict, "expectedRevision")
		if row := s.channelRow(); row.Revision != saw+1 {
			t.Errorf("revision %d, want %d", row.Revision, saw+1)
		}
	}, servers(2))
}

// A channel also changes with the packages on its blacklist, and with a deleted package.
func TestChannelIsRevisedByChangesOfItsPackages(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		other := s.pkg("1.9.0")
		saw := s.channelRow().Revision
		for _, channels := range [][]uuid.UUID{{s.channel}, {}, {s.channel}} {
			_, err := s.UpdatePackage(s.ctx, fleet.UpdatePackage{ID: other, Blacklist: channels})
			s.ok(err)
			if saw++; s.channelRow().Revision != saw {
				t.Errorf("revision %d after the blacklist was %v, want %d", s.channelRow().Revision, channels, saw)
			}
		}
		s.ok(s.DeletePackage(s.ctx, fleet.DeletePackage{ID: other, Force: true}))
		s.ok(s.DeletePackage(s.ctx, fleet.DeletePackage{ID: s.pkg("2.0.0"), Force: true}))
		if got := s.channelRow().Revision; got != saw+2 {
			t.Errorf("revision %d after two packages were deleted, want %d", got, saw+2)
		}
		s.promotionsAre("", "2.0.0")
	})
}

// A floor above the package to go back to goes with the package.
func TestRollBackRemovesTheFloor(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.promote("2.1.0")
		s.floor("2.1.0", "new partition table")
		if out := s.rollBackImpact(catalog.DowngradeNever); !strings.Contains(strings.Join(out.Warnings, ";"), "the floor is removed") {
			t.Errorf("warnings %q", out.Warnings)
		}
		_, err := s.rollBack(catalog.DowngradeNever)
		s.ok(err)
		s.promote("3.0.0")
		s.grants("m", "2.0.0", "3.0.0")
	})
}

func TestRollBackImpactCountsEveryMachineOnce(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.badRollout()
		s.newGroup("H", "h", casePolicy())
		s.onTrack("h", "z", "2.1.0")
		never, ordered := s.rollBackImpact(catalog.DowngradeNever), s.rollBackImpact(catalog.DowngradeBlacklisted)
		for _, out := range []*view.RollBackImpact{never, ordered} {
			got := map[view.RollBackKind]int{}
			for _, k := range out.Kinds {
				got[k.Kind] = k.Machines
			}
			want := map[view.RollBackKind]int{
				view.RollBackOnCurrent: 2, view.RollBackUnderWay: 1, view.RollBackOffered: 1, view.RollBackAbove: 1, view.RollBackBelow: 1,
			}
			for kind, n := range want {
				if got[kind] != n {
					t.Errorf("%d machines are %s, want %d", got[kind], kind, n)
				}
			}
			if out.Machines != 6 || len(got) != len(want) {
				t.Errorf("%d machines in %v", out.Machines, got)
			}
			if len(out.Others) != 1 || out.Others[0].Machines != 1 || out.Others[0].OnCurrent != 1 {
				t.Errorf("other groups: %+v", out.Others)
			}
		}
		if never.Moving != 1 || ordered.Moving != 3 {
			t.Errorf("%d and %d machines move, want 1 and 3", never.Moving, ordered.Moving)
		}
	})
}

func (s *site) rollBackImpact(d catalog.Downgrade) *view.RollBackImpact {
	s.t.Helper()
	out, err := s.View.RollBackImpact(s.ctx, view.RollBack{GroupID: &s.group, ToPackageID: s.pkg("2.0.0"), Blacklist: true, Downgrade: d})
	s.ok(err)
	return out
}

func (s *site) channelRow() *db.Channel {
	s.t.Helper()
	row, err := s.View.Channel(s.ctx, s.channel, nil)
	s.ok(err)
	return row
}

// promotionsAre checks what C was pointed to, the latest first.
func (s *site) promotionsAre(want ...string) {
	s.t.Helper()
	rows, err := s.View.Promotions(s.channel).Rows(s.ctx, 10)
	s.ok(err)
	var got []string
	for i, row := range rows {
		text := row.Version
		if row.RolledBack {
			text += " rolled back: " + row.Reason
		}
		if (row.EndedAt == nil) != (i == 0) {
			s.t.Errorf("%s ended at %v", row.Version, row.EndedAt)
		}
		got = append(got, text)
	}
	if strings.Join(got, "; ") != strings.Join(want, "; ") {
		s.t.Errorf("the channel pointed to %q, want %q", got, want)
	}
}
