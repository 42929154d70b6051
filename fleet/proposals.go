package fleet

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/proposal"
	"github.com/coreroller/coreroller/event"
	"github.com/coreroller/coreroller/fleet/change"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/input"
	states "github.com/coreroller/coreroller/fleet/proposal"
	"github.com/coreroller/coreroller/store"
)

// maxProposed is how many proposals of one application can be open.
const maxProposed = 100

// Propose is the input of Service.Propose: exactly one change, with its reason.
type Propose struct {
	PromotePackage *PromotePackage `json:",omitempty"`
	RollBack       *RollBack       `json:",omitempty"`
	AddFloor       *AddFloor       `json:",omitempty"`
	RemoveFloor    *RemoveFloor    `json:",omitempty"`
	UpdateChannel  *UpdateChannel  `json:",omitempty"`
	UpdateGroup    *UpdateGroup    `json:",omitempty"`
	UpdatePolicy   *UpdatePolicy   `json:",omitempty"`
	PauseUpdates   *PauseUpdates   `json:",omitempty"` // needs no approval, but can be proposed
	HaltRollout    *HaltRollout    `json:",omitempty"` // the same
	ResumeUpdates  *ResumeUpdates  `json:",omitempty"`
	AdvanceWave    *AdvanceWave    `json:",omitempty"`
	MoveInstance   *MoveInstance   `json:",omitempty"`

	ExpiresIn time.Duration `json:"-"` // 0 = proposal.Lifetime
}

// proposed is one change of a Propose.
type proposed struct {
	reason *string
	run    func(context.Context) error
}

// one returns the only change of a proposal.
func (s *Service) one(in *Propose) (proposed, error) {
	var all []proposed
	add(&all, in.PromotePackage, s.PromotePackage, func(v *PromotePackage) *string { return &v.Reason })
	add(&all, in.RollBack, s.RollBack, func(v *RollBack) *string { return &v.Reason })
	add(&all, in.AddFloor, s.AddFloor, func(v *AddFloor) *string { return &v.Reason })
	add(&all, in.RemoveFloor, s.RemoveFloor, func(v *RemoveFloor) *string { return &v.Reason })
	add(&all, in.UpdateChannel, s.UpdateChannel, func(v *UpdateChannel) *string { return &v.Reason })
	add(&all, in.UpdateGroup, s.UpdateGroup, func(v *UpdateGroup) *string { return &v.Reason })
	add(&all, in.UpdatePolicy, s.UpdatePolicy, func(v *UpdatePolicy) *string { return &v.Reason })
	add(&all, in.PauseUpdates, s.PauseUpdates, func(v *PauseUpdates) *string { return &v.Reason })
	add(&all, in.HaltRollout, s.HaltRollout, func(v *HaltRollout) *string { return &v.Reason })
	add(&all, in.ResumeUpdates, s.ResumeUpdates, func(v *ResumeUpdates) *string { return &v.Reason })
	add(&all, in.AdvanceWave, s.AdvanceWave, func(v *AdvanceWave) *string { return &v.Reason })
	add(&all, in.MoveInstance, s.MoveInstance, func(v *MoveInstance) *string { return &v.Reason })
	if len(all) != 1 {
		return proposed{}, fault.Errorf(fault.Invalid, "", "give exactly one change, not %d", len(all))
	}
	return all[0], nil
}

func add[In, Out any](all *[]proposed, in *In, verb func(context.Context, In) (Out, error), reason func(*In) *string) {
	if in != nil {
		*all = append(*all, proposed{reason(in), func(ctx context.Context) error { _, err := verb(ctx, *in); return err }})
	}
}

