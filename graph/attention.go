package graph

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/grouprollout"
	"github.com/coreroller/coreroller/ent/db/user"
	"github.com/coreroller/coreroller/graph/model"
	"github.com/coreroller/coreroller/rollout"
)

const (
	// longPause is the duration after which a pause is reported.
	longPause = 24 * time.Hour
	// maxAttention limits the length of the list.
	maxAttention = 50
)

// attention returns what needs an operator, most urgent first, from the stored
// state of all groups.
func (r *Resolver) attention(ctx context.Context) ([]*model.Attention, error) {
	groups, err := r.reader.Group.Query().WithApplication().All(ctx)
	if err != nil {
		return nil, err
	}
	byID := make(map[uuid.UUID]*db.Group, len(groups))
	out := []*model.Attention{}
	add := func(g *db.Group, kind model.AttentionKind, s rollout.Severity, since *time.Time, sentence string) {
		a := &model.Attention{Kind: kind, Severity: s, Since: since, Sentence: sentence}
		if g != nil {
			a.Group, a.Application = g, g.Edges.Application
		}
		out = append(out, a)
	}
	for _, g := range groups {
		byID[g.ID] = g
		if _, warnings := describe(g.Policy); len(warnings) > 0 {
			add(g, model.AttentionKindPolicyWarning, rollout.SeverityWarning, nil, warnings[0])
		}
		if g.PausedAt != nil && !g.Policy.UpdatesEnabled && r.Now().Sub(*g.PausedAt) > longPause {
			add(g, model.AttentionKindPaused, rollout.SeverityWarning, g.PausedAt, "paused for more than a day"+because(g.PauseReason))
		}
	}
	running, err := r.reader.GroupRollout.Query().
		Where(grouprollout.StateIn(rollout.RolloutActive, rollout.RolloutHalted)).All(ctx)
	if err != nil {
		return nil, err
	}
	for _, row := range running {
		g := byID[row.GroupID]
		switch {
		case g == nil: // created after the first query
		case row.State == rollout.RolloutHalted:
			add(g, model.AttentionKindHalted, rollout.SeverityError, &row.Halt.At, haltSentence(&row.Halt))
		case r.waitsForApproval(row, g.Policy):
			add(g, model.AttentionKindWaitingForApproval, rollout.SeverityWarning, soaked(row, g.Policy),
				fmt.Sprintf("wave %d of %d needs approval", row.Wave+2, len(g.Policy.Waves)))
		}
	}
	if err := r.withoutPackage(ctx, groups, add); err != nil {
		return nil, err
	}
	first, err := r.reader.User.Query().Where(user.Username("admin"), user.MustChangePassword(true)).Exist(ctx)
	if err != nil {
		return nil, err
	}
	if first {
		add(nil, model.AttentionKindDefaultPassword, rollout.SeverityWarning, nil, "the user admin has not changed the first password")
	}
	slices.SortStableFunc(out, func(a, b *model.Attention) int { return cmp.Compare(b.Severity, a.Severity) })
	return out[:min(len(out), maxAttention)], nil
}

// waitsForApproval reports whether the next wave only needs approval.
func (r *Resolver) waitsForApproval(row *db.GroupRollout, p rollout.Policy) bool {
	if row.Wave >= len(p.Waves)-1 || row.Approved || row.GateAt == nil || !p.UpdatesEnabled {
		return false
	}
	return p.Waves[row.Wave].Approval && !r.Now().Before(*soaked(row, p))
}

// soaked returns when the soak time of the current wave ends.
func soaked(row *db.GroupRollout, p rollout.Policy) *time.Time {
	at := row.GateAt.Add(p.Waves[row.Wave].Soak)
	return &at
}

// withoutPackage adds the groups that have active machines but no package.
func (r *Resolver) withoutPackage(ctx context.Context, groups []*db.Group,
	add func(*db.Group, model.AttentionKind, rollout.Severity, *time.Time, string),
) error {
	var ids []uuid.UUID
	for _, g := range groups {
		if c := r.fleet.Catalog().Group(g.ID); c != nil && c.Target == nil {
			ids = append(ids, g.ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	numbers, err := r.fleet.View.ManyGroupNumbers(ctx, ids)
	if err != nil {
		return err
	}
	for _, g := range groups {
		if n := numbers[g.ID]; n != nil && n.Active > 0 {
			add(g, model.AttentionKindNoPackage, rollout.SeverityWarning, nil,
				fmt.Sprintf("%d machines check in, but there is no package to offer", n.Active))
		}
	}
	return nil
}

func because(reason string) string {
	if reason == "" {
		return ""
	}
	return ": " + reason
}
