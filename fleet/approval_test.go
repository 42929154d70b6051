package fleet_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/account"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/proposal"
	"github.com/coreroller/coreroller/fleet/view"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/rollout/calendar"
)

// guarded is a setup whose group requires approvals, with users and a second, free channel.
type guarded struct {
	*setup
	d            *harness
	ann, ben     context.Context // publishers
	olive, oscar context.Context // owners
	vic          context.Context // a viewer
	free         *db.Channel
}

func (d *harness) guarded() *guarded {
	d.t.Helper()
	g := &guarded{setup: d.setup(), d: d}
	user := func(name string, role auth.Role) context.Context {
		row := must(d.Accounts.CreateUser(d.ctx, account.CreateUser{Username: name, Password: "builder 1", Role: role}))(d.t)
		return auth.With(d.t.Context(), auth.Principal{UserID: row.ID, Name: name, TeamID: row.TeamID, Role: role, Credential: auth.CredentialSession})
	}
	g.ann, g.ben, g.vic = user("ann", auth.Publisher), user("ben", auth.Publisher), user("vic", auth.Viewer)
	g.olive, g.oscar = user("olive", auth.Owner), user("oscar", auth.Owner)
	g.free = must(d.CreateChannel(d.ctx, fleet.CreateChannel{ApplicationID: g.app.ID, Name: "free"}))(d.t)
	for _, version := range []string{"1.5.0", "3.0.0", "4.0.0"} {
		d.addPackage(g.setup, version)
	}
	must(d.UpdateGroup(d.ctx, fleet.UpdateGroup{ID: g.group.ID, RequireApproval: new(true)}))(d.t)
	return g
}

func (g *guarded) promotion(version string) *fleet.PromotePackage {
	id := g.packages[version]
	return &fleet.PromotePackage{ChannelID: g.channel.ID, PackageID: &id, Reason: "fixes the boot"}
}

// propose proposes the promotion of a version as ann.
func (g *guarded) propose(version string) *db.Proposal {
	g.d.t.Helper()
	return must(g.d.Propose(g.ann, fleet.Propose{PromotePackage: g.promotion(version)}))(g.d.t)
}

func (g *guarded) target() string {
	g.d.t.Helper()
	target := g.d.Catalog().Group(g.group.ID).Target
	if target == nil {
		return ""
	}
	return target.Version.String()
}

func code(t *testing.T, what string, err error, want fault.Code) {
	t.Helper()
	if got := fault.CodeOf(err); got != want {
		t.Errorf("%s: %q (%v), want %q", what, got, err, want)
	}
}

// attempt is a change that needs an approval. The changes of a list follow each other.
type attempt struct {
	name   string
	change fleet.Propose
}

func (g *guarded) attempts() []attempt {
	d, s := g.d, g.setup
	d.check(s, "m", "1.0.0")
	other := must(d.CreateGroup(d.ctx, fleet.CreateGroup{ApplicationID: s.app.ID, Name: "other", Track: "other"}))(d.t)
	wider := must(d.store.Reader().Group.Get(d.ctx, s.group.ID))(d.t).Policy
	wider.MaxUpdatesPerPeriod, wider.MaxConcurrentUpdates = 50, 50
	must(d.UpdateGroup(d.ctx, fleet.UpdateGroup{ID: s.group.ID, Track: new("t2")}))(d.t) // "t" becomes an alias
	old, newer := s.packages["1.5.0"], s.packages["4.0.0"]
	return []attempt{
		{"floor", fleet.Propose{AddFloor: &fleet.AddFloor{ChannelID: s.channel.ID, PackageID: old, Reason: "test"}}},
		{"no floor", fleet.Propose{RemoveFloor: &fleet.RemoveFloor{ChannelID: s.channel.ID, PackageID: old, Reason: "test"}}},
		{"wider policy", fleet.Propose{UpdatePolicy: &fleet.UpdatePolicy{GroupID: s.group.ID, Policy: wider, Reason: "test"}}},
		{"machine that leaves", fleet.Propose{MoveInstance: &fleet.MoveInstance{ID: s.instance("m"), GroupID: &other.ID, Reason: "test"}}},
		{"promotion", fleet.Propose{PromotePackage: g.promotion("3.0.0")}},
		{"promotion by updateChannel", fleet.Propose{UpdateChannel: &fleet.UpdateChannel{ID: s.channel.ID, SetPackage: true, PackageID: &newer, Reason: "test"}}},
		{"way back to a new version", fleet.Propose{RollBack: &fleet.RollBack{ChannelID: &s.channel.ID, ToPackageID: old, Reason: "test"}}},
		{"track that it gives up", fleet.Propose{UpdateGroup: &fleet.UpdateGroup{ID: s.group.ID, Aliases: []string{}, Reason: "test"}}},
		{"other channel", fleet.Propose{UpdateGroup: &fleet.UpdateGroup{ID: s.group.ID, SetChannel: true, ChannelID: &g.free.ID, Reason: "test"}}},
		{"no channel", fleet.Propose{UpdateGroup: &fleet.UpdateGroup{ID: s.group.ID, SetChannel: true, Reason: "test"}}},
		{"no approvals any more", fleet.Propose{UpdateGroup: &fleet.UpdateGroup{ID: s.group.ID, RequireApproval: new(false), Reason: "test"}}},
	}
}

