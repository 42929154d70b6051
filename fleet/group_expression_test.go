package fleet_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/account"
	"github.com/coreroller/coreroller/fleet/checkin"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/job"
	"github.com/coreroller/coreroller/fleet/view"
	"github.com/coreroller/coreroller/fleet/view/machines"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/rollout/policy"
	"github.com/coreroller/coreroller/store"
	"github.com/coreroller/coreroller/store/storetest"
)

// smart makes a group with an expression on the channel of the setup.
func (d *harness) smart(s *setup, name, expression string, priority int) *db.Group {
	d.t.Helper()
	p := policy.Default()
	p.SafeMode, p.HaltFailureShare, p.MaxConcurrentUpdates, p.MaxUpdatesPerPeriod = false, 0, 1000, 1000
	return must(d.CreateGroup(d.ctx, fleet.CreateGroup{
		ApplicationID: s.app.ID, Name: name, ChannelID: &s.channel.ID, Policy: &p, Expression: expression, Priority: priority,
	}))(d.t)
}

// from sends an update check of a machine with an OEM.
func (d *harness) from(s *setup, machine, oem string) checkin.Answer {
	d.t.Helper()
	return must(d.Machines.CheckIn(d.t.Context(), checkin.CheckIn{
		AppID: s.app.ID.String(), Track: "t", Machine: machine, Version: "2.0.0", UpdateCheck: true, Ping: true, Attributes: checkin.Attributes{OEM: &oem},
	}))(d.t)
}

func (d *harness) inGroup(s *setup, machine string, want *db.Group) {
	d.t.Helper()
	row := must(d.store.Reader().Instance.Get(d.ctx, store.InstanceID(s.app.ID, machine)))(d.t)
	if row.GroupID == nil || *row.GroupID != want.ID {
		name := "none"
		if row.GroupID != nil {
			name = must(d.store.Reader().Group.Get(d.ctx, *row.GroupID))(d.t).Name
		}
		d.t.Errorf("machine %s is in group %s, want %s", machine, name, want.Name)
	}
}

// membership explains the group of a machine.
func (d *harness) membership(s *setup, machine string) *view.Membership {
	d.t.Helper()
	row := must(d.store.Reader().Instance.Get(d.ctx, store.InstanceID(s.app.ID, machine)))(d.t)
	labels := must(d.View.MachineLabels(d.ctx, []uuid.UUID{row.ID}))(d.t)
	return must(d.View.Membership(d.ctx, row, labels[row.ID]))(d.t)
}

func TestMachinesJoinTheFirstGroupWhoseExpressionIsTrue(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		s := d.setup()
		second := d.smart(s, "second", "oem == 'azure' || oem == 'ami'", 2)
		first := d.smart(s, "first", "oem == 'azure'", 1)
		d.from(s, "a", "azure")
		d.from(s, "b", "ami")
		d.from(s, "c", "gce")
		d.inGroup(s, "a", first)
		d.inGroup(s, "b", second)
		d.inGroup(s, "c", s.group)
		d.checkCounters()

		// Repeated checks are answered without a transaction, whatever the group.
		for range 3 {
			d.from(s, "a", "azure")
		}
		if n := must(d.View.GroupNumbers(d.ctx, first.ID))(t); n.Total != 1 {
			t.Errorf("%d machines in the first group", n.Total)
		}
		// What the machine sends changes: it moves with the same check.
		d.from(s, "a", "gce")
		d.inGroup(s, "a", s.group)
		d.from(s, "a", "azure")
		d.inGroup(s, "a", first)
		// The priorities change: a check alone moves it.
		must(d.UpdateGroup(d.ctx, fleet.UpdateGroup{ID: second.ID, Priority: new(0)}))(t)
		d.from(s, "a", "azure")
		d.inGroup(s, "a", second)
		d.checkCounters()

		// A person's choice counts more, until it is taken back.
		id := store.InstanceID(s.app.ID, "a")
		must(d.MoveInstance(d.ctx, fleet.MoveInstance{ID: id, GroupID: &s.group.ID}))(t)
		d.from(s, "a", "azure")
		d.inGroup(s, "a", s.group)
		must(d.MoveInstance(d.ctx, fleet.MoveInstance{ID: id}))(t)
		d.from(s, "a", "azure")
		d.inGroup(s, "a", second)
		d.checkCounters()
	})
}

