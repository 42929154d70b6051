package acceptance

import (
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/machinejobitem"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/account"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/job"
	"github.com/coreroller/coreroller/fleet/view/machines"
	"github.com/coreroller/coreroller/rollout"
)

// inG is the filter of most jobs: the machines of group G.
func (s *site) inG() machines.Filter { return machines.Filter{Group: &s.group} }

func (s *site) startJob(f machines.Filter, o job.Order) *db.MachineJob {
	s.t.Helper()
	row, err := s.StartMachineJob(s.ctx, fleet.StartMachineJob{Filter: f, Action: o, Reason: "maintenance"})
	s.ok(err)
	return row
}

// job previews a job, runs it and checks that the preview was right. It returns the
// results by machine.
func (s *site) job(f machines.Filter, o job.Order) (row *db.MachineJob, results map[string]*db.MachineJobItem) {
	s.t.Helper()
	before, err := s.View.JobImpact(s.ctx, f, o)
	s.ok(err)
	row = s.startJob(f, o)
	s.ok(s.WorkJobs(s.ctx))
	row, results = s.jobRow(row.ID), s.results(row.ID)
	if row.State != string(job.Finished) || job.PendingOf(row) != 0 {
		s.t.Errorf("the job is %+v", row)
	}
	if !before.Exact || before.Machines != row.Machines || before.Now != row.Done || before.AfterUpdate != row.AfterUpdate || before.Skipped != row.Skipped || before.Failing != row.Failed {
		s.t.Errorf("preview %+v, job %+v", before, row)
	}
	return row, results
}

func (s *site) jobRow(id uuid.UUID) *db.MachineJob {
	s.t.Helper()
	row, err := s.View.MachineJob(s.ctx, id)
	s.ok(err)
	return row
}

// results returns the machines of a job by machine id. It checks that the counts of
// the job are theirs.
func (s *site) results(id uuid.UUID) map[string]*db.MachineJobItem {
	s.t.Helper()
	row := s.jobRow(id)
	items, err := s.store.Reader().MachineJobItem.Query().Where(machinejobitem.JobID(id)).All(s.ctx)
	s.ok(err)
	out, counts := map[string]*db.MachineJobItem{}, map[job.Result]int{}
	for _, item := range items {
		out[item.MachineID] = item
		counts[job.Result(item.Result)]++
	}
	want := map[job.Result]int{job.Done: row.Done, job.AfterUpdate: row.AfterUpdate, job.Skipped: row.Skipped, job.Failed: row.Failed, job.Pending: job.PendingOf(row)}
	for r, n := range want {
		if counts[r] != n {
			s.t.Errorf("%d machines with result %d, the job counts %d", counts[r], r, n)
		}
	}
	if len(items) != row.Machines {
		s.t.Errorf("%d machines, the job counts %d", len(items), row.Machines)
	}
	return out
}

// became checks the result of one machine.
func (s *site) became(all map[string]*db.MachineJobItem, machine string, want job.Result, detail string) {
	s.t.Helper()
	item := all[machine]
	if item == nil || job.Result(item.Result) != want || item.Detail != detail {
		s.t.Errorf("%s: %+v, want result %d %q", machine, item, want, detail)
	}
}

