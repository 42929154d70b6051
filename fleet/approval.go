package fleet

import (
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/promotion"
	"github.com/coreroller/coreroller/fleet/account"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/change"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/rollout/phrase"
	"github.com/coreroller/coreroller/rollout/policy"
	"github.com/coreroller/coreroller/store"
)

// This file says what needs another person's approval in groups and on channels that
// require it: everything with which machines can get what was not approved, or get it sooner. What stops or slows down machines never does.

// approvePromotion needs an approval for a package that the channel offers its machines.
// Back to a package that the channel pointed to before, RollBack needs none.
func approvePromotion(c *change.Change, ch *catalog.Channel, id *uuid.UUID, version string) error {
	if id == nil || !c.Config.PromotionNeedsApproval(ch) {
		return nil
	}
	if c.Name == rollBack {
		before, err := c.Tx.Client().Promotion.Query().Where(promotion.ChannelID(ch.ID), promotion.PackageID(*id)).Exist(c.Ctx)
		if before || err != nil {
			return err
		}
	}
	now := "no package"
	if ch.Target != nil {
		now = ch.Target.Version.String()
	}
	return c.NeedApproval(change.Step{
		Summary: fmt.Sprintf("promote %s to channel %s", version, ch.Name), Channel: ch.ID, Package: *id,
		Changes: []string{phrase.Change(fmt.Sprintf("package of channel %s, %s", ch.Name, ch.Arch), now, version)},
	})
}

// approveFloor needs an approval for a package that machines get on their way, or skip.
func approveFloor(c *change.Change, ch *catalog.Channel, row *db.Release, verb string) error {
	if !c.Config.PromotionNeedsApproval(ch) {
		return nil
	}
	was, is := "no floor", "floor"
	if verb == "remove" {
		was, is = is, was
	}
	return c.NeedApproval(change.Step{
		Summary: fmt.Sprintf("%s floor %s of channel %s", verb, row.Version, ch.Name), Channel: ch.ID, Package: row.ID,
		Changes: []string{phrase.Change(row.Version, was, is)},
	})
}

// approvePolicy needs an approval for a policy that lets more machines update, or sooner,
// and for the end of a pause that also releases a halt. The end of a pause alone needs
// none: what it lets through was approved.
func approvePolicy(c *change.Change, g *catalog.Group, p rollout.Policy) error {
	if !g.RequireApproval {
		return nil
	}
	if !g.Policy.UpdatesEnabled && p.UpdatesEnabled {
		if err := approveResume(c, g); err != nil {
			return err
		}
	}
	was, is := g.Policy, p
	was.UpdatesEnabled, is.UpdatesEnabled = true, true
	from, _ := policy.Compile(was)
	to, _ := policy.Compile(is)
	if to == nil || from != nil && !policy.Grows(from, to, c.Now) {
		return nil
	}
	return c.NeedApproval(change.Step{
		Summary: fmt.Sprintf("widen the policy of group %s", g.Name), Changes: policy.Changes(g.Policy, p), Group: g.ID,
	})
}

// approveResume needs an approval for the end of a halt.
func approveResume(c *change.Change, g *catalog.Group) error {
	if !g.RequireApproval {
		return nil
	}
	if err := c.Lock(g.ID); err != nil {
		return err
	}
	st := c.States[g.ID]
	if st == nil || st.Rollout.State != rollout.RolloutHalted && !st.Rollout.Newcomers.Failing(&g.Policy, st.Rollout.Proofs) {
		return nil
	}
	return c.NeedApproval(change.Step{
		Summary: fmt.Sprintf("release the halt of group %s", g.Name), Group: g.ID,
		Changes: []string{phrase.Change("rollout of "+st.Rollout.Version.String(), "halted", "continues")},
	})
}

// approveWave needs an approval to open the next wave before its time.
func approveWave(c *change.Change, g *catalog.Group, wave int) error {
	if !g.RequireApproval {
		return nil
	}
	return c.NeedApproval(change.Step{
		Summary: fmt.Sprintf("open wave %d of group %s now", wave+2, g.Name), Group: g.ID,
		Changes: []string{phrase.Change("wave", fmt.Sprint(wave+1), fmt.Sprint(wave+2))},
	})
}

// approveChannel needs an approval to let a group follow another channel. Leaving a channel
// that requires approvals is the first half of a way around it.
func approveChannel(c *change.Change, g *catalog.Group, id *uuid.UUID) error {
	from := "none"
	if g.Channel != nil {
		if from = g.Channel.Name; id != nil && *id == g.Channel.ID {
			return nil
		}
	} else if id == nil {
		return nil
	}
	step := change.Step{Summary: fmt.Sprintf("let group %s follow no channel", g.Name), Group: g.ID}
	to := "none"
	needs := g.LeavingNeedsApproval()
	if id != nil {
		ch, err := c.Channel(*id, "channelId")
		if err != nil {
			return err
		}
		needs = needs || ch.RequireApproval
		to, step.Channel, step.Summary = ch.Name, ch.ID, fmt.Sprintf("let group %s follow channel %s", g.Name, ch.Name)
	}
	if !needs {
		return nil
	}
	step.Changes = []string{phrase.Change("channel of group "+g.Name, from, to)}
	return c.NeedApproval(step)
}