func TestWalkMovesMachinesThatDoNotCheck(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		s := d.setup()
		for i := range 30 {
			d.from(s, fmt.Sprintf("m%02d", i), []string{"azure", "gce", "ami"}[i%3])
		}
		preview := func(e string) *view.ExpressionPreview {
			t.Helper()
			return must(d.View.PreviewExpression(d.ctx, view.PreviewExpression{ApplicationID: s.app.ID, Expression: e}))(t)
		}
		p := preview("oem == 'azure'")
		if p.Comes != 10 || p.Matches != 10 || p.Machines != 30 || !p.Complete || p.Sentence != "moves 10 machines" ||
			len(p.Moves) != 1 || p.Moves[0].From != s.group.ID || len(p.Moves[0].Samples) != 5 || len(p.Moves[0].SampleIDs) != 5 {
			t.Errorf("preview: %+v", p)
		}
		for i, id := range p.Moves[0].SampleIDs {
			if m := must(d.View.Instance(d.ctx, id, nil))(t); m.MachineID != p.Moves[0].Samples[i] {
				t.Errorf("sample %d is %s, its id is that of %s", i, p.Moves[0].Samples[i], m.MachineID)
			}
		}
		azure := d.smart(s, "azure", "oem == 'azure'", 0)
		d.must(d.Upkeep.Work(d.ctx))
		d.inGroup(s, "m00", azure)
		d.inGroup(s, "m01", s.group)
		d.checkCounters()
		row := must(d.View.Reassignments(d.ctx, []uuid.UUID{s.app.ID}))(t)[s.app.ID]
		if row == nil || row.EndedAt == nil || row.Moved != 10 || row.Seen != 30 {
			t.Errorf("walk: %+v", row)
		}
		// Without the expression all go back to the group of their track.
		if p := must(d.View.PreviewExpression(d.ctx, view.PreviewExpression{ApplicationID: s.app.ID, GroupID: &azure.ID}))(t); p.Leaves != 10 || p.Comes != 0 {
			t.Errorf("preview without the expression: %+v", p)
		}
		must(d.UpdateGroup(d.ctx, fleet.UpdateGroup{ID: azure.ID, Expression: new("")}))(t)
		d.must(d.Upkeep.Work(d.ctx))
		d.inGroup(s, "m00", s.group)
		d.checkCounters()
		if n := must(d.View.GroupNumbers(d.ctx, azure.ID))(t); n.Total != 0 {
			t.Errorf("%d machines remain", n.Total)
		}
	})
}

func TestLabelsMoveMachines(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		s := d.setup()
		rack := d.smart(s, "rack 3", "attributes.rack == '3' && !('spare' in tags)", 0)
		for _, m := range []string{"a", "b"} {
			d.from(s, m, "gce")
		}
		label := func(l job.Labels) {
			t.Helper()
			must(d.LabelInstance(d.ctx, fleet.LabelInstance{ID: store.InstanceID(s.app.ID, "a"), Labels: l}))(t)
		}
		label(job.Labels{SetAttributes: []job.Attribute{{Name: "rack", Value: "3"}}})
		d.inGroup(s, "a", rack) // at once
		d.from(s, "a", "gce")
		d.inGroup(s, "a", rack)
		label(job.Labels{AddTags: []string{"spare"}})
		d.inGroup(s, "a", s.group)
		label(job.Labels{RemoveTags: []string{"spare"}})
		d.inGroup(s, "a", rack)
		d.checkCounters()

		// A job labels many machines; the walk that it starts moves them.
		must(d.StartMachineJob(d.ctx, fleet.StartMachineJob{
			Filter: machines.Filter{Application: &s.app.ID}, Action: job.Order{Action: job.Label, Labels: &job.Labels{SetAttributes: []job.Attribute{{Name: "rack", Value: "3"}}}}, Reason: "test",
		}))(t)
		d.must(d.Upkeep.WorkMachineJobs(d.ctx))
		d.must(d.Upkeep.Work(d.ctx))
		d.inGroup(s, "b", rack)
		d.checkCounters()

		m := d.membership(s, "b")
		if m.By != view.ByExpression || len(m.Results) != 1 || !m.Results[0].Is || m.Results[0].Parts[0].Values != "attributes.rack is '3'" ||
			!strings.Contains(m.Sentence, `group rack 3 is true`) {
			t.Errorf("membership: %+v", m)
		}
	})
}

