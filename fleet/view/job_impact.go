package view

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/instance"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/job"
	"github.com/coreroller/coreroller/fleet/view/machines"
	"github.com/coreroller/coreroller/rollout/phrase"
)

const (
	// maxForeseen machines are read for the preview of a job, so that it does not scan
	// a large group.
	maxForeseen = 10_000
	// MaxJobMachines limits the machines of a job: more than a large group has, and
	// few enough to list them within one request.
	MaxJobMachines = 100_000
)

// JobImpact is the preview of a job: what it does to how many machines.
type JobImpact struct {
	AsOf        time.Time
	Machines    int  // that match the filter
	Exact       bool // else at least Machines
	Counted     int  // machines that the numbers below count: all, or the first ones
	Now         int
	AfterUpdate int
	Skipped     int
	Failing     int
	Outcomes    []JobOutcome // by result, most machines first
	Selection   string       // the filter as text
	Sentence    string
}

// JobOutcome is a number of machines with the same outcome.
type JobOutcome struct {
	Result   job.Result
	Text     string // follows the number: "are held at once"
	Machines int
}

// JobImpact returns what an order would do now to the machines that match.
func (s *Service) JobImpact(ctx context.Context, f machines.Filter, o job.Order) (*JobImpact, error) {
	if _, err := fault.Require(ctx, auth.Viewer); err != nil {
		return nil, err
	}
	now, c := s.now(), s.seen(ctx)
	if err := o.Check(c, now); err != nil {
		return nil, err
	}
	o.Within = f.Group
	type kind struct {
		result job.Result
		text   string
	}
	counts, counted := map[kind]int{}, 0
	var failed error
	err := s.Walk(ctx, f, maxForeseen, foreseen(), func(rows []*db.Instance) {
		var labels map[uuid.UUID][]*db.MachineLabel
		if o.Action == job.Label && failed == nil {
			labels, failed = s.labelsOf(ctx, rows)
		}
		for _, row := range rows {
			out := job.Gone()
			if app := c.App(row.ApplicationID); app != nil {
				m := job.RowOf(row, now)
				m.Labels = labels[row.ID]
				out = o.Foresee(app, m)
			}
			counts[kind{out.Result, out.Kind}]++
			counted++
		}
	})
	if err := cmp.Or(err, failed); err != nil {
		return nil, err
	}
	out := &JobImpact{AsOf: now, Machines: counted, Exact: true, Counted: counted, Selection: f.Describe(c)}
	if counted >= maxForeseen {
		n, exact, err := s.CountMachines(ctx, f, maxForeseen)
		if err != nil {
			return nil, err
		}
		out.Machines, out.Exact = max(n, counted), exact
	}
	for k, n := range counts {
		out.add(JobOutcome{k.result, k.text, n})
	}
	out.describe()
	return out, nil
}

// foreseen are the columns that decide about an outcome.
func foreseen() []string {
	return []string{
		instance.FieldArch, instance.FieldStanding, instance.FieldQuarantinedVersion, instance.FieldEnrolled, instance.FieldMoved, instance.FieldMoveTo,
		instance.FieldOverride, instance.FieldOverrideVersion, instance.FieldOverrideUntil, instance.FieldOverrideBy,
	}
}

func (i *JobImpact) add(o JobOutcome) {
	i.Outcomes = append(i.Outcomes, o)
	switch o.Result {
	case job.Failed:
		i.Failing += o.Machines
	case job.AfterUpdate:
		i.AfterUpdate += o.Machines
	case job.Skipped:
		i.Skipped += o.Machines
	case job.Done, job.Pending:
		i.Now += o.Machines
	}
}

func (i *JobImpact) describe() {
	rank := map[job.Result]int{job.Done: 0, job.AfterUpdate: 1, job.Skipped: 2, job.Failed: 3}
	slices.SortFunc(i.Outcomes, func(a, b JobOutcome) int {
		return cmp.Or(rank[a.Result]-rank[b.Result], b.Machines-a.Machines, cmp.Compare(a.Text, b.Text))
	})
	i.Sentence = "reaches " + phrase.Count(i.Machines, "machine")
	if !i.Exact {
		i.Sentence = "reaches at least " + phrase.Count(i.Machines, "machine")
	}
	var parts []string
	for _, o := range i.Outcomes {
		text := fmt.Sprintf("%d %s", o.Machines, o.Text)
		switch o.Result {
		case job.Skipped:
			text += " and are skipped"
		case job.Failed:
			text += " and fail"
		case job.Done, job.AfterUpdate, job.Pending:
		}
		parts = append(parts, text)
	}
	switch {
	case i.Counted == 0:
		return
	case i.Counted < i.Machines || !i.Exact:
		i.Sentence += fmt.Sprintf("; of the first %d, ", i.Counted)
	default:
		i.Sentence += ": "
	}
	i.Sentence += strings.Join(parts, ", ")
}