// Propose proposes a change that needs another person's approval. The change is checked as
// if it was made now, with its errors.
func (s *Service) Propose(ctx context.Context, in Propose) (*db.Proposal, error) {
	v := change.Verb{Name: "propose", Object: "proposal", ID: store.NewID(s.now())}
	by, err := fault.RequireVerb(ctx, v.Name)
	if err != nil {
		return nil, err
	}
	what, err := s.checkProposal(by, &in)
	if err != nil {
		return nil, err
	}
	trial, err := change.Try(ctx, what.run)
	if err != nil {
		return nil, err
	}
	if len(trial.Steps) == 0 {
		return nil, fault.Errorf(fault.Conflict, "", "%s needs no approval here: make the change itself", trial.Verb.Name)
	}
	row, err := draft(by, trial, &in)
	if err != nil {
		return nil, v.Expected(err)
	}
	if row.Basis, err = states.Basis(ctx, s.store.Reader(), row); err != nil {
		return nil, v.Expected(err)
	}
	v.By, v.App, v.Reason, v.Groups = by, row.ApplicationID, *what.reason, trial.Verb.Groups
	err = s.changes.Operate(ctx, v, func(c *change.Change) error {
		open, err := c.Tx.Client().Proposal.Query().Where(proposal.ApplicationID(c.App), proposal.State(string(states.Open)), proposal.ExpiresAtGT(c.Now)).Count(ctx)
		if err != nil {
			return err
		}
		if open >= maxProposed {
			return fault.Errorf(fault.Conflict, "", "%d proposals of the application are open, which is the most: decide some of them first", open)
		}
		c.After = map[string]any{"summary": row.Summary, "changes": row.Changes, "expiresAt": c.Now.Add(in.ExpiresIn)}
		c.Tx.Publish(proposalEvent(row))
		return c.Tx.Client().Proposal.Create().SetID(c.ID).SetApplicationID(c.App).SetNillableGroupID(row.GroupID).SetNillableChannelID(row.ChannelID).
			SetNillablePackageID(row.PackageID).SetNillableInstanceID(row.InstanceID).SetVerb(row.Verb).SetInput(row.Input).SetBasis(row.Basis).
			SetSummary(row.Summary).SetChanges(row.Changes).SetReason(c.Reason).SetUserID(by.UserID).SetCreatedBy(by.Name).
			SetCreatedAt(c.Now).SetExpiresAt(c.Now.Add(in.ExpiresIn)).SetState(string(states.Open)).Exec(ctx)
	})
	if err != nil {
		return nil, err
	}
	return s.View.Proposal(ctx, v.ID)
}

// checkProposal checks what does not depend on the change.
func (s *Service) checkProposal(by auth.Principal, in *Propose) (proposed, error) {
	what, err := s.one(in)
	if err != nil {
		return what, err
	}
	if in.ExpiresIn == 0 {
		in.ExpiresIn = states.Lifetime
	}
	var p input.Problems
	switch {
	case in.ExpiresIn < states.MinLifetime || in.ExpiresIn > states.MaxLifetime:
		p.Add("expiresIn", "must be from 5 minutes to 7 days")
	case *what.reason == "":
		p.Add("reason", "must not be empty: it is what the other person decides on")
	case len(*what.reason)+len(attribution(by.Name)) > input.MaxReason:
		p.Add("reason", "must have at most %d bytes", input.MaxReason-len(attribution(by.Name)))
	case by.UserID == uuid.Nil:
		return what, fault.Errorf(fault.Forbidden, "", "only users propose changes: sign in as one")
	}
	return what, p.Err()
}

// attribution is what an approved change has behind its reason.
func attribution(proposer string) string { return fmt.Sprintf(" (proposed by %s)", proposer) }

// draft returns the row of a proposal without its basis.
func draft(by auth.Principal, t *change.Trial, in *Propose) (*db.Proposal, error) {
	text, err := json.Marshal(in)
	row := &db.Proposal{ApplicationID: t.Verb.App, Verb: t.Verb.Name, Input: string(text), UserID: by.UserID, CreatedBy: by.Name}
	var summaries []string
	for _, step := range t.Steps {
		summaries = append(summaries, step.Summary)
		row.Changes = append(row.Changes, step.Changes...)
		for to, id := range map[**uuid.UUID]uuid.UUID{&row.ChannelID: step.Channel, &row.GroupID: step.Group, &row.PackageID: step.Package, &row.InstanceID: step.Instance} {
			if id != uuid.Nil {
				*to = &id
			}
		}
	}
	row.Summary = strings.Join(summaries, ", and ")
	return row, err
}