func TestMachineThatUpdatesMovesAfterwards(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		s := d.setup()
		send := func(version string, events ...rollout.Event) checkin.Answer {
			t.Helper()
			return must(d.Machines.CheckIn(t.Context(), checkin.CheckIn{
				AppID: s.app.ID.String(), Track: "t", Machine: "m", Version: version, UpdateCheck: len(events) == 0, Ping: len(events) == 0,
				Attributes: checkin.Attributes{OEM: new("azure")}, Events: events,
			}))(t)
		}
		if a := send("1.0.0"); len(a.Offers) != 1 {
			t.Fatalf("no offer: %+v", a)
		}
		send("1.0.0", rollout.Event{Type: 13, Result: 1})
		azure := d.smart(s, "azure", "oem == 'azure'", 0)
		d.must(d.Upkeep.Work(d.ctx))
		send("1.0.0", rollout.Event{Type: 14, Result: 1})
		d.inGroup(s, "m", s.group)
		row := must(d.View.Reassignments(d.ctx, []uuid.UUID{s.app.ID}))(t)[s.app.ID]
		if row.Waiting != 1 || row.Moved != 0 {
			t.Errorf("walk: %+v", row)
		}
		send("1.0.0", rollout.Event{Type: 3, Result: 1})
		d.wait(time.Minute)
		send("2.0.0")
		send("2.0.0")
		d.inGroup(s, "m", azure)
		d.checkCounters()
		n := must(d.View.GroupNumbers(d.ctx, s.group.ID))(t)
		if n.InFlight != 0 {
			t.Errorf("%d in flight in the group that was left", n.InFlight)
		}
		succeeded := 0
		for _, w := range must(d.store.Reader().Wave.Query().All(d.ctx))(t) {
			succeeded += w.Succeeded
		}
		if succeeded != 1 {
			t.Errorf("%d updates counted, want one in the group that granted it", succeeded)
		}
	})
}

func TestProtectedGroupIsNotLeftByAnExpression(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		s := d.setup()
		d.from(s, "m", "azure")
		for _, name := range []string{"ann", "bob"} {
			must(d.Accounts.CreateUser(d.ctx, account.CreateUser{Username: name, Password: "builder 1", Role: auth.Publisher}))(t)
		}
		must(d.UpdateGroup(d.ctx, fleet.UpdateGroup{ID: s.group.ID, RequireApproval: new(true)}))(t)
		p := must(d.View.PreviewExpression(d.ctx, view.PreviewExpression{ApplicationID: s.app.ID, Expression: "oem == 'azure'"}))(t)
		if p.Kept != 1 || p.Comes != 0 || p.Sentence != "moves 0 machines; 1 machine cannot leave a group without an approval" {
			t.Errorf("preview: %+v", p)
		}
		d.smart(s, "azure", "oem == 'azure'", 0)
		d.must(d.Upkeep.Work(d.ctx))
		d.from(s, "m", "azure")
		d.from(s, "m", "azure")
		d.inGroup(s, "m", s.group)
		m := d.membership(s, "m")
		if !strings.Contains(m.Sentence, "only with an approval") {
			t.Errorf("membership: %+v", m)
		}
		d.checkCounters()
	})
}

func TestExpressionsAreChecked(t *testing.T) {
	d := newHarness(t, storetest.SQLite(t))
	s := d.setup()
	for text, want := range map[string]string{"oem = 'x'": "line 1, column 5", "vendor == 'x'": "there is no 'vendor'", "oem": "must be true or false"} {
		_, err := d.CreateGroup(d.ctx, fleet.CreateGroup{ApplicationID: s.app.ID, Name: "x", Expression: text})
		if fault.CodeOf(err) != fault.Invalid || !strings.Contains(err.Error(), want) || !strings.Contains(fmt.Sprint(err), "expression") {
			t.Errorf("%q: %v", text, err)
		}
		if _, err = d.UpdateGroup(d.ctx, fleet.UpdateGroup{ID: s.group.ID, Expression: &text}); fault.CodeOf(err) != fault.Invalid {
			t.Errorf("%q: %v", text, err)
		}
		if _, err = d.View.PreviewExpression(d.ctx, view.PreviewExpression{ApplicationID: s.app.ID, Expression: text}); fault.CodeOf(err) != fault.Invalid {
			t.Errorf("%q: %v", text, err)
		}
	}
	for _, n := range []int{-1, 10_001} {
		if _, err := d.UpdateGroup(d.ctx, fleet.UpdateGroup{ID: s.group.ID, Priority: &n}); fault.CodeOf(err) != fault.Invalid {
			t.Errorf("priority %d: %v", n, err)
		}
	}
}

