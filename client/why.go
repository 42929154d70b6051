package client

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"
)

// explanation is why a machine is or is not updated.
type explanation struct {
	Instance machineDetail `json:"instance"`
	AsOf     time.Time     `json:"asOf"`
	Decision struct {
		Reason         string     `json:"reason"`
		Sentence       string     `json:"sentence"`
		OfferedVersion string     `json:"offeredVersion"`
		Until          *time.Time `json:"until"`
	} `json:"decision"`
	Steps []struct {
		Rule     string     `json:"rule"`
		Outcome  string     `json:"outcome"`
		Sentence string     `json:"sentence"`
		Until    *time.Time `json:"until"`
	} `json:"steps"`
}

// machineDetail is a machine with what else explains it.
type machineDetail struct {
	machineRow
	Failures           int    `json:"failures"`
	QuarantinedVersion string `json:"quarantinedVersion"`
}

const explanationDocument = `query($id: ID!) { explainUpdate(instanceId: $id) {
  instance { ` + machineFields + ` failures quarantinedVersion } asOf
  decision { reason sentence offeredVersion until } steps { rule outcome sentence until } } }`

func whyCommand(t Terminal) *cobra.Command {
	var app string
	var all bool
	cmd := t.command("why MACHINE", "explain why a machine is or is not updated now", `
Explains with the same sentences as the page. The machine is named by the id that it sends, its
alias, or the id in the address of its page. The server evaluates its rules as for an update check,
and changes nothing.`,
		"  coreroller why web-0412\n  coreroller why web-0412 --app io.example.agent --all",
		func(ctx context.Context, s *session, args []string) error {
			id, err := s.findMachine(ctx, args[0], app)
			if err != nil {
				return err
			}
			answer, err := read[struct{ ExplainUpdate explanation }](ctx, s, explanationDocument, map[string]any{"id": id})
			if err != nil {
				return err
			}
			e := &answer.ExplainUpdate
			return s.show(e, func() { s.explanation(e, all) })
		})
	cmd.Flags().StringVar(&app, "app", "", "name, product id or id of the application, when the machine is in several")
	cmd.Flags().BoolVar(&all, "all", false, "also the sentences of the rules that passed")
	return cmd
}

// mostMachines are listed when a name means several machines.
const mostMachines = 10

// findMachine returns the id of a machine that is named by its id, the id it sends, or its alias.
func (s *session) findMachine(ctx context.Context, name, app string) (string, error) {
	apps, err := s.directory(ctx)
	if err != nil {
		return "", err
	}
	if app != "" {
		one, err := pickApplication(apps, app)
		if err != nil {
			return "", err
		}
		apps = []application{*one}
	}
	var found []machineRow
	for _, a := range apps {
		answer, err := read[struct{ Machine *machineRow }](ctx, s,
			`query($app: ID!, $name: String!) { machine: instanceByMachineId(applicationId: $app, machineId: $name) { `+machineFields+` } }`,
			map[string]any{"app": a.ID, "name": name})
		if err != nil {
			return "", err
		}
		if answer.Machine != nil {
			found = append(found, *answer.Machine)
		}
	}
	filter := map[string]any{"search": name}
	if _, err := uuid.Parse(name); err == nil {
		filter = map[string]any{"ids": []string{name}}
	}
	if app != "" {
		filter["applicationId"] = apps[0].ID
	}
	if len(found) == 0 {
		page, err := read[machinesPage](ctx, s, machinesDocument, map[string]any{"filter": filter, "first": mostMachines})
		if err != nil {
			return "", err
		}
		found = page.Instances.Nodes
	}
	switch len(found) {
	case 1:
		return found[0].ID, nil
	case 0:
		return "", fmt.Errorf("there is no machine %q: no id, alias or address begins so (case matters); coreroller machines lists them", name)
	}
	var b strings.Builder
	for _, m := range found {
		_, _ = fmt.Fprintf(&b, "\n  %s %s (%s) %s", clean(m.MachineID), clean(m.Alias), clean(m.Application.Name), m.ID)
	}
	return "", usage("%q can be these machines: use the whole id, and --app when it is in several applications:%s", name, b.String())
}

// explanation prints the ladder of rules.
func (s *session) explanation(e *explanation, all bool) {
	m := e.Instance
	group := "no group"
	if m.Group != nil {
		group = m.Group.Name
	}
	s.line("%s  %s", ink{m.MachineID, bold}, ink{strings.Trim(m.Alias+" · "+group+" · "+m.Application.Name, " ·"), dim})
	style := yellow
	if e.Decision.Reason == "UP_TO_DATE" || e.Decision.Reason == "GRANTED" {
		style = green
	}
	s.line("%s", ink{e.Decision.Sentence, style})
	s.line("")
	var passed, later []string
	rows := [][]any{{ink{"Runs", dim}, dash(m.Version)}}
	add := func(title, text string) { rows = append(rows, []any{ink{title, dim}, text}) }
	if e.Decision.OfferedVersion != "" {
		add("Offered", e.Decision.OfferedVersion)
	}
	add("Decided by", enum(e.Decision.Reason))
	if e.Decision.Until != nil {
		add("Can change", "at "+clock(*e.Decision.Until))
	}
	for _, step := range e.Steps {
		switch step.Outcome {
		case "PASSED":
			passed = append(passed, enum(step.Rule))
		case "NOT_REACHED":
			later = append(later, enum(step.Rule))
		case "WOULD_HOLD":
			if e.Decision.Reason != "UP_TO_DATE" {
				add("Would also hold", step.Sentence)
			}
		}
	}
	if len(passed) > 0 {
		add("Passed", strings.Join(passed, ", "))
	}
	if len(later) > 0 {
		add("Not reached", strings.Join(later, ", "))
	}
	if m.QuarantinedVersion != "" {
		add("Quarantined at", fmt.Sprintf("%s, after %d failures", m.QuarantinedVersion, m.Failures))
	}
	add("State", enum(m.State)+", "+enum(m.Standing))
	add("Last seen", clock(m.LastSeenAt)+" from "+dash(m.Address))
	add("Page", s.page("apps", m.Application.ID, "machines", m.ID))
	s.table(nil, rows)
	if !all {
		return
	}
	s.line("")
	steps := make([][]any, len(e.Steps))
	for i, step := range e.Steps {
		steps[i] = []any{enum(step.Rule), enum(step.Outcome), step.Sentence}
	}
	s.table([]string{"RULE", "RESULT", "SENTENCE"}, steps)
}
