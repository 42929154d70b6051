package client

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
)

// rollback is the command line of `coreroller rollback`.
type rollback struct {
	where                scope
	to, reason           string
	blacklist, downgrade bool
	dryRun               bool
	proposing            proposing
}

func rollbackCommand(t Terminal) *cobra.Command {
	var r rollback
	cmd := t.command("rollback CHANNEL|GROUP", "point a channel back from a bad version", `
Points a channel, or the channel of a group, back to a lower package, withdraws the offers that
machines have not begun, and forbids the bad version on the channel. Machines under way cannot be
recalled. Machines that run the bad version stay on it, unless --downgrade is set.`,
		"  coreroller rollback stable --arch amd64 --to 4459.2.0 --dry-run\n"+
			"  coreroller rollback production --to 4459.2.0 --reason \"loses its network\"\n"+
			"  coreroller rollback production --to 4459.2.0 --blacklist=false --reason \"only a precaution\"",
		func(ctx context.Context, s *session, args []string) error { return r.run(ctx, s, args[0]) })
	r.where.flags(cmd)
	r.proposing.flags(cmd)
	f := cmd.Flags()
	f.StringVar(&r.to, "to", "", "version to go back to")
	f.BoolVar(&r.blacklist, "blacklist", true, "forbid the bad version on the channel")
	downgradeFlag(cmd, &r.downgrade)
	reasonFlag(cmd, &r.reason)
	dryRunFlag(cmd, &r.dryRun)
	return cmd
}

const rollbackImpactDocument = `query($groupId: ID, $channelId: ID, $toPackageId: ID!, $blacklistCurrent: Boolean!, $downgrade: Downgrade! = NEVER) {
  impact: rollBackImpact(groupId: $groupId, channelId: $channelId, toPackageId: $toPackageId, blacklistCurrent: $blacklistCurrent, downgrade: $downgrade) { ` + impactFields + ` } }`

func (r *rollback) run(ctx context.Context, s *session, name string) error {
	if r.to == "" {
		return usage("--to is missing: the version to go back to; the page of the channel lists what it offered")
	}
	if !r.dryRun {
		if err := needsReason(r.reason); err != nil {
			return err
		}
	}
	target, err := r.find(ctx, s, name)
	if err != nil {
		return err
	}
	id, err := s.findPackage(ctx, target.app, target.Arch, r.to)
	if err != nil {
		return err
	}
	input := map[string]any{target.kind + "Id": target.ID, "toPackageId": id, "blacklistCurrent": r.blacklist}
	if r.downgrade {
		input["downgrade"] = "MACHINES_ON_BLACKLISTED"
	}
	if r.dryRun {
		answer, err := read[struct{ Impact impact }](ctx, s, rollbackImpactDocument, input)
		if err != nil {
			return err
		}
		return s.preview(answer.Impact)
	}
	input["reason"] = r.reason
	return s.make(ctx, change{
		mutation: "rollBack", input: input,
		done: fmt.Sprintf("The channel of %s %s (%s) went back to %s.", target.kind, target.path(), target.Arch, r.to),
	}, r.proposing)
}

// find returns the channel or group of a name. A channel and a group that follows it may
// have the same name, and then mean the same.
func (r *rollback) find(ctx context.Context, s *session, name string) (place, error) {
	all, err := s.directory(ctx)
	if err != nil {
		return place{}, err
	}
	group, noGroup := pick(all, name, r.where, "group")
	channel, noChannel := pick(all, name, r.where, "channel")
	if noGroup == nil && noChannel == nil && group.Channel != nil && group.Channel.ID == channel.ID {
		return group, nil
	}
	return pick(all, name, r.where, "channel", "group")
}