// A request attribute that the application names chooses the group with the check that
// brings it.
func TestRequestAttributeChoosesTheGroup(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		s := d.setup()
		must(d.UpdateApplication(d.ctx, fleet.UpdateApplication{ID: s.app.ID, RequestAttributes: []string{"region"}}))(t)
		north := d.smart(s, "north", "attributes.region == 'north'", 0)
		send := func(region string) {
			t.Helper()
			in := checkin.CheckIn{AppID: s.app.ID.String(), Track: "t", Machine: "m", Version: "2.0.0", UpdateCheck: true, Ping: true}
			if region != "" {
				in.Request = []checkin.RequestAttribute{{Name: "region", Value: region}}
			}
			must(d.Machines.CheckIn(t.Context(), in))(t)
		}
		for _, c := range []struct {
			region string
			want   *db.Group
		}{{"north", north}, {"north", north}, {"south", s.group}, {"north", north}, {"", s.group}} {
			send(c.region)
			d.inGroup(s, "m", c.want)
		}
		d.checkCounters()
	})
}

// A preview of a new group gives what then happens, also beside another group with the same
// priority.
func TestPreviewOfANewGroupIsTriedLast(t *testing.T) {
	d := newHarness(t, storetest.SQLite(t))
	s := d.setup()
	first := d.smart(s, "first", "oem == 'azure'", 0)
	for i, oem := range []string{"azure", "azure", "gce"} {
		d.from(s, fmt.Sprint("m", i), oem)
	}
	const expression = "oem == 'azure' || oem == 'gce'"
	p := must(d.View.PreviewExpression(d.ctx, view.PreviewExpression{ApplicationID: s.app.ID, Expression: expression}))(t)
	if p.Comes != 1 || p.Matches != 3 || len(p.Moves) != 1 || p.Moves[0].To != uuid.Nil {
		t.Errorf("preview: %+v", p)
	}
	second := d.smart(s, "second", expression, 0)
	d.must(d.Upkeep.Work(d.ctx))
	d.inGroup(s, "m0", first)
	d.inGroup(s, "m2", second)

	other := d.smart(d.setupNamed("Other"), "other", "oem == 'azure'", 0)
	_, err := d.View.PreviewExpression(d.ctx, view.PreviewExpression{ApplicationID: s.app.ID, GroupID: &other.ID, Expression: expression})
	if fault.CodeOf(err) != fault.Invalid || !strings.Contains(err.Error(), "groupId") {
		t.Errorf("a group of another application: %v", err)
	}
}

func TestCloneCopiesExpressions(t *testing.T) {
	d := newHarness(t, storetest.SQLite(t))
	s := d.setup()
	d.smart(s, "azure", "oem == 'azure'", 7)
	clone := must(d.CreateApplication(d.ctx, fleet.CreateApplication{Name: "Copy", CloneFrom: &s.app.ID}))(t)
	groups := d.Catalog().App(clone.ID).SelectorGroups()
	if len(groups) != 1 || groups[0].Expression.Text() != "oem == 'azure'" || groups[0].Priority != 7 {
		t.Errorf("groups with an expression: %+v", groups)
	}
}

// A machine that an expression placed follows its track again when the expression ends, also
// after a person took back a move that was never made.
func TestReleasedMachineKeepsTheGroupOfItsTrack(t *testing.T) {
	d := newHarness(t, storetest.SQLite(t))
	s := d.setup()
	azure := d.smart(s, "azure", "oem == 'azure'", 0)
	d.from(s, "m", "azure")
	must(d.MoveInstance(d.ctx, fleet.MoveInstance{ID: store.InstanceID(s.app.ID, "m")}))(t)
	must(d.UpdateGroup(d.ctx, fleet.UpdateGroup{ID: azure.ID, Expression: new("")}))(t)
	d.must(d.Upkeep.Work(d.ctx))
	d.inGroup(s, "m", s.group)
	d.checkCounters()
}
