package view

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/application"
	"github.com/coreroller/coreroller/ent/db/group"
	"github.com/coreroller/coreroller/ent/db/grouprollout"
	"github.com/coreroller/coreroller/ent/db/user"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/rollout/phrase"
	"github.com/coreroller/coreroller/rollout/policy"
)

const (
	// longPause is the duration after which a pause is reported.
	longPause = 24 * time.Hour
	// maxAttention limits the length of the list.
	maxAttention = 50
)

// AttentionKind is why an operator is needed.
type AttentionKind string

// The kinds of Attention.
const (
	AttentionHalted             AttentionKind = "HALTED"
	AttentionStalled            AttentionKind = "STALLED"
	AttentionPaused             AttentionKind = "PAUSED" // for longer than a day
	AttentionWaitingForApproval AttentionKind = "WAITING_FOR_APPROVAL"
	AttentionPolicyWarning      AttentionKind = "POLICY_WARNING"
	AttentionLostMachines       AttentionKind = "LOST_MACHINES"
	AttentionFailedMachines     AttentionKind = "FAILED_MACHINES"
	AttentionNewcomersFailing   AttentionKind = "NEWCOMERS_FAILING"
	AttentionRebootOverdue      AttentionKind = "REBOOT_OVERDUE"
	AttentionBadVersion         AttentionKind = "BAD_VERSION"
	AttentionNoPackage          AttentionKind = "NO_PACKAGE"
	AttentionDefaultPassword    AttentionKind = "DEFAULT_PASSWORD"
	AttentionRefusals           AttentionKind = "REFUSALS"      // in the last day
	AttentionFailedChecks       AttentionKind = "FAILED_CHECKS" // in the last day
	AttentionUnknownTrack       AttentionKind = "UNKNOWN_TRACK" // in the last day
	AttentionClock              AttentionKind = "CLOCK"         // of this server's host
	AttentionProposed           AttentionKind = "PROPOSED"
	AttentionStorage            AttentionKind = "STORAGE" // of payloads
	AttentionDisk               AttentionKind = "DISK"    // of this server's host
	AttentionMirror             AttentionKind = "MIRROR"  // a channel of it fails, or does not follow
	AttentionRebootSlotOverdue  AttentionKind = "REBOOT_SLOT_OVERDUE"
	AttentionNotifier           AttentionKind = "NOTIFIER" // it fails, or the server disabled it
)

// AttentionKinds returns all kinds.
func AttentionKinds() []AttentionKind {
	return []AttentionKind{
		AttentionHalted, AttentionStalled, AttentionPaused, AttentionWaitingForApproval, AttentionPolicyWarning, AttentionLostMachines,
		AttentionFailedMachines, AttentionNewcomersFailing, AttentionRebootOverdue, AttentionBadVersion, AttentionNoPackage,
		AttentionDefaultPassword, AttentionRefusals, AttentionFailedChecks, AttentionUnknownTrack, AttentionClock, AttentionProposed,
		AttentionStorage, AttentionDisk, AttentionMirror, AttentionRebootSlotOverdue, AttentionNotifier,
	}
}

// Attention is one thing that needs an operator.
type Attention struct {
	Kind     AttentionKind
	Severity rollout.Severity
	Since    *time.Time // nil: not known
	Sentence string
	Group    *db.Group // nil: not about a group
	// Application is that of the group or upstream.
	Application *db.Application
	Proposal    *db.Proposal // nil: not about a proposal
	Upstream    *db.Upstream // nil: not about a mirror
	Notifier    *db.Notifier // nil: not about a notifier
}

// attentions collects the list of Service.Attention.
type attentions []*Attention

func (a *attentions) add(g *db.Group, kind AttentionKind, severity rollout.Severity, since *time.Time, sentence string) {
	one := &Attention{Kind: kind, Severity: severity, Since: since, Sentence: sentence, Group: g}
	if g != nil {
		one.Application = g.Edges.Application
	}
	*a = append(*a, one)
}

// Attention returns what needs an operator, most urgent first, from the stored
// state of all groups.
func (s *Service) Attention(ctx context.Context) ([]*Attention, error) {
	out, err := s.AllAttention(ctx)
	return out[:min(len(out), maxAttention)], err
}