func TestJobHoldsAndReleases(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.grants("downloading", "1.0.0", "2.0.0")
		s.reports("downloading", "1.0.0", "13/1")
		s.grants("granted", "1.0.0", "2.0.0")
		s.holds("waiting", "1.0.0", "concurrency_limit")
		s.holds("held", "1.0.0", "concurrency_limit")
		_, err := s.HoldInstance(s.ctx, fleet.HoldInstance{ID: s.instanceID("held"), Reason: "earlier"})
		s.ok(err)
		end := s.clock.Now().Add(48 * time.Hour)
		hold := job.Order{Action: job.Hold, Until: &end}
		_, all := s.job(s.inG(), hold)
		s.became(all, "downloading", job.AfterUpdate, "held until 4 Mar 2026 10:00 UTC once its update has ended")
		s.became(all, "granted", job.Done, "held until 4 Mar 2026 10:00 UTC")
		s.became(all, "waiting", job.Done, "held until 4 Mar 2026 10:00 UTC")
		s.became(all, "held", job.Skipped, "already held by olga")
		if m := s.instance("waiting"); m.OverrideBy != operator || m.OverrideReason != "maintenance" || !m.OverrideUntil.Equal(end) {
			t.Errorf("waiting is %+v", m)
		}
		s.holds("waiting", "1.0.0", "held")
		if _, all := s.job(s.inG(), hold); all["waiting"].Detail != "already held by olga until 4 Mar 2026 10:00 UTC" {
			t.Errorf("repeated: %+v", all["waiting"]) // nothing to do
		}
		hold.Replace, hold.Until = true, nil
		s.job(s.inG(), hold)
		if m := s.instance("held"); m.OverrideReason != "maintenance" || m.OverrideUntil != nil {
			t.Errorf("held is %+v", m)
		}
		s.holds("free", "1.0.0", "concurrency_limit")
		_, all = s.job(s.inG(), job.Order{Action: job.Release})
		s.became(all, "held", job.Done, "released")
		s.became(all, "free", job.Skipped, "neither held nor pinned")
		if m := s.instance("waiting"); m.Override != rollout.OverrideNone || m.Standing != rollout.StandingActive {
			t.Errorf("waiting is %+v", m)
		}
	})
}

func TestJobPins(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.holds("m", "2.0.0", "up_to_date")
		s.promote("3.0.0")
		_, all := s.job(s.inG(), job.Order{Action: job.Pin, Version: "2.5.0"})
		s.became(all, "m", job.Done, "pinned to 2.5.0")
		s.holds("m", "2.0.0", "pinned")
		_, all = s.job(s.inG(), job.Order{Action: job.Hold})
		s.became(all, "m", job.Skipped, "already pinned to 2.5.0 by olga")
		for field, o := range map[string]job.Order{
			"action.version": {Action: job.Pin}, "action.until": {Action: job.Pin, Version: "2.0.0", Until: new(s.clock.Now())},
			"action.groupId": {Action: job.Hold, GroupID: &s.group}, "action.replace": {Action: job.Release, Replace: true},
		} {
			_, err := s.StartMachineJob(s.ctx, fleet.StartMachineJob{Filter: s.inG(), Action: o})
			s.refusedField(err, fault.Invalid, field)
			_, err = s.View.JobImpact(s.ctx, s.inG(), o)
			s.refusedField(err, fault.Invalid, field)
		}
		_, err := s.StartMachineJob(s.ctx, fleet.StartMachineJob{Filter: s.inG(), Action: job.Order{Action: job.Pin, Version: "newest"}})
		s.refusedField(err, fault.Invalid, "action.version")
	})
}

func TestJobFreesFromQuarantine(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		for _, m := range []string{"broken", "both"} {
			s.grants(m, "1.0.0", "2.0.0")
			s.reports(m, "1.0.0", "3/0 9")
			s.holds(m, "1.0.0", "quarantined")
		}
		s.holds("well", "2.0.0", "up_to_date")
		_, err := s.HoldInstance(s.ctx, fleet.HoldInstance{ID: s.instanceID("both")})
		s.ok(err)
		_, all := s.job(s.inG(), job.Order{Action: job.Free})
		s.became(all, "broken", job.Done, "released from quarantine")
		s.became(all, "both", job.Skipped, "also held by olga")
		s.became(all, "well", job.Skipped, "not quarantined")
		if m := s.instance("broken"); m.Standing != rollout.StandingActive || m.QuarantinedVersion != "" {
			t.Errorf("broken is %+v", m)
		}
	}, withPolicy(func(p *rollout.Policy) { p.MaxAttempts = 1 }), limit(9, time.Minute))
}