// approveTracks needs an approval to give up a track: another group could take it, and with
// it the machines that send it.
func approveTracks(c *change.Change, g *catalog.Group, track string, aliases []string) error {
	if !g.RequireApproval {
		return nil
	}
	var lost []string
	for _, old := range append([]string{g.Track}, g.Aliases...) {
		if old != track && !slices.Contains(aliases, old) {
			lost = append(lost, old)
		}
	}
	if lost == nil {
		return nil
	}
	text := strings.Join(lost, ", ")
	return c.NeedApproval(change.Step{
		Summary: fmt.Sprintf("give up track %s of group %s", text, g.Name), Group: g.ID,
		Changes: []string{phrase.Change("track "+text, "of group "+g.Name, "of no group")},
	})
}

// approveMove needs an approval to take a machine out of what requires one.
func approveMove(c *change.Change, m *store.Machine, from *catalog.Group, id *uuid.UUID) error {
	stays := id == nil && !m.Moved || id != nil && from != nil && *id == from.ID
	if from == nil || stays || !from.LeavingNeedsApproval() {
		return nil
	}
	step := change.Step{Group: from.ID, Instance: m.InstanceID}
	to := "the group of its track"
	if id != nil {
		g, err := c.Group(*id, "groupId")
		if err != nil {
			return err
		}
		to = "group " + g.Name
	}
	step.Summary = fmt.Sprintf("move machine %s to %s", m.ID, to)
	step.Changes = []string{phrase.Change("machine "+m.ID, "group "+from.Name, to)}
	return c.NeedApproval(step)
}

// requireGroupApproval checks whether a group may require approvals from now on, or no
// longer, which itself needs one.
func requireGroupApproval(c *change.Change, g *catalog.Group, is bool) error {
	return requireApproval(c, g.RequireApproval, is, auth.Place{Team: c.Team(), Application: c.App, Group: g.ID}, change.Step{
		Summary: fmt.Sprintf("let group %s require no approvals any more", g.Name), Group: g.ID,
	})
}

func requireChannelApproval(c *change.Change, ch *catalog.Channel, is bool) error {
	return requireApproval(c, ch.RequireApproval, is, auth.Place{Team: c.Team(), Application: c.App}, change.Step{
		Summary: fmt.Sprintf("let channel %s require no approvals any more", ch.Name), Channel: ch.ID,
	})
}

func requireApproval(c *change.Change, was, is bool, place auth.Place, off change.Step) error {
	if was == is {
		return nil
	}
	if err := fault.RequireOn(c.By, "createGroup", place); err != nil {
		return err
	}
	if !is {
		off.Changes = []string{phrase.Change("approvals", "required", "not required")}
		return c.NeedApproval(off)
	}
	users, err := c.Tx.Client().User.Query().All(c.Ctx)
	if err != nil {
		return err
	}
	able := 0
	for _, u := range users {
		if account.RoleOn(u, place) >= auth.Publisher {
			able++
		}
	}
	if able < 2 {
		return fault.Errorf(fault.Conflict, "requireApproval", "at least two users must have the role publisher here, so that one can approve what another proposes; %d has it: create another user first", able)
	}
	return nil
}

// stillRequired refuses what would end the approvals of something without one, such as its
// deletion.
func stillRequired(field, kind, name string) error {
	return fault.Errorf(fault.Conflict, field, "%s %q requires approvals: switch that off first, which itself needs an approval", kind, name)
}

// approvedBefore refuses to change what machines rely on in a package that a channel with
// approvals points to or pointed to: it would be another package than the approved one.
func approvedBefore(c *change.Change, row *db.Release) error {
	for _, ch := range c.Config.Channels {
		if !c.Config.PromotionNeedsApproval(ch) {
			continue
		}
		promoted, err := c.Tx.Client().Promotion.Query().Where(promotion.ChannelID(ch.ID), promotion.PackageID(row.ID)).Exist(c.Ctx)
		if err != nil {
			return err
		}
		if promoted || ch.IsTarget(row.ID) || ch.IsFloor(row.ID) {
			return fault.Errorf(fault.Conflict, "id", "package %s was approved for channel %q as it is: create another package instead", row.Version, ch.Name)
		}
	}
	return nil
}

// requiresApprovals returns Conflict if something in the application requires approvals.
func requiresApprovals(c *change.Change) error {
	for _, g := range c.Config.Groups {
		if g.RequireApproval {
			return stillRequired("id", "group", g.Name)
		}
	}
	for _, ch := range c.Config.Channels {
		if ch.RequireApproval {
			return stillRequired("id", "channel", ch.Name)
		}
	}
	return nil
}