// make makes a change itself, without a proposal.
func (g *guarded) make(ctx context.Context, in fleet.Propose) (err error) {
	switch {
	case in.PromotePackage != nil:
		_, err = g.d.PromotePackage(ctx, *in.PromotePackage)
	case in.RollBack != nil:
		_, err = g.d.RollBack(ctx, *in.RollBack)
	case in.AddFloor != nil:
		_, err = g.d.AddFloor(ctx, *in.AddFloor)
	case in.RemoveFloor != nil:
		_, err = g.d.RemoveFloor(ctx, *in.RemoveFloor)
	case in.UpdatePolicy != nil:
		_, err = g.d.UpdatePolicy(ctx, *in.UpdatePolicy)
	case in.UpdateGroup != nil:
		_, err = g.d.UpdateGroup(ctx, *in.UpdateGroup)
	case in.UpdateChannel != nil:
		_, err = g.d.UpdateChannel(ctx, *in.UpdateChannel)
	case in.MoveInstance != nil:
		_, err = g.d.MoveInstance(ctx, *in.MoveInstance)
	}
	return err
}

func TestWhatReachesMoreMachinesNeedsAnApproval(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		g := d.guarded()
		for _, a := range g.attempts() {
			before := len(must(d.store.Reader().Audit.Query().All(d.ctx))(t))
			code(t, a.name, g.make(g.olive, a.change), fault.ApprovalRequired)
			if after := len(must(d.store.Reader().Audit.Query().All(d.ctx))(t)); after != before {
				t.Errorf("%s: the refused change is in the audit", a.name)
			}
			row := must(d.Propose(g.olive, a.change))(t)
			if row.Summary == "" || len(row.Changes) == 0 || row.Reason == "" {
				t.Errorf("%s: the proposal is %q with changes %q and reason %q", a.name, row.Summary, row.Changes, row.Reason)
			}
			_, err := d.ApproveProposal(g.olive, fleet.DecideProposal{ID: row.ID})
			code(t, a.name+" approved by its author", err, fault.Forbidden)
			code(t, a.name+" while it is proposed", g.make(g.olive, a.change), fault.ApprovalRequired)
			decided := must(d.ApproveProposal(g.oscar, fleet.DecideProposal{ID: row.ID, Reason: "seen"}))(t)
			if decided.State != string(proposal.Approved) || decided.DecidedBy != "oscar" || decided.Decision != "seen" {
				t.Errorf("%s: decided %+v", a.name, decided)
			}
			made := d.audits(row.Verb)
			if last := made[len(made)-1]; last.Actor != "oscar" || last.Reason != row.Reason+" (proposed by olive)" {
				t.Errorf("%s: the audit has actor %s, reason %q", a.name, last.Actor, last.Reason)
			}
		}
		if approvals := d.audits("approveProposal"); len(approvals) != 11 || approvals[0].Actor != "oscar" {
			t.Errorf("audits of the approvals: %+v", approvals)
		}
		if err := g.make(g.olive, fleet.Propose{PromotePackage: g.promotion("3.0.0")}); err != nil {
			t.Errorf("promotion without approvals: %v", err)
		}
		d.checkCounters()
	})
}

