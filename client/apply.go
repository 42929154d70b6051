package client

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/coreroller/coreroller/client/api"
)

// applying is the command line of `coreroller apply`.
type applying struct {
	file, reason      string
	yes, check, prune bool
	proposing         proposing
}

func applyCommand(t Terminal) *cobra.Command {
	var a applying
	cmd := t.command("apply", "change the server to what a file says", `
Compares a file with the server, prints what would change, asks, and changes it: packages, then
channels, then groups with their policies. Objects are known by name (packages by version) and
architecture. Fields that the file leaves out keep their value. Objects that only the server has are
kept, unless --prune is set and the file has their list; applications are never deleted.

The steps are not one transaction. After an error, repair its cause and run the command again: it
continues with what is still different. With --dry-run the exit code is 2 if something would change.`,
		"  coreroller export > fleet.yaml\n  coreroller apply -f fleet.yaml\n"+
			"  coreroller apply -f fleet.yaml --dry-run\n  coreroller apply -f fleet.yaml --yes --reason \"commit 1f3a9c\"",
		a.run)
	f := cmd.Flags()
	f.StringVarP(&a.file, "file", "f", "", "the file, YAML or JSON; - for standard input")
	f.BoolVar(&a.yes, "yes", false, "do not ask")
	f.BoolVar(&a.check, "dry-run", false, "only print the plan; exit code 2 if something would change")
	f.BoolVar(&a.prune, "prune", false, "delete packages, channels and groups that are not in the file's lists")
	reasonFlag(cmd, &a.reason)
	a.proposing.flags(cmd)
	return cmd
}

func (a *applying) run(ctx context.Context, s *session, _ []string) error {
	in, err := s.terminal.openFile(a.file)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	file, err := readFleetFile(in, a.file)
	if err != nil {
		return err
	}
	p, err := s.makePlan(ctx, file, a.reason)
	if err != nil {
		return err
	}
	if a.prune {
		p.Steps, p.Kept = append(p.Steps, p.deletions...), []string{}
	}
	if err := s.show(p, func() { s.printPlan(p) }); err != nil {
		return err
	}
	switch {
	case len(p.Steps) == 0:
		return nil
	case a.check:
		return &Exit{exitUsage, fmt.Errorf("%s differs from %s; nothing was changed", s.URL, a.file)}
	case !a.yes:
		if err := s.confirm(); err != nil {
			return err
		}
	}
	return a.apply(ctx, s, p)
}

var actionSigns = map[string]ink{"add": {"+", green}, "change": {"~", yellow}, "delete": {"-", red}}

func (s *session) printPlan(p *plan) {
	numbers := map[string]int{}
	for _, st := range p.Steps {
		numbers[st.Action]++
		s.line("%s %s %s", actionSigns[st.Action], st.Kind, ink{st.Name, bold})
		for _, line := range st.Changes {
			s.line("    %s", line)
		}
		if st.Effect != "" {
			s.line("    %s", ink{st.Effect, dim})
		}
	}
	for _, name := range p.Kept {
		s.line("%s", ink{"Only on the server, kept (--prune deletes it): " + name, dim})
	}
	s.line("%d to add, %d to change, %d to delete, %d unchanged.", numbers["add"], numbers["change"], numbers["delete"], p.Unchanged)
}

// confirm asks on the terminal.
func (s *session) confirm() error {
	if !isTerminal(s.terminal.Stdin) {
		return usage("standard input is no terminal to ask on: add --yes to change the server, or --dry-run")
	}
	_, _ = fmt.Fprintf(s.terminal.Stderr, "Change %s? Type yes: ", s.URL)
	answer, err := bufio.NewReader(s.terminal.Stdin).ReadString('\n')
	if err != nil || strings.TrimSpace(answer) != "yes" {
		return errors.New("nothing was changed")
	}
	return nil
}

// apply runs the steps in order. It stops at the first that fails.
func (a *applying) apply(ctx context.Context, s *session, p *plan) error {
	for i, st := range p.Steps {
		result := map[string]string{"add": "added", "change": "changed", "delete": "deleted"}[st.Action]
		for _, m := range st.mutations {
			err := p.run(ctx, s, m)
			if api.Code(err) == api.ApprovalRequired && a.proposing.propose {
				if err = s.propose(ctx, m.change, a.proposing.expiresIn); err == nil {
					result = "proposed"
				}
			}
			if err != nil {
				err = fmt.Errorf("%s %s: %w\n%d of %d steps were done; run the command again to continue", st.Kind, st.Name, err, i, len(p.Steps))
				if api.Code(err) == api.ApprovalRequired {
					return &Exit{exitApproval, fmt.Errorf("%w, with --propose to propose this step to another person", err)}
				}
				return err
			}
		}
		if s.format == "table" {
			s.line("%s %s %s %s", ink{"✓", green}, st.Kind, st.Name, result)
		}
	}
	return nil
}

// run sends a mutation, and remembers the id of what it makes.
func (p *plan) run(ctx context.Context, s *session, m mutation) error {
	for field, k := range m.refs {
		id, ok := p.ids[k]
		if !ok {
			parts := strings.Split(k, "\x00")
			return fmt.Errorf("there is no %s %s, neither on the server nor in the file", parts[0], strings.Join(parts[1:], " "))
		}
		m.input[field] = id
	}
	object := "deletedId"
	if m.result != "" {
		object = "object: " + m.result + " { id }"
	}
	var answer struct {
		Payload struct {
			Object *struct{ ID string }
		}
	}
	document := fmt.Sprintf(`mutation($input: %s!) { payload: %s(input: $input) { %s userErrors { code field message } } }`, m.inputType(), m.mutation, object)
	if err := s.Do(ctx, document, map[string]any{"input": m.input}, &answer); err != nil {
		return err
	}
	if m.makes != "" && answer.Payload.Object != nil {
		p.ids[m.makes] = answer.Payload.Object.ID
	}
	return nil
}
