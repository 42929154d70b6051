package client

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"
)

// named is an object of which only id and name matter.
type named struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// proposal is a change that waits for another person.
type proposal struct {
	ID          string     `json:"id"`
	Summary     string     `json:"summary"`
	State       string     `json:"state"`
	Changes     []string   `json:"changes"`
	Reason      string     `json:"reason"`
	Application *named     `json:"application"`
	Group       *named     `json:"group"`
	Channel     *named     `json:"channel"`
	CreatedBy   string     `json:"createdBy"`
	CreatedAt   time.Time  `json:"createdAt"`
	ExpiresAt   time.Time  `json:"expiresAt"`
	DecidedBy   string     `json:"decidedBy"`
	DecidedAt   *time.Time `json:"decidedAt"`
	Decision    string     `json:"decision"`
	Current     bool       `json:"current"`
	Undecidable *string    `json:"undecidable"`
	Impact      *impact    `json:"impact"`
}

// impact is the effect of a change on machines.
type impact struct {
	Machines int      `json:"machines"`
	Sentence string   `json:"sentence"`
	Warnings []string `json:"warnings"`
}

const (
	impactFields   = `machines sentence warnings`
	proposalFields = `id summary state changes reason createdBy createdAt expiresAt decidedBy decidedAt decision current undecidable
  application { id name } group { id name } channel { id name } impact { ` + impactFields + ` }`
)

func proposalsCommand(t Terminal) *cobra.Command {
	show := t.command("show ID", "show a proposal with its effect on machines", "", "  coreroller proposals show 0193e0c2-…",
		func(ctx context.Context, s *session, args []string) error { return s.showProposal(ctx, args[0]) })
	return parent("proposals", "list proposed changes, and approve or refuse them", listProposalsCommand(t), show,
		decideCommand(t, "approve ID", "make a proposed change", "approveProposal", "Approved", false),
		decideCommand(t, "refuse ID", "end a proposal of another person without a change", "refuseProposal", "Refused", true),
		decideCommand(t, "withdraw ID", "end your own proposal without a change", "withdrawProposal", "Withdrawn", false))
}

func listProposalsCommand(t Terminal) *cobra.Command {
	var all bool
	var limit int
	cmd := t.command("list", "list the proposals that wait for a decision, newest first", "",
		"  coreroller proposals list\n  coreroller proposals list --all -o json",
		func(ctx context.Context, s *session, _ []string) error {
			answer, err := read[struct {
				Proposals struct{ Nodes []proposal }
			}](ctx, s, `query($open: Boolean!, $first: Int!) { proposals(open: $open, first: $first) { nodes { `+proposalFields+` } } }`,
				map[string]any{"open": !all, "first": limit})
			if err != nil {
				return err
			}
			return s.show(answer.Proposals.Nodes, func() { s.listProposals(answer.Proposals.Nodes) })
		})
	cmd.Flags().BoolVar(&all, "all", false, "also those that ended, of the last 90 days")
	limitFlag(cmd, &limit)
	return cmd
}

func (s *session) listProposals(all []proposal) {
	if len(all) == 0 {
		s.line("No proposal waits for a decision.")
		return
	}
	rows := make([][]any, len(all))
	for i, p := range all {
		rows[i] = []any{p.ID, enum(p.State), p.Summary, p.CreatedBy, clock(p.ExpiresAt), dash(p.Reason)}
	}
	s.table([]string{"ID", "STATE", "CHANGE", "BY", "EXPIRES", "REASON"}, rows)
}

func (s *session) showProposal(ctx context.Context, id string) error {
	answer, err := read[struct{ Proposal *proposal }](ctx, s, `query($id: ID!) { proposal(id: $id) { `+proposalFields+` } }`, map[string]any{"id": id})
	if err != nil {
		return err
	}
	p := answer.Proposal
	if p == nil {
		return fmt.Errorf("there is no proposal %s; coreroller proposals list --all shows those of the last 90 days", id)
	}
	return s.show(p, func() {
		s.line("%s", ink{p.Summary, bold})
		s.line("State    %s", enum(p.State))
		s.line("By       %s at %s", p.CreatedBy, clock(p.CreatedAt))
		s.line("Reason   %s", dash(p.Reason))
		for _, text := range p.Changes {
			s.line("Change   %s", text)
		}
		if p.Impact != nil {
			s.line("Effect   %s", p.Impact.Sentence)
			for _, text := range p.Impact.Warnings {
				s.line("%s  %s", ink{"Warning", yellow}, text)
			}
		}
		if p.State == "OPEN" {
			s.line("Expires  %s", clock(p.ExpiresAt))
			if !p.Current {
				s.line("%s  what it concerns has changed since: it must be proposed again", ink{"Outdated", yellow})
			}
			if p.Undecidable != nil {
				s.line("You cannot decide: %s", *p.Undecidable)
			}
		} else {
			s.line("Ended    %s %s", optional(p.DecidedAt), p.DecidedBy)
			s.line("Decision %s", dash(p.Decision))
		}
		s.line("Page     %s", s.page("approvals", p.ID))
	})
}

// decideCommand ends a proposal in one of three ways.
func decideCommand(t Terminal, use, short, mutation, result string, reasonRequired bool) *cobra.Command {
	var reason string
	verb := use[:len(use)-len(" ID")]
	cmd := t.command(use, short, "", fmt.Sprintf("  coreroller proposals %s 0193e0c2-… --reason \"looked at the canaries\"", verb),
		func(ctx context.Context, s *session, args []string) error {
			if reasonRequired {
				if err := needsReason(reason); err != nil {
					return err
				}
			}
			document := fmt.Sprintf(`mutation($input: DecideProposalInput!) {
  decision: %s(input: $input) { proposal { %s } userErrors { code field message } } }`, mutation, proposalFields)
			answer, err := read[struct {
				Decision struct{ Proposal *proposal }
			}](ctx, s, document, map[string]any{"input": map[string]any{"id": args[0], "reason": reason}})
			if err != nil {
				return err
			}
			p := answer.Decision.Proposal
			return s.show(p, func() { s.line("%s %s: %s", ink{"✓", green}, result, p.Summary) })
		})
	reasonFlag(cmd, &reason)
	return cmd
}