func TestWhatEndsApprovalsIsRefused(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		g := d.guarded()
		must(d.UpdateChannel(d.ctx, fleet.UpdateChannel{ID: g.free.ID, RequireApproval: new(true)}))(t)
		code(t, "deletion of the group", d.DeleteGroup(g.olive, fleet.DeleteGroup{ID: g.group.ID, Force: true}), fault.Conflict)
		code(t, "deletion of the channel", d.DeleteChannel(g.olive, fleet.DeleteChannel{ID: g.free.ID, Force: true}), fault.Conflict)
		code(t, "deletion of the application", d.DeleteApplication(g.olive, fleet.DeleteApplication{ID: g.app.ID, Force: true}), fault.Conflict)
		_, err := d.UpdateApplication(g.olive, fleet.UpdateApplication{ID: g.app.ID, ProductID: new("io.example.other")})
		code(t, "another product id", err, fault.Conflict)
		size := int64(7)
		_, err = d.UpdatePackage(g.olive, fleet.UpdatePackage{ID: g.packages["2.0.0"], Size: &size, Force: true})
		code(t, "other content of the approved package", err, fault.Conflict)
		must(d.UpdatePackage(g.olive, fleet.UpdatePackage{ID: g.packages["2.0.0"], Description: new("LTS")}))(t)
		must(d.UpdatePackage(g.olive, fleet.UpdatePackage{ID: g.packages["3.0.0"], Size: &size}))(t)
		_, err = d.UpdateGroup(g.ann, fleet.UpdateGroup{ID: g.group.ID, RequireApproval: new(false)})
		code(t, "switched off by a publisher", err, fault.Forbidden)
	})
}

func TestWhatStopsMachinesNeedsNoApproval(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		g := d.guarded()
		row := g.propose("3.0.0")
		must(d.ApproveProposal(g.ben, fleet.DecideProposal{ID: row.ID}))(t)
		must(d.PauseUpdates(g.ann, fleet.PauseUpdates{GroupID: g.group.ID, Reason: "wait"}))(t)
		must(d.ResumeUpdates(g.ann, fleet.ResumeUpdates{GroupID: g.group.ID}))(t)
		must(d.HaltRollout(g.ann, fleet.HaltRollout{GroupID: g.group.ID, Reason: "bad"}))(t)
		_, err := d.ResumeUpdates(g.ann, fleet.ResumeUpdates{GroupID: g.group.ID})
		code(t, "release of the halt", err, fault.ApprovalRequired)
		must(d.PauseUpdates(g.ann, fleet.PauseUpdates{GroupID: g.group.ID, Reason: "wait"}))(t)
		_, err = d.ResumeUpdates(g.ann, fleet.ResumeUpdates{GroupID: g.group.ID})
		code(t, "release of the halt after a pause", err, fault.ApprovalRequired)
		narrower := must(d.store.Reader().Group.Get(d.ctx, g.group.ID))(t).Policy
		narrower.MaxUpdatesPerPeriod = 1
		must(d.UpdatePolicy(g.ann, fleet.UpdatePolicy{GroupID: g.group.ID, Policy: narrower}))(t)
		to := g.packages["2.0.0"]
		must(d.RollBack(g.ann, fleet.RollBack{ChannelID: &g.channel.ID, ToPackageID: to, Reason: "bad", BlacklistCurrent: true}))(t)
		if got := g.target(); got != "2.0.0" {
			t.Errorf("after the way back the target is %s", got)
		}
		must(d.PromotePackage(g.ann, fleet.PromotePackage{ChannelID: g.channel.ID}))(t)
		if n := must(d.store.Reader().Proposal.Query().Count(d.ctx))(t); n != 1 {
			t.Errorf("%d proposals", n)
		}
	})
}

func TestHaltIsReleasedWithAnApproval(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		g := d.guarded()
		must(d.HaltRollout(g.ann, fleet.HaltRollout{GroupID: g.group.ID, Reason: "bad"}))(t)
		row := must(d.Propose(g.ann, fleet.Propose{ResumeUpdates: &fleet.ResumeUpdates{GroupID: g.group.ID, Reason: "no fault of the release"}}))(t)
		impact := must(d.View.ProposalImpact(g.ben, row))(t)
		if impact == nil {
			t.Error("the proposal has no impact")
		}
		must(d.ApproveProposal(g.ben, fleet.DecideProposal{ID: row.ID}))(t)
		if r := d.rollout(g.group.ID); r.State != rollout.RolloutActive {
			t.Errorf("the rollout is %v", r.State)
		}
	})
}

