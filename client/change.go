package client

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/coreroller/coreroller/client/api"
)

// change is a mutation with one input, as the schema has them.
type change struct {
	mutation string // such as pauseUpdates
	input    map[string]any
	done     string // what happened, as a sentence
}

// proposing are the flags of changes that can be proposed to another person.
type proposing struct {
	propose   bool
	expiresIn time.Duration
}

func (p *proposing) flags(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&p.propose, "propose", false, "propose the change to another person instead of making it")
	cmd.Flags().DurationVar(&p.expiresIn, "expires-in", 12*time.Hour, "how long a proposal waits for a decision, from 5m to 168h")
}

// inputType is the name of a mutation's input in the schema.
func (c change) inputType() string {
	return strings.ToUpper(c.mutation[:1]) + c.mutation[1:] + "Input"
}

// make runs a change, or proposes it.
func (s *session) make(ctx context.Context, c change, p proposing) error {
	if p.propose {
		return s.propose(ctx, c, p.expiresIn)
	}
	err := s.mutate(ctx, c)
	if api.Code(err) == api.ApprovalRequired {
		return &Exit{exitApproval, fmt.Errorf("%w\nNothing was changed. Run the command again with --propose, so that another person can approve it", err)}
	}
	if err != nil {
		return err
	}
	return s.show(map[string]any{"mutation": c.mutation, "input": c.input, "done": c.done}, func() {
		s.line("%s %s", ink{"✓", green}, c.done)
	})
}

// mutate sends a change.
func (s *session) mutate(ctx context.Context, c change) error {
	return s.Do(ctx, fmt.Sprintf(`mutation($input: %s!) { %s(input: $input) { userErrors { code field message } } }`, c.inputType(), c.mutation),
		map[string]any{"input": c.input}, nil)
}

const proposeDocument = `mutation($input: ProposeInput!) { propose(input: $input) { proposal { ` + proposalFields + ` } userErrors { code field message } } }`

func (s *session) propose(ctx context.Context, c change, expiresIn time.Duration) error {
	if reason, _ := c.input["reason"].(string); reason == "" {
		return needsReason(reason) // the other person decides on it
	}
	answer, err := read[struct {
		Propose struct{ Proposal *proposal }
	}](ctx, s, proposeDocument,
		map[string]any{"input": map[string]any{c.mutation: c.input, "expiresIn": expiresIn.String()}})
	if err != nil {
		return err
	}
	made := answer.Propose.Proposal
	if made == nil {
		return errors.New("the server made no proposal and gave no reason")
	}
	return s.show(made, func() {
		s.line("%s Proposed: %s", ink{"✓", green}, made.Summary)
		s.line("Id       %s", made.ID)
		s.line("Page     %s", s.page("approvals", made.ID))
		s.line("Expires  %s", clock(made.ExpiresAt))
		s.line("Another person runs: coreroller proposals approve %s", made.ID)
	})
}

// reasonFlag adds the reason of a change.
func reasonFlag(cmd *cobra.Command, reason *string) {
	cmd.Flags().StringVar(reason, "reason", "", "why, for the activity and the audit")
}

// needsReason is the error of a change that the audit must explain.
func needsReason(reason string) error {
	if strings.TrimSpace(reason) == "" {
		return usage(`--reason is missing: say why, such as --reason "4501.0.0 does not boot on arm64"`)
	}
	return nil
}
