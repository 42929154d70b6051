package acceptance

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/audit"
	bus "github.com/coreroller/coreroller/event"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/job"
	"github.com/coreroller/coreroller/fleet/view/machines"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
	"github.com/coreroller/coreroller/store/storetest"
)

// Machines that move or are forgotten before the job reaches them are skipped, and
// later ones are not reached.
func TestJobSkipsMachinesThatLeftMeanwhile(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		other := s.newGroup("Other", "o", casePolicy())
		for _, m := range []string{"stays", "moves", "vanishes"} {
			s.holds(m, "2.0.0", "up_to_date")
		}
		row := s.startJob(s.inG(), job.Order{Action: job.Hold})
		_, err := s.MoveInstance(s.ctx, fleet.MoveInstance{ID: s.instanceID("moves"), GroupID: &other})
		s.ok(err)
		s.ok(s.ForgetInstance(s.ctx, fleet.ForgetInstance{ID: s.instanceID("vanishes")}))
		s.holds("comes", "2.0.0", "up_to_date")
		s.ok(s.WorkJobs(s.ctx))
		all := s.results(row.ID)
		s.became(all, "stays", job.Done, "held")
		s.became(all, "moves", job.Skipped, "the machine is no longer in the group")
		s.became(all, "vanishes", job.Skipped, "the machine does not exist any more")
		if len(all) != 3 || s.instance("comes").Override != rollout.OverrideNone {
			t.Errorf("the job reached %v", all)
		}
		// The whole application disappears.
		row = s.startJob(machines.Filter{Application: &s.app}, job.Order{Action: job.Hold})
		s.ok(s.DeleteApplication(s.ctx, fleet.DeleteApplication{ID: s.app, Force: true}))
		s.ok(s.WorkJobs(s.ctx))
		if row = s.jobRow(row.ID); row.State != string(job.Finished) || row.Skipped != row.Machines {
			t.Errorf("the job is %+v", row)
		}
	})
}

func TestJobIsStoppedAndContinued(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.holds("m", "2.0.0", "up_to_date")
		row := s.startJob(s.inG(), job.Order{Action: job.Hold})
		for range 2 {
			stopped, err := s.StopMachineJob(s.ctx, fleet.StopMachineJob{ID: row.ID})
			s.ok(err)
			if stopped.State != string(job.Stopped) || stopped.StoppedBy != operator {
				t.Errorf("the job is %+v", stopped)
			}
		}
		s.ok(s.WorkJobs(s.ctx))
		s.became(s.results(row.ID), "m", job.Pending, "")
		_, err := s.RetryMachineJob(s.ctx, fleet.RetryMachineJob{ID: row.ID, InstanceIDs: []uuid.UUID{s.instanceID("m")}})
		s.refusedField(err, fault.Conflict, "instanceIds")
		_, err = s.RetryMachineJob(s.ctx, fleet.RetryMachineJob{ID: row.ID})
		s.ok(err)
		s.ok(s.WorkJobs(s.ctx))
		s.became(s.results(row.ID), "m", job.Done, "held")
		stopped, err := s.StopMachineJob(s.ctx, fleet.StopMachineJob{ID: row.ID})
		s.ok(err)
		if stopped.State != string(job.Finished) {
			t.Errorf("a finished job was stopped: %+v", stopped)
		}
		_, err = s.StopMachineJob(s.ctx, fleet.StopMachineJob{ID: uuid.New()})
		s.refusedField(err, fault.NotFound, "id")
		var verbs []string
		entries, err := s.store.Reader().Audit.Query().Where(audit.ObjectID(row.ID)).Order(audit.ByID()).All(s.ctx)
		s.ok(err)
		for _, e := range entries {
			verbs = append(verbs, e.Verb)
		}
		if !slices.Equal(verbs, []string{"startMachineJob", "stopMachineJob", "retryMachineJob"}) {
			t.Errorf("audit %v", verbs)
		}
	})
}

func TestRepeatedRequestStartsOneJob(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.holds("m", "2.0.0", "up_to_date")
		end := s.clock.Now().Add(time.Hour)
		in := fleet.StartMachineJob{Filter: s.inG(), Action: job.Order{Action: job.Hold, Until: &end}, ExpectedCount: new(1), RequestID: "r1"}
		ids := make([]uuid.UUID, 6)
		atOnce(len(ids), func(i int) {
			row, err := s.on(i%2).StartMachineJob(s.ctx, in)
			if err != nil {
				t.Error(err)
				return
			}
			ids[i] = row.ID
		})
		if ids = slices.Compact(ids); len(ids) != 1 {
			t.Errorf("jobs %v", ids)
		}
		s.ok(s.WorkJobs(s.ctx))
		s.holds("later", "2.0.0", "up_to_date") // the count is another one now
		if row, err := s.StartMachineJob(s.ctx, in); err != nil || row.ID != ids[0] {
			t.Errorf("job %+v, %v", row, err)
		}
		in.Reason = "another"
		_, err := s.StartMachineJob(s.ctx, in)
		s.refusedField(err, fault.Conflict, "requestId")
		in.RequestID = ""
		_, err = s.StartMachineJob(s.ctx, in)
		s.refusedField(err, fault.Conflict, "expectedCount")
	}, servers(2))
}