// A pause and a halt need no approval, but can be proposed.
// One that another person has made meanwhile cannot be approved.
func TestPauseAndHaltCanBeProposed(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		g := d.guarded()
		halt := fleet.Propose{HaltRollout: &fleet.HaltRollout{GroupID: g.group.ID, Reason: "kernel panics"}}
		row := must(d.Propose(g.ann, halt))(t)
		if row.Verb != "haltRollout" || !strings.Contains(row.Summary, "halt the rollout of group "+g.group.Name) || must(d.View.ProposalImpact(g.ben, row))(t) == nil {
			t.Errorf("proposal %+v", row)
		}
		if r := d.rollout(g.group.ID); r.State != rollout.RolloutActive {
			t.Errorf("the proposal halted it: %v", r.State)
		}
		must(d.ApproveProposal(g.ben, fleet.DecideProposal{ID: row.ID}))(t)
		if r := d.rollout(g.group.ID); r.State != rollout.RolloutHalted || !strings.Contains(r.Halt.Reason, "kernel panics (proposed by ann)") {
			t.Errorf("the rollout is %v, %q", r.State, r.Halt.Reason)
		}
		_, err := d.Propose(g.ann, halt)
		code(t, "another reason is lost", err, fault.Conflict)

		pause := must(d.Propose(g.ann, fleet.Propose{PauseUpdates: &fleet.PauseUpdates{GroupID: g.group.ID, Reason: "migration"}}))(t)
		outdated := must(d.Propose(g.ann, fleet.Propose{PauseUpdates: &fleet.PauseUpdates{GroupID: g.group.ID, Reason: "another"}}))(t)
		_, err = d.ApproveProposal(g.vic, fleet.DecideProposal{ID: pause.ID})
		code(t, "a viewer approves", err, fault.Forbidden)
		must(d.ApproveProposal(g.ben, fleet.DecideProposal{ID: pause.ID}))(t)
		if row := must(d.store.Reader().Group.Get(d.ctx, g.group.ID))(t); row.Policy.UpdatesEnabled {
			t.Error("the group is not paused")
		}
		_, err = d.ApproveProposal(g.ben, fleet.DecideProposal{ID: outdated.ID})
		code(t, "paused meanwhile", err, fault.Conflict)
	})
}

// What was not proposed is not approved: the group is halted after the proposal.
func TestApprovalReleasesNoLaterHalt(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		g := d.guarded()
		must(d.PauseUpdates(g.ann, fleet.PauseUpdates{GroupID: g.group.ID, Reason: "wait"}))(t)
		wider := must(d.store.Reader().Group.Get(d.ctx, g.group.ID))(t).Policy
		wider.MaxUpdatesPerPeriod, wider.UpdatesEnabled = 50, true
		in := fleet.Propose{UpdatePolicy: &fleet.UpdatePolicy{GroupID: g.group.ID, Policy: wider, Reason: "faster"}}
		row := must(d.Propose(g.ann, in))(t)
		must(d.HaltRollout(g.ann, fleet.HaltRollout{GroupID: g.group.ID, Reason: "bad"}))(t)
		_, err := d.ApproveProposal(g.ben, fleet.DecideProposal{ID: row.ID})
		code(t, "approved after the halt", err, fault.Conflict)
		if r := d.rollout(g.group.ID); r.State != rollout.RolloutHalted {
			t.Errorf("the rollout is %v", r.State)
		}
		again := must(d.Propose(g.ann, in))(t)
		must(d.ApproveProposal(g.ben, fleet.DecideProposal{ID: again.ID}))(t)
		if r := d.rollout(g.group.ID); r.State != rollout.RolloutActive {
			t.Errorf("the rollout is %v", r.State)
		}
	})
}

