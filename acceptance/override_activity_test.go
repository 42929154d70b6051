package acceptance

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db/activity"
	bus "github.com/coreroller/coreroller/event"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/job"
	"github.com/coreroller/coreroller/fleet/view/machines"
	"github.com/coreroller/coreroller/rollout"
)

// overrides returns the activities about overrides in a group, oldest first.
func (s *site) overrides(group uuid.UUID) (texts []string) {
	s.t.Helper()
	rows, err := s.store.Reader().Activity.Query().
		Where(activity.GroupID(group), activity.KindGTE(rollout.ActivityMachinesHeld), activity.KindLTE(rollout.ActivityMachinesMoved)).
		Order(activity.ByID()).All(s.ctx)
	s.ok(err)
	for _, a := range rows {
		if a.Actor != operator || a.Severity != rollout.SeverityInfo || (a.MachineID == "") != (a.InstanceID == nil) {
			s.t.Errorf("activity %+v", a)
		}
		texts = append(texts, fmt.Sprintf("%d %s|%s", a.Kind, a.MachineID, a.Detail))
	}
	return texts
}

func (s *site) overrideTexts(group uuid.UUID, want ...string) {
	s.t.Helper()
	if got := s.overrides(group); !slices.Equal(got, want) {
		s.t.Errorf("activities\n%q, want\n%q", got, want)
	}
}

// Charts mark overrides of machines and the blacklist besides the changes of the group.
func TestOverridesOfOneMachineAreMarked(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		other := s.newGroup("Other", "o", casePolicy())
		s.holds("m", "2.0.0", "up_to_date")
		id, end := s.instanceID("m"), s.clock.Now().Add(time.Hour)
		_, err := s.HoldInstance(s.ctx, fleet.HoldInstance{ID: id, Reason: "rack 7", Until: &end})
		s.ok(err)
		_, err = s.PinInstance(s.ctx, fleet.PinInstance{ID: id, Version: "2.0.0"})
		s.ok(err)
		_, err = s.ReleaseInstance(s.ctx, fleet.ReleaseInstance{ID: id, Reason: "repaired"})
		s.ok(err)
		_, err = s.MoveInstance(s.ctx, fleet.MoveInstance{ID: id, GroupID: &other, Reason: "tests"})
		s.ok(err)
		_, err = s.MoveInstance(s.ctx, fleet.MoveInstance{ID: id})
		s.ok(err)
		moved := "22 m|moved to group Other by olga: tests"
		s.overrideTexts(s.group,
			"19 m|held by olga until "+end.UTC().Format("2 Jan 2006 15:04 UTC")+": rack 7", "20 m|pinned to 2.0.0 by olga", "21 m|released by olga: repaired", moved)
		s.overrideTexts(other, moved, "22 m|moved to the group of the track by olga")

		_, err = s.BlacklistPackage(s.ctx, fleet.BlacklistPackage{ChannelID: s.channel, PackageID: s.pkg("1.9.0"), Reason: "broken"})
		s.ok(err)
		now := s.clock.Now()
		line, err := s.View.Timeline(s.ctx, s.group, now.Add(-time.Hour), now.Add(time.Second))
		s.ok(err)
		var kinds []rollout.ActivityKind
		for _, a := range line.Marks {
			kinds = append(kinds, a.Kind)
		}
		want := []rollout.ActivityKind{
			rollout.ActivityMachinesHeld, rollout.ActivityMachinesPinned, rollout.ActivityMachinesReleased, rollout.ActivityMachinesMoved, rollout.ActivityPackageBlacklisted,
		}
		if n := len(kinds) - len(want); n < 0 || !slices.Equal(kinds[n:], want) {
			t.Errorf("marks %v, want at the end %v", kinds, want)
		}
	})
}

// A job of several batches has one activity in each group, with the machines that it
// changed there.
func TestJobHasOneActivityPerGroup(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		const n = 210 // two batches
		atOnce(7, func(i int) {
			for k := i; k < n; k += 7 {
				s.check(fmt.Sprint("m", k), "2.0.0")
			}
		})
		other := s.newGroup("Other", "o", casePolicy())
		_, err := s.MoveInstance(s.ctx, fleet.MoveInstance{ID: s.instanceID("m5"), GroupID: &other})
		s.ok(err)
		before := [2][]string{s.overrides(s.group), s.overrides(other)}
		app := machines.Filter{Application: &s.app}
		s.job(app, job.Order{Action: job.Hold})
		s.job(app, job.Order{Action: job.Hold}) // changes no machine
		s.job(app, job.Order{Action: job.Release})
		s.job(s.inG(), job.Order{Action: job.Move, GroupID: &other})
		moved := "22 |209 machines moved to group Other by olga: maintenance"
		s.overrideTexts(s.group, append(before[0], "19 |209 machines held by olga: maintenance", "21 |209 machines released by olga: maintenance", moved)...)
		s.overrideTexts(other, append(before[1], "19 |1 machine held by olga: maintenance", "21 |1 machine released by olga: maintenance", moved)...)
	})
}

// A stopped job has the activity of the machines that it reached, a continued one of the
// rest.
func TestStoppedJobHasItsActivity(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		const n = 210
		atOnce(7, func(i int) {
			for k := i; k < n; k += 7 {
				s.check(fmt.Sprint("m", k), "2.0.0")
			}
		})
		row := s.startJob(s.inG(), job.Order{Action: job.Hold})
		ctx, cancel := context.WithCancel(s.ctx)
		sub := s.store.Bus().Subscribe(func(e bus.Event) bool { // called before the next batch
			if e.Kind == bus.JobChanged {
				cancel()
			}
			return false
		})
		defer sub.Close()
		_ = s.WorkJobs(ctx)
		if row = s.jobRow(row.ID); row.Done != 200 || len(s.overrides(s.group)) != 0 {
			t.Fatalf("the job is %+v, activities %q", row, s.overrides(s.group))
		}
		_, err := s.StopMachineJob(s.ctx, fleet.StopMachineJob{ID: row.ID, Reason: "lunch"})
		s.ok(err)
		first := "19 |200 machines held by olga: maintenance"
		s.overrideTexts(s.group, first)
		_, err = s.RetryMachineJob(s.ctx, fleet.RetryMachineJob{ID: row.ID})
		s.ok(err)
		s.ok(s.WorkJobs(s.ctx))
		s.overrideTexts(s.group, first, "19 |10 machines held by olga: maintenance")
	})
}
