package client

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

const (
	// labelsAtOnce is how many machines one request reads or changes.
	labelsAtOnce = 50
	// maxLabelRows bounds what a file keeps in memory.
	maxLabelRows = 1_000_000

	machineColumn = "machine"
	tagsColumn    = "tags"
)

// labelRow is one line of the file: what a machine should have.
type labelRow struct {
	line       int
	machine    string
	attributes map[string]string
	tags       []string
}

// labelAttribute is an attribute as the API has it.
type labelAttribute struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// labeled is a machine with what it has.
type labeled struct {
	ID         string
	Attributes []labelAttribute
	Tags       []struct{ Name string }
}

// labelReport is what a file did.
type labelReport struct {
	Changed int      `json:"changed"`
	Same    int      `json:"same"`
	Unknown []string `json:"unknown"` // machine ids
	Failed  []string `json:"failed"`  // sentences
	DryRun  bool     `json:"dryRun"`
}

func labelCommand(t Terminal) *cobra.Command {
	var app, reason string
	var dryRun bool
	cmd := t.command("label FILE", "set attributes and tags of machines from a CSV file, for instance of an inventory", `
The first line of the file names its columns: "machine" is the id that a machine sends, "tags" has
tags to add, separated by spaces, and each other column is an attribute. An empty cell changes nothing.
Machines that have all of it already are left alone, so the same file can be sent every night.
"-" reads standard input.

The exit code is 1 when a machine is not known or was not changed; the others are changed.`,
		"  coreroller label inventory.csv --app io.example.agent --reason \"inventory of Monday\"\n  coreroller label - --dry-run <inventory.csv",
		func(ctx context.Context, s *session, args []string) error {
			rows, err := s.readLabels(args[0])
			if err != nil {
				return err
			}
			found, err := s.findApplication(ctx, app)
			if err != nil {
				return err
			}
			report := labelReport{DryRun: dryRun, Unknown: []string{}, Failed: []string{}}
			for part := range slices.Chunk(rows, labelsAtOnce) {
				if err := s.labelMachines(ctx, found.ID, part, reason, &report); err != nil {
					return err
				}
			}
			return s.showLabels(&report)
		})
	cmd.Flags().StringVar(&app, "app", "", "name, product id or id of the application, when there are several")
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the activity and the audit")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "only count what would change")
	return cmd
}

func (s *session) readLabels(path string) ([]labelRow, error) {
	if path == "-" {
		return parseLabels(s.terminal.Stdin)
	}
	f, err := os.Open(path) //nolint:gosec // G304: the user names the file
	if err != nil {
		return nil, usage("%v", err)
	}
	defer f.Close() //nolint:errcheck // it was only read
	rows, err := parseLabels(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return rows, nil
}

// parseLabels reads a file. Its mistakes are found before anything is changed.
func parseLabels(in io.Reader) ([]labelRow, error) {
	r := csv.NewReader(in)
	r.TrimLeadingSpace = true
	head, err := r.Read()
	if errors.Is(err, io.EOF) {
		return nil, errors.New("the file is empty")
	}
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for i, name := range head {
		head[i] = strings.TrimSpace(strings.TrimPrefix(name, "\ufeff"))
		switch {
		case head[i] == "":
			return nil, fmt.Errorf("line 1: column %d has no name", i+1)
		case seen[head[i]]:
			return nil, fmt.Errorf("line 1: two columns are named %q", head[i])
		}
		seen[head[i]] = true
	}
	at := slices.Index(head, machineColumn)
	if at < 0 {
		return nil, fmt.Errorf("line 1: no column is named %q", machineColumn)
	}
	var rows []labelRow
	lines := map[string]int{}
	for {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return nil, err // it names the line
		}
		line, _ := r.FieldPos(0)
		row := labelRow{line: line, machine: strings.TrimSpace(cells[at]), attributes: map[string]string{}}
		if row.machine == "" {
			return nil, fmt.Errorf("line %d: the machine is missing", line)
		}
		if before := lines[row.machine]; before > 0 {
			return nil, fmt.Errorf("line %d: machine %s is in line %d already", line, row.machine, before)
		}
		lines[row.machine] = line
		for i, cell := range cells {
			switch cell = strings.TrimSpace(cell); {
			case i == at || cell == "":
			case head[i] == tagsColumn:
				row.tags = strings.Fields(cell)
			default:
				row.attributes[head[i]] = cell
			}
		}
		if rows = append(rows, row); len(rows) > maxLabelRows {
			return nil, fmt.Errorf("more than %s machines: divide the file", count(maxLabelRows))
		}
	}
}