func TestOnlyOthersWithTheRoleDecide(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		g := d.guarded()
		row := g.propose("3.0.0")
		in := fleet.DecideProposal{ID: row.ID, Reason: "no"}
		for name, ctx := range map[string]context.Context{"its author": g.ann, "a viewer": g.vic, "the command line": d.ctx} {
			_, err := d.ApproveProposal(ctx, in)
			code(t, name+" approves", err, fault.Forbidden)
			_, err = d.RefuseProposal(ctx, in)
			code(t, name+" refuses", err, fault.Forbidden)
			if why, err := d.View.Undecidable(ctx, row); why == "" || err != nil {
				t.Errorf("%s: undecidable %q, %v", name, why, err)
			}
		}
		_, err := d.WithdrawProposal(g.ben, in)
		code(t, "another user withdraws", err, fault.Forbidden)
		_, err = d.RefuseProposal(g.ben, fleet.DecideProposal{ID: row.ID})
		code(t, "refused without a reason", err, fault.Invalid)
		if why, err := d.View.Undecidable(g.ben, row); why != "" || err != nil {
			t.Errorf("ben: undecidable %q, %v", why, err)
		}
		refused := must(d.RefuseProposal(g.ben, in))(t)
		if refused.State != string(proposal.Refused) || refused.Decision != "no" || g.target() != "2.0.0" {
			t.Errorf("refused: %+v, target %s", refused, g.target())
		}
		_, err = d.ApproveProposal(g.ben, in)
		code(t, "approved after it was refused", err, fault.Conflict)
		own := must(d.WithdrawProposal(g.ann, fleet.DecideProposal{ID: g.propose("3.0.0").ID}))(t)
		if own.State != string(proposal.Withdrawn) {
			t.Errorf("withdrawn: %+v", own)
		}
		_, err = d.Propose(g.vic, fleet.Propose{PromotePackage: g.promotion("3.0.0")})
		code(t, "proposed by a viewer", err, fault.Forbidden)
		_, err = d.Propose(d.ctx, fleet.Propose{PromotePackage: g.promotion("3.0.0")})
		code(t, "proposed by the command line", err, fault.Forbidden)
	})
}

func TestProposalsAreCheckedLikeTheChange(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		g := d.guarded()
		missing := uuid.New()
		for name, c := range map[string]struct {
			in   fleet.Propose
			want fault.Code
		}{
			"nothing":            {fleet.Propose{}, fault.Invalid},
			"two changes":        {fleet.Propose{PromotePackage: g.promotion("3.0.0"), ResumeUpdates: &fleet.ResumeUpdates{GroupID: g.group.ID, Reason: "x"}}, fault.Invalid},
			"no reason":          {fleet.Propose{PromotePackage: &fleet.PromotePackage{ChannelID: g.channel.ID}}, fault.Invalid},
			"too short a time":   {fleet.Propose{PromotePackage: g.promotion("3.0.0"), ExpiresIn: time.Minute}, fault.Invalid},
			"too long a time":    {fleet.Propose{PromotePackage: g.promotion("3.0.0"), ExpiresIn: 200 * time.Hour}, fault.Invalid},
			"unknown package":    {fleet.Propose{PromotePackage: &fleet.PromotePackage{ChannelID: g.channel.ID, PackageID: &missing, Reason: "x"}}, fault.NotFound},
			"what is so already": {fleet.Propose{PromotePackage: g.promotion("2.0.0")}, fault.Conflict},
			"needs no approval":  {fleet.Propose{PromotePackage: &fleet.PromotePackage{ChannelID: g.free.ID, PackageID: new(g.packages["3.0.0"]), Reason: "x"}}, fault.Conflict},
		} {
			_, err := d.Propose(g.ann, c.in)
			code(t, name, err, c.want)
		}
	})
}

func TestProposalMustStillFit(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		g := d.guarded()
		size := int64(7)
		for _, c := range []struct {
			name   string
			change func() error
		}{
			{"the package was changed", func() error {
				_, err := d.UpdatePackage(d.ctx, fleet.UpdatePackage{ID: g.packages["3.0.0"], Size: &size})
				return err
			}},
			{"the channel was changed", func() error {
				_, err := d.BlacklistPackage(d.ctx, fleet.BlacklistPackage{ChannelID: g.channel.ID, PackageID: g.packages["4.0.0"]})
				return err
			}},
			{"the package was deleted", func() error {
				return d.DeletePackage(d.ctx, fleet.DeletePackage{ID: g.packages["3.0.0"]})
			}},
		} {
			row := g.propose("3.0.0")
			if !must(d.View.ProposalIsCurrent(g.ben, row))(t) {
				t.Errorf("%s: not current at first", c.name)
			}
			d.must(c.change())
			if must(d.View.ProposalIsCurrent(g.ben, row))(t) {
				t.Errorf("%s: still current", c.name)
			}
			_, err := d.ApproveProposal(g.ben, fleet.DecideProposal{ID: row.ID})
			code(t, c.name, err, fault.Conflict)
			if got := g.target(); got != "2.0.0" {
				t.Fatalf("%s: the target is %s", c.name, got)
			}
			must(d.WithdrawProposal(g.ann, fleet.DecideProposal{ID: row.ID}))(t)
		}
	})
}