// AllAttention is Attention without a limit: an alert must not end because others begin.
func (s *Service) AllAttention(ctx context.Context) ([]*Attention, error) {
	groups, err := read(ctx, "groups", s.db().Group.Query().Where(group.DeletedAtIsNil(), group.HasApplicationWith(application.DeletedAtIsNil())).WithApplication().All)
	if err != nil {
		return nil, err
	}
	out := attentions{}
	byID := make(map[uuid.UUID]*db.Group, len(groups))
	for _, g := range groups {
		byID[g.ID] = g
		if _, problems := policy.Compile(g.Policy); len(problems) > 0 {
			out.add(g, AttentionPolicyWarning, rollout.SeverityWarning, nil, problems[0].Message)
		}
		if g.PausedAt != nil && !g.Policy.UpdatesEnabled && s.now().Sub(*g.PausedAt) > longPause {
			sentence := "paused for more than a day"
			if g.PauseReason != "" {
				sentence += ": " + g.PauseReason
			}
			out.add(g, AttentionPaused, rollout.SeverityWarning, g.PausedAt, sentence)
		}
	}
	if err := s.addProposals(ctx, byID, &out); err != nil {
		return nil, err
	}
	running, err := s.db().GroupRollout.Query().Where(grouprollout.ReplacedAtIsNil(), grouprollout.StateIn(rollout.RolloutActive, rollout.RolloutHalted, rollout.RolloutCompleted)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("read rollouts: %w", err)
	}
	for _, row := range running {
		g := byID[row.GroupID]
		switch {
		case g == nil: // created after the first query
		case row.State == rollout.RolloutCompleted: // it still updates machines that join late
		case row.State == rollout.RolloutHalted:
			out.add(g, AttentionHalted, rollout.SeverityError, &row.Halt.At, row.Halt.Since(row.Failing).Sentence())
		case !row.Stall.Since.IsZero():
			out.add(g, AttentionStalled, rollout.SeverityWarning, &row.Stall.Since, row.Stall.Cause+"; "+row.Stall.Action)
		case s.waitsForApproval(row, g.Policy):
			out.add(g, AttentionWaitingForApproval, rollout.SeverityWarning, soaked(row, g.Policy),
				fmt.Sprintf("wave %d of %d needs approval", row.Wave+2, len(g.Policy.Waves)))
		}
	}
	if err := s.addMachines(ctx, groups, running, &out); err != nil {
		return nil, err
	}
	first, err := s.db().User.Query().Where(user.Username("admin"), user.MustChangePassword(true)).Exist(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the first user: %w", err)
	}
	if first {
		out.add(nil, AttentionDefaultPassword, rollout.SeverityWarning, nil, "the user admin has not changed the first password")
	}
	if text := s.clock().Text; text != "" {
		out.add(nil, AttentionClock, rollout.SeverityError, nil, text)
	}
	warning, err := s.hosting(ctx)
	if err != nil {
		return nil, err
	}
	if warning != "" {
		out.add(nil, AttentionStorage, rollout.SeverityWarning, nil, warning)
	}
	s.addDisks(&out)
	if err := s.addRebootSlots(ctx, byID, &out); err != nil {
		return nil, err
	}
	if err := s.addRefusals(ctx, byID, &out); err != nil {
		return nil, err
	}
	if err := s.addUnknownTracks(ctx, &out); err != nil {
		return nil, err
	}
	if err := s.addUpstreams(ctx, &out); err != nil {
		return nil, err
	}
	if err := s.addNotifiers(ctx, &out); err != nil {
		return nil, err
	}
	slices.SortStableFunc(out, func(a, b *Attention) int { return cmp.Compare(b.Severity, a.Severity) })
	return out, nil
}

// addDisks adds the disks of this process that have little room.
func (s *Service) addDisks(out *attentions) {
	for _, d := range s.disks() {
		switch {
		case d.Tight():
			out.add(nil, AttentionDisk, rollout.SeverityError, nil, d.Sentence())
		case d.Low():
			out.add(nil, AttentionDisk, rollout.SeverityWarning, nil, d.Sentence())
		}
	}
}

// waitsForApproval reports whether the next wave only needs approval.
func (s *Service) waitsForApproval(row *db.GroupRollout, p rollout.Policy) bool {
	if row.Wave >= len(p.Waves)-1 || row.Approved || row.GateAt == nil || !p.UpdatesEnabled {
		return false
	}
	return p.Waves[row.Wave].Approval && !s.now().Before(*soaked(row, p))
}

// soaked returns when the soak time of the current wave ends.
func soaked(row *db.GroupRollout, p rollout.Policy) *time.Time {
	at := row.GateAt.Add(p.Waves[row.Wave].Soak)
	return &at
}

// addMachines adds what the counters of groups and of running rollouts say about
// machines.
func (s *Service) addMachines(ctx context.Context, groups []*db.Group, running []*db.GroupRollout, out *attentions) error {
	ids, current := make([]uuid.UUID, len(groups)), map[uuid.UUID]*db.GroupRollout{}
	for i, g := range groups {
		ids[i] = g.ID
	}
	numbers, err := s.ManyGroupNumbers(ctx, ids)
	if err != nil {
		return err
	}
	rollouts := make([]uuid.UUID, len(running))
	for i, row := range running {
		rollouts[i], current[row.GroupID] = row.ID, row
	}
	waves, err := s.Waves(ctx, rollouts)
	if err != nil {
		return err
	}
	for _, g := range groups {
		n := numbers[g.ID]
		if n == nil {
			continue // deleted meanwhile
		}
		add := func(kind AttentionKind, severity rollout.Severity, count int, one, many string) {
			if count > 0 {
				out.add(g, kind, severity, nil, phrase.Count(count, "machine")+either(count, one, many))
			}
		}
		if row := current[g.ID]; row != nil {
			if text := " silent since the installation of " + row.Version; row.State != rollout.RolloutCompleted {
				add(AttentionLostMachines, rollout.SeverityError, SumWaves(waves[row.ID]).Lost, " is"+text, " are"+text)
			}
			if text := " not known before the rollout failed: no further one updates"; row.Newcomers.Failing(&g.Policy, row.Proofs) {
				add(AttentionNewcomersFailing, rollout.SeverityWarning, row.Newcomers.Evidence.Failed, " that was"+text, " that were"+text)
			}
		}
		add(AttentionFailedMachines, rollout.SeverityWarning, n.Failed, " failed and waits for its next check", " failed and wait for their next check")
		add(AttentionFailedMachines, rollout.SeverityWarning, n.Quarantined, " is quarantined", " are quarantined")
		if row := current[g.ID]; row == nil || row.State != rollout.RolloutHalted { // a halt says so itself
			add(AttentionBadVersion, rollout.SeverityWarning, n.BadVersion-n.Recalled, " stays on a blacklisted version", " stay on a blacklisted version")
		}
		add(AttentionRebootOverdue, rollout.SeverityWarning, n.RebootOverdue, " waits for its reboot for too long", " wait for their reboot for too long")
		if c := s.seen(ctx).Group(g.ID); c != nil && c.Target == nil {
			add(AttentionNoPackage, rollout.SeverityWarning, n.Active, " checks in, but there is no package to offer", " check in, but there is no package to offer")
		}
	}
	return nil
}