func TestJobMoves(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		other := s.newGroup("Other", "o", casePolicy())
		s.grants("downloading", "1.0.0", "2.0.0")
		s.reports("downloading", "1.0.0", "13/1")
		s.grants("granted", "1.0.0", "2.0.0")
		s.holds("waiting", "1.0.0", "concurrency_limit")
		to := job.Order{Action: job.Move, GroupID: &other}
		_, all := s.job(s.inG(), to)
		s.became(all, "downloading", job.AfterUpdate, "moves to group Other once its update has ended")
		s.became(all, "granted", job.Done, "moved to group Other")
		s.became(all, "waiting", job.Done, "moved to group Other")
		if m := s.instance("granted"); *m.GroupID != other || !m.Moved {
			t.Errorf("granted is %+v", m)
		}
		s.attemptsEnded("granted", rollout.OutcomeInterrupted)
		all = s.both(to)
		s.became(all, "downloading", job.Skipped, "moves to group Other already, once its update has ended")
		s.became(all, "waiting", job.Skipped, "already in group Other")
		if all = s.both(job.Order{Action: job.Move}); all["waiting"].Detail != "follows its track from its next check" {
			t.Errorf("follow: %+v", all["waiting"])
		}
		s.holds("waiting", "2.0.0", "up_to_date")
		if m := s.instance("waiting"); *m.GroupID != s.group {
			t.Errorf("waiting is %+v", m)
		}
	})
}

// both runs a job on all machines of A.
func (s *site) both(o job.Order) map[string]*db.MachineJobItem {
	s.t.Helper()
	_, all := s.job(machines.Filter{Application: &s.app}, o)
	return all
}

func TestJobTakesNoMachineOutOfWhatRequiresApprovals(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		other := s.newGroup("Other", "o", casePolicy())
		s.holds("m", "2.0.0", "up_to_date")
		s.twoPublishers()
		_, err := s.UpdateGroup(s.ctx, fleet.UpdateGroup{ID: s.group, RequireApproval: new(true)})
		s.ok(err)
		_, all := s.job(s.inG(), job.Order{Action: job.Move, GroupID: &other})
		s.became(all, "m", job.Failed, "group G or its channel requires approvals: propose to move the machine alone")
		_, all = s.job(s.inG(), job.Order{Action: job.Hold})
		s.became(all, "m", job.Done, "held")
	})
}

// twoPublishers creates users who can approve what the other proposes.
func (s *site) twoPublishers() {
	s.t.Helper()
	for _, name := range []string{"ann", "ben"} {
		_, err := s.Accounts.CreateUser(s.ctx, account.CreateUser{Username: name, Password: "builder 1", Role: auth.Publisher})
		s.ok(err)
	}
}

func TestJobFailsForMachinesThatCannotMove(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.holds("m", "2.0.0", "up_to_date")
		arm, err := s.CreateGroup(s.ctx, fleet.CreateGroup{ApplicationID: s.app, Name: "Arm", Track: "t", Arch: "arm64"})
		s.ok(err)
		row, all := s.job(s.inG(), job.Order{Action: job.Move, GroupID: &arm.ID})
		s.became(all, "m", job.Failed, "group Arm is for arm64, but the machine is amd64")
		// A retry of machines that have not failed does nothing.
		again, err := s.RetryMachineJob(s.ctx, fleet.RetryMachineJob{ID: row.ID, InstanceIDs: []uuid.UUID{s.instanceID("x")}})
		s.ok(err)
		if again.State != string(job.Finished) {
			t.Errorf("the job is %+v", again)
		}
		for _, ids := range [][]uuid.UUID{{s.instanceID("m")}, nil} {
			again, err = s.RetryMachineJob(s.ctx, fleet.RetryMachineJob{ID: row.ID, InstanceIDs: ids})
			s.ok(err)
			if again.State != string(job.Running) || job.PendingOf(again) != 1 || again.Failed != 0 {
				t.Errorf("the job is %+v", again)
			}
			s.ok(s.WorkJobs(s.ctx))
			s.became(s.results(row.ID), "m", job.Failed, "group Arm is for arm64, but the machine is amd64")
		}
	})
}