// labelMachines changes the machines of some rows that do not have all of it.
func (s *session) labelMachines(ctx context.Context, app string, rows []labelRow, reason string, report *labelReport) error {
	var names, fields strings.Builder
	variables := map[string]any{"app": app}
	for i := range rows {
		fmt.Fprintf(&names, ", $m%d: String!", i)
		fmt.Fprintf(&fields, " m%d: instanceByMachineId(applicationId: $app, machineId: $m%d) { id attributes { name value } tags { name } }", i, i)
		variables[fmt.Sprint("m", i)] = rows[i].machine
	}
	found, err := read[map[string]*labeled](ctx, s, "query($app: ID!"+names.String()+") {"+fields.String()+" }", variables)
	if err != nil {
		return err
	}
	for i := range rows {
		row, m := &rows[i], found[fmt.Sprint("m", i)]
		if m == nil {
			report.Unknown = append(report.Unknown, row.machine)
			continue
		}
		labels := row.missing(m)
		if labels == nil {
			report.Same++
			continue
		}
		if !report.DryRun {
			err := s.mutate(ctx, change{mutation: "labelInstance", input: map[string]any{"id": m.ID, "labels": labels, "reason": reason}})
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err != nil {
				report.Failed = append(report.Failed, fmt.Sprintf("line %d, machine %s: %v", row.line, row.machine, err))
				continue
			}
		}
		report.Changed++
	}
	return nil
}

// missing returns what a machine does not have yet, nil for nothing.
func (r *labelRow) missing(m *labeled) map[string]any {
	set, tags := []labelAttribute{}, []string{}
	for name, value := range r.attributes {
		if !slices.Contains(m.Attributes, labelAttribute{name, value}) {
			set = append(set, labelAttribute{name, value})
		}
	}
	for _, tag := range r.tags {
		if !slices.ContainsFunc(m.Tags, func(t struct{ Name string }) bool { return t.Name == tag }) && !slices.Contains(tags, tag) {
			tags = append(tags, tag)
		}
	}
	if len(set)+len(tags) == 0 {
		return nil
	}
	slices.SortFunc(set, func(a, b labelAttribute) int { return strings.Compare(a.Name, b.Name) })
	return map[string]any{"setAttributes": set, "addTags": tags}
}

// shownLabelProblems bounds the machines that are named.
const shownLabelProblems = 20

func (s *session) showLabels(r *labelReport) error {
	err := s.show(r, func() {
		verb := "changed"
		if r.DryRun {
			verb = "would change"
		}
		s.line("%s machines %s, %s had all of it already.", count(r.Changed), verb, count(r.Same))
		if n := len(r.Unknown); n > 0 {
			s.line("%s are not known: %s", count(n), someOf(r.Unknown, ", "))
		}
		if len(r.Failed) > 0 {
			s.line("%s", someOf(r.Failed, "\n"))
		}
	})
	if err == nil && len(r.Unknown)+len(r.Failed) > 0 {
		err = fmt.Errorf("%s of the machines were not changed", count(len(r.Unknown)+len(r.Failed)))
	}
	return err
}

func someOf(texts []string, separator string) string {
	if n := len(texts); n > shownLabelProblems {
		return strings.Join(texts[:shownLabelProblems], separator) + separator + fmt.Sprintf("and %s more", count(n-shownLabelProblems))
	}
	return strings.Join(texts, separator)
}
