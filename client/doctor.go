package client

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/coreroller/coreroller/client/api"
)

// level is how good or bad a finding is.
type level string

// The levels. Only failed ones change the exit code.
const (
	fine    level = "ok"
	note    level = "note"
	warning level = "warning"
	failed  level = "failed"
)

// marks are the levels in the terminal.
var marks = map[level]ink{fine: {"✓", green}, note: {"·", dim}, warning: {"▲", yellow}, failed: {"✗", red}}

// finding is a result of a check.
type finding struct {
	Check string `json:"check"`
	Level level  `json:"level"`
	Text  string `json:"text"`
	Fix   string `json:"fix,omitempty"` // what to do: a command or a page; "" when there is nothing to do
}

// check is one thing that the doctor looks at. It returns at least one finding, or an
// error when it could not look.
type check struct {
	name string
	look func(context.Context, *session) ([]finding, error)
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
is changed. What the token may not read is not checked.

The exit code is 1 when a check failed; warnings do not change it.`,
		"  coreroller doctor\n  coreroller doctor --context production -o json",
		func(ctx context.Context, s *session, _ []string) error {
			all := s.examine(ctx, checks)
			numbers := map[level]int{}
			for _, f := range all {
				numbers[f.Level]++
			}
			if err := s.show(all, func() { s.findings(all, numbers) }); err != nil {
				return err
			}
			if n := numbers[failed]; n > 0 {
				return &Exit{1, fmt.Errorf("the server has problems: %s failed", several(n, "check"))}
			}
			return nil
		})
}

// examine runs the checks. A check that could not look is a finding itself.
func (s *session) examine(ctx context.Context, checks []check) []finding {
	var all []finding
	for i, c := range checks {
		found, err := c.look(ctx, s)
		switch {
		case api.Code(err) == api.Forbidden:
			found = []finding{{Level: note, Text: "not checked: " + err.Error()}}
		case err != nil:
			found = []finding{{Level: failed, Text: s.explain(err).Error()}}
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
func (s *session) findings(all []finding, numbers map[level]int) {
	var rows [][]any
	for _, f := range all {
		rows = append(rows, []any{marks[f.Level], f.Check, f.Text})
		if f.Fix != "" {
			rows = append(rows, []any{"", "", ink{f.Fix, dim}})
		}
	}
	s.table(nil, rows)
	parts := []string{count(numbers[fine]) + " ok"}
	if n := numbers[note]; n > 0 {
		parts = append(parts, several(n, "note"))
	}
	parts = append(parts, several(numbers[warning], "warning"), count(numbers[failed])+" failed")
	s.line("\n%s.", strings.Join(parts, ", "))
}
