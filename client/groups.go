package client

import (
	"context"

	"github.com/spf13/cobra"
)

// verb is a command that changes the rollout of a group.
type verb struct {
	use, short, long string
	example          string
	mutation         string
	control          string // of GroupControl, for the preview
	done             string
	proposable       bool
}

func pauseCommand(t Terminal) *cobra.Command { return groupCommand(t, pauseVerb()) }

func pauseVerb() verb {
	return verb{
		use: "pause GROUP", short: "stop new grants of a group",
		long:     "Stops new grants. Offers that were not started are withdrawn; machines that are downloading finish.",
		example:  "  coreroller pause production --reason \"database migration until 6\"",
		mutation: "pauseUpdates", control: "PAUSE", done: "is paused",
	}
}

func resumeCommand(t Terminal) *cobra.Command { return groupCommand(t, resumeVerb()) }

func resumeVerb() verb {
	return verb{
		use: "resume GROUP", short: "grant updates again after a pause or a halt",
		long:     "Grants updates again. Failures until now no longer count for the halt rules.",
		example:  "  coreroller resume production --reason \"migration is done\"\n  coreroller resume edge --propose --reason \"the 31 failures were one bad switch\"",
		mutation: "resumeUpdates", control: "RESUME", done: "grants updates again", proposable: true,
	}
}

func haltCommand(t Terminal) *cobra.Command { return groupCommand(t, haltVerb()) }

func haltVerb() verb {
	return verb{
		use: "halt GROUP", short: "halt the rollout of a group in an emergency",
		long:     "Halts the rollout. It stays halted until a person resumes it or the channel gets another package.",
		example:  "  coreroller halt production --reason \"kernel panics on web-04\"",
		mutation: "haltRollout", control: "HALT", done: "is halted",
	}
}

func advanceCommand(t Terminal) *cobra.Command { return groupCommand(t, advanceVerb()) }

func advanceVerb() verb {
	return verb{
		use: "advance GROUP", short: "open the next wave of a group now",
		long:     "Approves or opens the next wave, without waiting for its soak time and gate.",
		example:  "  coreroller advance production --reason \"the canaries look good\"",
		mutation: "advanceWave", control: "ADVANCE", done: "has opened its next wave", proposable: true,
	}
}

func groupCommand(t Terminal, v verb) *cobra.Command {
	var reason string
	var dryRun bool
	var where scope
	var p proposing
	cmd := t.command(v.use, v.short, v.long, v.example, func(ctx context.Context, s *session, args []string) error {
		group, err := s.findGroup(ctx, args[0], where)
		if err != nil {
			return err
		}
		if dryRun {
			answer, err := read[struct{ Impact impact }](ctx, s,
				`query($id: ID!, $control: GroupControl!) { impact: controlImpact(groupId: $id, control: $control) { `+impactFields+` } }`,
				map[string]any{"id": group.ID, "control": v.control})
			if err != nil {
				return err
			}
			return s.preview(answer.Impact)
		}
		return s.make(ctx, change{
			mutation: v.mutation, input: map[string]any{"groupId": group.ID, "reason": reason},
			done: "Group " + group.path() + " (" + group.Arch + ") " + v.done + ".",
		}, p)
	})
	where.flags(cmd)
	reasonFlag(cmd, &reason)
	dryRunFlag(cmd, &dryRun)
	if v.proposable {
		p.flags(cmd)
	}
	return cmd
}

func dryRunFlag(cmd *cobra.Command, dryRun *bool) {
	cmd.Flags().BoolVar(dryRun, "dry-run", false, "show the effect on machines and change nothing")
}

// preview prints the effect of a change that is not made.
func (s *session) preview(i impact) error {
	return s.show(i, func() {
		s.line("%s", i.Sentence)
		for _, text := range i.Warnings {
			s.line("%s %s", ink{"Warning:", yellow}, text)
		}
		s.line("%s", ink{"Nothing was changed.", dim})
	})
}
