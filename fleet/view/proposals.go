package view

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/proposal"
	"github.com/coreroller/coreroller/fleet/fault"
	states "github.com/coreroller/coreroller/fleet/proposal"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/rollout/calendar"
)

// Proposal reads one proposal.
func (s *Service) Proposal(ctx context.Context, id uuid.UUID) (*db.Proposal, error) {
	return one(ctx, "proposal", s.db().Proposal.Query().Where(proposal.ID(id)).Only)
}

// Proposals returns the list of proposals, newest first; with open only those that
// wait for a decision.
func (s *Service) Proposals(open bool) *List[*db.Proposal] {
	q := s.db().Proposal.Query()
	if open {
		q.Where(proposal.State(string(states.Open)), proposal.ExpiresAtGT(s.now()))
	}
	return listOf(q, byID(func(p *db.Proposal) uuid.UUID { return p.ID }))
}

// OpenProposals counts the proposals that wait for a decision.
func (s *Service) OpenProposals(ctx context.Context) (int, error) {
	return read(ctx, "proposals", s.db().Proposal.Query().Where(proposal.State(string(states.Open)), proposal.ExpiresAtGT(s.now())).Count)
}

// addProposals adds the proposals that wait for a decision.
func (s *Service) addProposals(ctx context.Context, groups map[uuid.UUID]*db.Group, out *attentions) error {
	open, err := s.Proposals(true).Page(ctx, maxAttention)
	if err != nil {
		return err
	}
	for _, row := range open.Rows {
		var g *db.Group
		if row.GroupID != nil {
			g = groups[*row.GroupID]
		}
		out.add(g, AttentionProposed, rollout.SeverityWarning, &row.CreatedAt,
			fmt.Sprintf("%s proposed to %s, expires at %s", row.CreatedBy, row.Summary, row.ExpiresAt.UTC().Format(calendar.TimeLayout)))
		(*out)[len(*out)-1].Proposal = row
	}
	return nil
}

// Undecidable returns why the caller cannot decide about a proposal, "" if it can.
func (s *Service) Undecidable(ctx context.Context, row *db.Proposal) (string, error) {
	by, err := fault.Require(ctx, auth.Viewer)
	if err != nil {
		return "", err
	}
	place := auth.Place{Application: row.ApplicationID}
	if app := s.seen(ctx).App(row.ApplicationID); app != nil {
		place.Team = app.TeamID
	}
	if row.GroupID != nil {
		place.Group = *row.GroupID
	}
	switch {
	case states.StateOf(row, s.now()) != states.Open:
		return "it is not open any more", nil
	case by.UserID == row.UserID:
		return "you proposed it: another person must decide", nil
	case by.UserID == uuid.Nil:
		return "only users decide about proposals", nil
	}
	if refused := by.RequireOn(row.Verb, place); refused != nil {
		return refused.Error(), nil //nolint:nilerr // it is the answer
	}
	return "", nil
}

// ProposalIsCurrent reports whether what an open proposal concerns is as it was when the
// proposal was made; else it cannot be approved.
func (s *Service) ProposalIsCurrent(ctx context.Context, row *db.Proposal) (bool, error) {
	basis, err := read(ctx, "what a proposal concerns", func(ctx context.Context) (string, error) {
		return states.Basis(ctx, s.db(), row)
	})
	return basis == row.Basis, err
}

// ProposalImpact returns the effect of a proposed change on machines now; nil for changes
// of which it is not known.
func (s *Service) ProposalImpact(ctx context.Context, row *db.Proposal) (*Impact, error) {
	if _, err := fault.Require(ctx, auth.Viewer); err != nil {
		return nil, err
	}
	var in struct {
		UpdatePolicy *struct{ Policy rollout.Policy }
	}
	if err := json.Unmarshal([]byte(row.Input), &in); err != nil {
		return nil, fmt.Errorf("read proposal: %w", err)
	}
	var impact *Impact
	var err error
	switch {
	case row.Verb == "promotePackage" && row.ChannelID != nil && row.PackageID != nil:
		impact, err = s.PromotionImpact(ctx, *row.ChannelID, *row.PackageID)
	case in.UpdatePolicy != nil && row.GroupID != nil:
		impact, err = s.PolicyImpact(ctx, *row.GroupID, in.UpdatePolicy.Policy)
	case row.Verb == "pauseUpdates":
		impact, err = s.ControlImpact(ctx, *row.GroupID, ControlPause)
	case row.Verb == "haltRollout":
		impact, err = s.ControlImpact(ctx, *row.GroupID, ControlHalt)
	case row.Verb == "resumeUpdates":
		impact, err = s.ControlImpact(ctx, *row.GroupID, ControlResume)
	case row.Verb == "advanceWave":
		impact, err = s.ControlImpact(ctx, *row.GroupID, ControlAdvance)
	}
	if fault.CodeOf(err) != "" { // deleted, or no next wave any more
		return nil, nil
	}
	return impact, err
}