// DecideProposal is the input of ApproveProposal, RefuseProposal and WithdrawProposal.
type DecideProposal struct {
	ID     uuid.UUID
	Reason string // not empty for RefuseProposal
}

// ApproveProposal makes a proposed change. The caller must be another user than its author
// and needs the role of the change itself. It fails if what the change concerns is not as
// it was when the change was proposed.
func (s *Service) ApproveProposal(ctx context.Context, in DecideProposal) (*db.Proposal, error) {
	_, row, err := s.decidable(ctx, "approveProposal", in)
	if err != nil {
		return nil, err
	}
	if err := s.mayDecide(ctx, row); err != nil {
		return nil, err
	}
	var stored Propose
	if err := json.Unmarshal([]byte(row.Input), &stored); err != nil {
		return nil, fmt.Errorf("approveProposal: %w", err)
	}
	what, err := s.one(&stored)
	if err != nil {
		return nil, fmt.Errorf("approveProposal: %w", err)
	}
	*what.reason += attribution(row.CreatedBy)
	approval := &change.Approval{
		Check: func(c *change.Change) error { return stillFits(c, row) },
		Allow: func(step change.Step) error { return wasProposed(row, step) },
		Done:  func(c *change.Change) error { return approved(c, row, in.Reason) },
	}
	if err := what.run(change.Approve(ctx, approval)); err != nil {
		return nil, err
	}
	return s.View.Proposal(ctx, in.ID)
}

// RefuseProposal ends a proposal without a change. It needs the role of the change itself.
func (s *Service) RefuseProposal(ctx context.Context, in DecideProposal) (*db.Proposal, error) {
	_, row, err := s.decidable(ctx, "refuseProposal", in)
	if err == nil {
		err = s.mayDecide(ctx, row)
	}
	if err == nil && in.Reason == "" {
		err = fault.Errorf(fault.Invalid, "reason", "must not be empty")
	}
	if err != nil {
		return nil, err
	}
	return s.endProposal(ctx, "refuseProposal", row, states.Refused, in.Reason)
}

// WithdrawProposal ends a proposal of the caller.
func (s *Service) WithdrawProposal(ctx context.Context, in DecideProposal) (*db.Proposal, error) {
	by, row, err := s.decidable(ctx, "withdrawProposal", in)
	if err != nil {
		return nil, err
	}
	if by.UserID != row.UserID {
		return nil, fault.Errorf(fault.Forbidden, "id", "only %s, who proposed it, can withdraw it: refuse it", row.CreatedBy)
	}
	return s.endProposal(ctx, "withdrawProposal", row, states.Withdrawn, in.Reason)
}

// decidable returns the caller, who has the role for a verb, and an open proposal.
func (s *Service) decidable(ctx context.Context, verb string, in DecideProposal) (auth.Principal, *db.Proposal, error) {
	by, err := fault.RequireVerb(ctx, verb)
	if err == nil {
		err = input.CheckReason(in.Reason)
	}
	if err != nil {
		return by, nil, err
	}
	row, err := s.View.Proposal(ctx, in.ID)
	if err != nil {
		return by, nil, err
	}
	if state := states.StateOf(row, s.now()); state != states.Open {
		return by, nil, fault.Errorf(fault.Conflict, "id", "the proposal is %s", strings.ToLower(string(state)))
	}
	return by, row, nil
}

// mayDecide checks that the caller may decide about a proposal. The verb checks the role
// again under its locks.
func (s *Service) mayDecide(ctx context.Context, row *db.Proposal) error {
	why, err := s.View.Undecidable(ctx, row)
	if why != "" {
		return fault.Errorf(fault.Forbidden, "id", "%s", why)
	}
	return err
}