// Two servers work on two jobs at the same time. Each machine is moved once,
// whichever job reaches it first.
func TestServersShareAJob(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		const n = 450 // three batches
		atOnce(9, func(i int) {
			for k := i; k < n; k += 9 {
				s.check(fmt.Sprint("m", k), "2.0.0")
			}
		})
		other := s.newGroup("Other", "o", casePolicy())
		held := s.startJob(s.inG(), job.Order{Action: job.Hold})
		moved := s.startJob(machines.Filter{Application: &s.app}, job.Order{Action: job.Move, GroupID: &other})
		atOnce(4, func(i int) {
			if err := s.on(i % 2).WorkJobs(s.ctx); err != nil {
				t.Error(err)
			}
		})
		s.ok(s.WorkJobs(s.ctx)) // what was locked by the other one
		s.results(held.ID)
		if row := s.jobRow(moved.ID); row.Done != n {
			t.Errorf("the job is %+v", row)
		}
		if row := s.jobRow(held.ID); row.Done+row.Skipped != n || row.State != string(job.Finished) {
			t.Errorf("the job is %+v", row)
		}
		for k := range n {
			m := fmt.Sprint("m", k)
			lines := 0
			for _, e := range s.history(m) {
				if e.Detail == "moved to group Other by olga: maintenance" {
					lines++
				}
			}
			if lines != 1 {
				t.Fatalf("%s was moved %d times", m, lines)
			}
		}
	}, servers(2))
}

// A machine that the database refuses to write does not keep the others of its batch
// from being changed.
func TestJobRecordsAMachineThatCannotBeWritten(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		for _, m := range []string{"a", "b", "c"} {
			s.holds(m, "2.0.0", "up_to_date")
		}
		driver, triggers := "sqlite", []string{"CREATE TRIGGER broken BEFORE UPDATE ON instances WHEN NEW.machine_id = 'b' BEGIN SELECT RAISE(ABORT, 'a damaged row'); END"}
		if store.IsPostgres(s.url) {
			driver, triggers = "postgres", []string{
				"CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'a damaged row'; END$$",
				"CREATE TRIGGER broken BEFORE UPDATE ON instances FOR EACH ROW WHEN (NEW.machine_id = 'b') EXECUTE FUNCTION broken()",
			}
		}
		database, err := sql.Open(driver, s.url)
		s.ok(err)
		defer database.Close()
		for _, text := range triggers {
			_, err := database.ExecContext(s.ctx, text)
			s.ok(err)
		}
		row := s.startJob(s.inG(), job.Order{Action: job.Hold})
		s.ok(s.WorkJobs(s.ctx))
		all := s.results(row.ID)
		s.became(all, "a", job.Done, "held")
		s.became(all, "c", job.Done, "held")
		if b := all["b"]; job.Result(b.Result) != job.Failed || !strings.Contains(b.Detail, "a damaged row") {
			t.Errorf("b: %+v", b)
		}
	})
}

func TestJobFailsAfterItsEnd(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.holds("a", "2.0.0", "up_to_date")
		s.holds("b", "2.0.0", "up_to_date")
		end := s.clock.Now().Add(time.Hour)
		row := s.startJob(s.inG(), job.Order{Action: job.Hold, Until: &end})
		s.advance(2 * time.Hour)
		s.ok(s.WorkJobs(s.ctx))
		all := s.results(row.ID)
		s.became(all, "a", job.Failed, "the time until which it was ordered has passed")
		page, err := s.View.JobItems(row.ID, new(job.Failed)).Page(s.ctx, 9)
		if s.ok(err); len(page.Rows) != 2 {
			t.Errorf("%d machines failed, want 2", len(page.Rows))
		}
		// A canceled context changes nothing.
		_, err = s.RetryMachineJob(s.ctx, fleet.RetryMachineJob{ID: row.ID})
		s.ok(err)
		ctx, cancel := context.WithCancel(s.ctx)
		cancel()
		if err := s.WorkJobs(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("canceled: %v", err)
		}
		s.became(s.results(row.ID), "a", job.Pending, "")
	})
}

// A process is killed in the middle of a job. The next process continues it.
func TestJobSurvivesAKilledProcess(t *testing.T) {
	s := start(t, storetest.Postgres(t))
	const n = 5000
	for k := range n / 1000 {
		ids := make([]string, 1000)
		for i := range ids {
			ids[i] = fmt.Sprintf("m%d-%d", k, i)
		}
		s.enroll(ids...)
	}
	row := s.startJob(machines.Filter{Application: &s.app}, job.Order{Action: job.Forget})
	sub := s.store.Bus().Subscribe(func(e bus.Event) bool { return e.Kind == bus.JobChanged })
	defer sub.Close()
	await := func(is func(*db.MachineJob) bool) {
		for row = s.jobRow(row.ID); !is(row); row = s.jobRow(row.ID) {
			<-sub.Ready()
			sub.Take()
		}
	}
	_, kill := process(t, s.url, begin)
	await(func(row *db.MachineJob) bool { return row.Done > 0 })
	kill()
	row = s.jobRow(row.ID)
	left, err := s.store.Reader().Instance.Query().Count(s.ctx)
	s.ok(err)
	t.Logf("killed after %d machines", row.Done)
	if row.State != string(job.Running) || row.Done == n {
		t.Fatalf("the process was not killed in the middle: %+v", row)
	}
	if row = s.jobRow(row.ID); left > n-row.Done+200 {
		t.Errorf("%d machines are left, %d are done", left, row.Done)
	}
	process(t, s.url, begin)
	await(func(row *db.MachineJob) bool { return row.State != string(job.Running) })
	if row.Done != n {
		t.Errorf("the job is %+v", row)
	}
	s.results(row.ID)
	if left, err = s.store.Reader().Instance.Query().Count(s.ctx); err != nil || left != 0 {
		t.Errorf("%d machines are left, %v", left, err)
	}
}