func TestJobEnrollsAndForgets(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.grants("downloading", "1.0.0", "2.0.0")
		s.reports("downloading", "1.0.0", "13/1")
		s.grants("m", "1.0.0", "2.0.0")
		s.enroll("m", "absent")
		all := s.both(job.Order{Action: job.Enroll})
		s.became(all, "downloading", job.Done, "enrolled")
		s.became(all, "m", job.Skipped, "enrolled already")
		if !s.instance("downloading").Enrolled {
			t.Error("not enrolled")
		}
		all = s.both(job.Order{Action: job.Hold})
		s.became(all, "absent", job.Failed, "the machine is in no group until it checks in again")
		_, err := s.StartMachineJob(s.ctx, fleet.StartMachineJob{Action: job.Order{Action: job.Forget}})
		s.refusedField(err, fault.Invalid, "filter")
		all = s.both(job.Order{Action: job.Forget})
		s.became(all, "downloading", job.Done, "forgotten; its update ended as interrupted")
		s.became(all, "absent", job.Done, "forgotten")
		if s.instance("downloading") != nil || s.instance("m") != nil {
			t.Error("machines are left")
		}
		s.inFlight(0)
	})
}

// Every condition of the list of machines selects the same machines for a job.
func TestJobReachesTheMachinesOfTheFilter(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.grants("a-updating", "1.0.0", "2.0.0")
		s.holds("a-done", "2.0.0", "up_to_date")
		s.holds("b-done", "2.0.0", "up_to_date")
		a := []string{"a-done", "a-updating"}
		done := []string{"a-done", "b-done"}
		for name, c := range map[string]struct {
			filter machines.Filter
			want   []string
		}{
			"state":         {machines.Filter{States: []rollout.State{rollout.StateGranted}}, a[1:]},
			"version":       {machines.Filter{Versions: []string{"2.0.0"}}, done},
			"reason":        {machines.Filter{Reasons: []rollout.Reason{rollout.ReasonUpToDate}}, done},
			"search":        {machines.Filter{Search: "a-"}, a},
			"ids":           {machines.Filter{IDs: []uuid.UUID{s.instanceID("b-done"), s.instanceID("a-done"), uuid.New()}}, done},
			"group and ids": {machines.Filter{Group: &s.group, IDs: []uuid.UUID{s.instanceID("a-done")}}, a[:1]},
			"seen":          {machines.Filter{Group: &s.group, SeenAfter: new(begin)}, []string{"a-done", "a-updating", "b-done"}},
		} {
			row := s.startJob(c.filter, job.Order{Action: job.Enroll})
			var got []string
			for machine := range s.results(row.ID) {
				got = append(got, machine)
			}
			if slices.Sort(got); !slices.Equal(got, c.want) {
				t.Errorf("%s: the job reaches %v, want %v", name, got, c.want)
			}
			n, exact, err := s.View.CountMachines(s.ctx, c.filter, 1000)
			if s.ok(err); n != len(c.want) || !exact {
				t.Errorf("%s: %d machines are listed, want %d", name, n, len(c.want))
			}
		}
		none := machines.Filter{Search: "none"}
		_, err := s.StartMachineJob(s.ctx, fleet.StartMachineJob{Filter: none, Action: job.Order{Action: job.Hold}})
		s.refusedField(err, fault.Invalid, "filter")
		_, err = s.StartMachineJob(s.ctx, fleet.StartMachineJob{Filter: machines.Filter{IDs: make([]uuid.UUID, 1001)}, Action: job.Order{Action: job.Hold}})
		s.refusedField(err, fault.Invalid, "filter.ids")
	})
}