func (s *Service) endProposal(ctx context.Context, verb string, row *db.Proposal, state states.State, reason string) (*db.Proposal, error) {
	v := change.Verb{Name: verb, App: row.ApplicationID, Object: "proposal", ID: row.ID, Reason: reason}
	if row.GroupID != nil {
		v.Groups = []uuid.UUID{*row.GroupID}
	}
	var err error
	if v.By, err = fault.RequireVerb(ctx, verb); err != nil {
		return nil, err
	}
	err = s.changes.Do(ctx, v, func(c *change.Change) error {
		if err := c.Load(); err != nil {
			return err
		}
		if err := c.Allow(row.Verb); err != nil {
			return err
		}
		c.Before = map[string]any{"summary": row.Summary, "proposedBy": row.CreatedBy}
		return decide(c, row, state, reason)
	})
	if err != nil {
		return nil, err
	}
	return s.View.Proposal(ctx, row.ID)
}

// decide ends an open proposal.
func decide(c *change.Change, row *db.Proposal, state states.State, reason string) error {
	n, err := c.Tx.Client().Proposal.Update().Where(proposal.ID(row.ID), proposal.State(string(states.Open)), proposal.ExpiresAtGT(c.Now)).
		SetState(string(state)).SetDecidedAt(c.Now).SetDecidedBy(c.By.Name).SetDecision(reason).Save(c.Ctx)
	if err != nil {
		return err
	}
	if n == 0 {
		return fault.Errorf(fault.Conflict, "id", "the proposal is not open any more")
	}
	c.Tx.Publish(proposalEvent(row))
	return nil
}

// stillFits checks that what a proposal concerns has not changed since it was made.
func stillFits(c *change.Change, row *db.Proposal) error {
	basis, err := states.Basis(c.Ctx, c.Tx.Client(), row)
	if err == nil && basis != row.Basis {
		err = fault.Errorf(fault.Conflict, "id", "what the proposal concerns has changed since it was made: it must be proposed again")
	}
	return err
}

// wasProposed checks that a step is one that the approver saw: since the proposal was made
// the change can have got another one, such as the release of a later halt.
func wasProposed(row *db.Proposal, step change.Step) error {
	if !strings.Contains(row.Summary, step.Summary) {
		return fault.Errorf(fault.Conflict, "id", "it would now also %s, which was not proposed: it must be proposed again", step.Summary)
	}
	return nil
}

// approved ends a proposal in the transaction of the change, with an audit of its own.
func approved(c *change.Change, row *db.Proposal, reason string) error {
	if err := decide(c, row, states.Approved, reason); err != nil {
		return err
	}
	return c.Tx.Audit(store.Audit{
		TeamID: c.Team(), Actor: c.By.Name, Credential: c.By.Proof(), Address: auth.Address(c.Ctx),
		Verb: "approveProposal", Object: "proposal", ObjectID: row.ID, ApplicationID: row.ApplicationID,
		After: map[string]string{"summary": row.Summary, "proposedBy": row.CreatedBy}, Reason: reason,
	})
}

// expireProposals ends the open proposals whose time is over.
func (s *Service) expireProposals(ctx context.Context, now time.Time) error {
	over := proposal.And(proposal.State(string(states.Open)), proposal.ExpiresAtLTE(now))
	rows, err := s.store.Reader().Proposal.Query().Where(over).All(ctx)
	if err != nil || len(rows) == 0 {
		return err
	}
	return s.store.Write(ctx, now, func(tx *store.Tx) error {
		for _, row := range rows {
			tx.Publish(proposalEvent(row))
		}
		return tx.Client().Proposal.Update().Where(over).SetState(string(states.Expired)).SetDecidedAt(now).Exec(ctx)
	})
}

func proposalEvent(row *db.Proposal) event.Event {
	return event.Event{Kind: event.ProposalChanged, App: row.ApplicationID, Group: input.Or(row.GroupID, uuid.Nil)}
}
