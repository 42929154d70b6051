package client

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/coreroller/coreroller/client/api"
)

// Level is how good or bad a finding is.
type Level string

// The levels. Only failed ones change the exit code.
const (
	Fine    Level = "ok"
	Note    Level = "note"
	Warning Level = "warning"
	Failed  Level = "failed"
)

// marks are the levels in the terminal.
var marks = map[Level]ink{Fine: {"✓", green}, Note: {"·", dim}, Warning: {"▲", yellow}, Failed: {"✗", red}}

// Finding is a result of a check.
type Finding struct {
	Check string `json:"check"`
	Level Level  `json:"level"`
	Text  string `json:"text"`
	Fix   string `json:"fix,omitempty"` // what to do: a command or a page; "" when there is nothing to do
}

// check is one thing that the doctor looks at. It returns at least one finding, or an
// error when it could not look.
type check struct {
	name string
	look func(context.Context, *session) ([]Finding, error)
}

// checks are all checks in the order of the output. Without the first one there is no other.
var checks = []check{
	{"Server", lookAtServer},
	{"Connection", lookAtConnection},
	{"Token", lookAtToken},
	{"Clock", lookAtClock},
	{"Database", lookAtDatabase},
	{"Jobs", lookAtJobs},
	{"Machines", lookAtMachines},
	{"Fleet", lookAtAttention},
}

func doctorCommand(t Terminal) *cobra.Command {
	return t.command("doctor", "check a server, and say how to repair what is wrong", `
Checks the server, the connection, the token, the clocks, the database, the background work, the
machines, and what needs attention. Each finding names the command or page that repairs it. Nothing
is changed. What the token may not read is not checked. If the server does not answer, use
coreroller doctor local on its machine.

The exit code is 1 when a check failed; warnings do not change it.`,
		"  coreroller doctor\n  coreroller doctor --context production -o json",
		func(ctx context.Context, s *session, _ []string) error {
			return s.report(s.examine(ctx, checks))
		})
}

// Report prints the findings of checks that needed no server, as doctor prints its own: as
// table, json or yaml. It returns an Exit if a check failed.
func (t Terminal) Report(format string, all []Finding) error {
	if err := checkFormat(format); err != nil {
		return err
	}
	return newPrinter(t, format).report(all)
}

func (p *printer) report(all []Finding) error {
	numbers := map[Level]int{}
	for _, f := range all {
		numbers[f.Level]++
	}
	if err := p.show(all, func() { p.findings(all, numbers) }); err != nil {
		return err
	}
	if n := numbers[Failed]; n > 0 {
		return &Exit{1, fmt.Errorf("the server has problems: %s failed", several(n, "check"))}
	}
	return nil
}

// examine runs the checks. A check that could not look is a finding itself.
func (s *session) examine(ctx context.Context, checks []check) []Finding {
	var all []Finding
	for i, c := range checks {
		found, err := c.look(ctx, s)
		switch {
		case api.Code(err) == api.Forbidden:
			found = []Finding{{Level: Note, Text: "not checked: " + err.Error()}}
		case err != nil:
			found = []Finding{{Level: Failed, Text: s.explain(err).Error()}}
		}
		for _, f := range found {
			f.Check = c.name
			all = append(all, f)
		}
		if i == 0 && err != nil {
			break // every other check would fail in the same way
		}
	}
	return all
}

// findings prints the findings, each with its fix on the next line.
func (p *printer) findings(all []Finding, numbers map[Level]int) {
	var rows [][]any
	for _, f := range all {
		rows = append(rows, []any{marks[f.Level], f.Check, f.Text})
		if f.Fix != "" {
			rows = append(rows, []any{"", "", ink{f.Fix, dim}})
		}
	}
	p.table(nil, rows)
	parts := []string{count(numbers[Fine]) + " ok"}
	if n := numbers[Note]; n > 0 {
		parts = append(parts, several(n, "note"))
	}
	parts = append(parts, several(numbers[Warning], "warning"), count(numbers[Failed])+" failed")
	p.line("\n%s.", strings.Join(parts, ", "))
}