func TestProposalsExpire(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		g := d.guarded()
		row := g.propose("3.0.0")
		if open := must(d.View.OpenProposals(g.ben))(t); open != 1 {
			t.Errorf("%d open proposals", open)
		}
		d.wait(proposal.Lifetime)
		if open := must(d.View.OpenProposals(g.ben))(t); open != 0 || proposal.StateOf(row, d.clock()) != proposal.Expired {
			t.Errorf("%d open proposals, state %s", open, proposal.StateOf(row, d.clock()))
		}
		_, err := d.ApproveProposal(g.ben, fleet.DecideProposal{ID: row.ID})
		code(t, "approved too late", err, fault.Conflict)
		d.must(d.Upkeep.Work(t.Context()))
		if row = must(d.View.Proposal(g.ben, row.ID))(t); row.State != string(proposal.Expired) {
			t.Errorf("stored as %s", row.State)
		}
		d.wait(91 * 24 * time.Hour)
		d.must(d.Upkeep.Work(t.Context()))
		_, err = d.View.Proposal(g.ben, row.ID)
		code(t, "91 days later", err, fault.NotFound)
	})
}

func TestOneOfTwoDecisionsIsMade(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		g := d.guarded()
		row := g.propose("3.0.0")
		var all sync.WaitGroup
		results := make(chan error, 8)
		for i := range cap(results) {
			all.Go(func() {
				in := fleet.DecideProposal{ID: row.ID, Reason: "decided"}
				decide := d.ApproveProposal
				if i%2 == 1 {
					decide = d.RefuseProposal
				}
				_, err := decide(g.ben, in)
				results <- err
			})
		}
		all.Wait()
		close(results)
		made := 0
		for err := range results {
			if err == nil {
				made++
			} else if fault.CodeOf(err) != fault.Conflict {
				t.Errorf("unexpected: %v", err)
			}
		}
		if made != 1 {
			t.Errorf("%d decisions were made", made)
		}
		row = must(d.View.Proposal(g.ben, row.ID))(t)
		if approved := row.State == string(proposal.Approved); approved != (g.target() == "3.0.0") {
			t.Errorf("the proposal is %s, the target %s", row.State, g.target())
		}
	})
}

func TestApprovalsNeedTwoPeople(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		s := d.setup()
		_, err := d.UpdateGroup(d.ctx, fleet.UpdateGroup{ID: s.group.ID, RequireApproval: new(true)})
		code(t, "with one user", err, fault.Conflict)
		must(d.Accounts.CreateUser(d.ctx, account.CreateUser{Username: "opal", Password: "builder 1", Role: auth.Operator}))(t)
		_, err = d.UpdateChannel(d.ctx, fleet.UpdateChannel{ID: s.channel.ID, RequireApproval: new(true)})
		code(t, "with an operator", err, fault.Conflict)
		must(d.Accounts.CreateUser(d.ctx, account.CreateUser{Username: "paul", Password: "builder 1", Role: auth.Publisher}))(t)
		_, err = d.UpdateChannel(d.ctx, fleet.UpdateChannel{ID: s.channel.ID, RequireApproval: new(true)})
		code(t, "with one publisher", err, fault.Conflict)
		must(d.Accounts.CreateUser(d.ctx, account.CreateUser{Username: "quinn", Password: "builder 1", Role: auth.Admin}))(t)
		must(d.UpdateChannel(d.ctx, fleet.UpdateChannel{ID: s.channel.ID, RequireApproval: new(true)}))(t)
		must(d.UpdateGroup(d.ctx, fleet.UpdateGroup{ID: s.group.ID, RequireApproval: new(true)}))(t)
	})
}

func TestOpenProposalNeedsAttention(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		g := d.guarded()
		proposed := func() []*view.Attention {
			return slices.DeleteFunc(must(d.View.Attention(g.vic))(t), func(a *view.Attention) bool { return a.Kind != view.AttentionProposed })
		}
		row := g.propose("3.0.0")
		all := proposed()
		if len(all) != 1 || all[0].Proposal.ID != row.ID || !all[0].Since.Equal(row.CreatedAt) {
			t.Fatalf("a proposal is open: %+v", all)
		}
		if want := "ann proposed to promote 3.0.0 to channel c, expires at " + row.ExpiresAt.UTC().Format(calendar.TimeLayout); all[0].Sentence != want {
			t.Errorf("the sentence is %q, want %q", all[0].Sentence, want)
		}
		must(d.RefuseProposal(g.ben, fleet.DecideProposal{ID: row.ID, Reason: "too early"}))(t)
		if all := proposed(); len(all) != 0 {
			t.Errorf("it is refused: %+v", all)
		}
	})
}
