package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/fleet/importing"
	"github.com/coreroller/coreroller/store"
	"github.com/coreroller/coreroller/store/foreign"
)

// importFlags are the flags of coreroller import.
type importFlags struct {
	from, since, apps                          string
	dryRun, yes, keepRunning, force, withSyncs bool
}

func importCommand(p process) *cobra.Command {
	cmd := &cobra.Command{
		Use: "import", Short: "import from Nebraska or CoreRoller 1.0",
		Long: "Takes applications, packages, channels, groups, machines with their state and history, activity and the names of\n" +
			"users from the PostgreSQL database of another server. It only reads there, and that server may run. It prints a\n" +
			"plan first. All ids stay, so machines need no change. Run it again before the cut-over: it then takes what has\n" +
			"changed since. What people changed here is not overwritten. Steps: docs/moving.md.\n\n" +
			"It writes directly to the database of this server. The embedded database must not be in use: stop the server\n" +
			"first. With PostgreSQL the server may run and follows the changes.",
		Args: cobra.NoArgs,
	}
	for _, kind := range []foreign.Kind{foreign.Nebraska, foreign.CoreRoller} {
		cmd.AddCommand(importFromCommand(p, kind))
	}
	return cmd
}

func importFromCommand(p process, kind foreign.Kind) *cobra.Command {
	name := map[foreign.Kind]string{foreign.Nebraska: "Nebraska", foreign.CoreRoller: "CoreRoller 1.0"}[kind]
	f := &importFlags{}
	cmd := databaseCommand(string(kind), "import from the database of "+name, func(cmd *cobra.Command, c *Config, database string) (err error) {
		o, err := f.options()
		if err != nil {
			return err
		}
		s, err := store.Open(cmd.Context(), store.Options{URL: database, Log: discard()})
		if err != nil {
			return c.explainOpen(err)
		}
		defer func() { err = errors.Join(err, s.Close()) }()
		return runImport(cmd.Context(), p, s, kind, f, o)
	})
	flags := cmd.Flags()
	flags.StringVar(&f.from, "from", "", "database of the other server: postgres://user:password@host/name?sslmode=…")
	flags.BoolVar(&f.dryRun, "dry-run", false, "only print the plan")
	flags.BoolVar(&f.yes, "yes", false, "do not ask after the plan")
	flags.StringVar(&f.since, "since", "90d", "age of the oldest history and activity that is taken, such as 90d or 12h")
	flags.StringVar(&f.apps, "apps", "", "ids of the applications to take, separated by commas; default: all")
	flags.BoolVar(&f.keepRunning, "keep-running", false, "groups that update there go on here at once; without it all groups arrive paused, to be reviewed")
	flags.BoolVar(&f.force, "force", false, "also overwrite what people changed here")
	flags.BoolVar(&f.withSyncs, "with-syncers", false, "also take machines whose id is a UUID in braces: they are servers that copy packages")
	_ = cmd.MarkFlagRequired("from") // the flag exists
	return cmd
}

func (f *importFlags) options() (o importing.Options, err error) {
	o = importing.Options{KeepRunning: f.keepRunning, Force: f.force, Syncers: f.withSyncs}
	if o.Since, err = parseAge(f.since); err != nil {
		return o, err
	}
	for text := range strings.SplitSeq(f.apps, ",") {
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		id, err := uuid.Parse(text)
		if err != nil {
			return o, fmt.Errorf("--apps: %q is not the id of an application", visible(text))
		}
		o.Applications = append(o.Applications, id)
	}
	return o, nil
}

// parseAge reads a time such as 90d, or as Go writes durations.
func parseAge(text string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n > 0 && n <= 36_500 {
			return time.Duration(n) * 24 * time.Hour, nil
		}
	}
	if d, err := time.ParseDuration(text); err == nil && d > 0 {
		return d, nil
	}
	return 0, fmt.Errorf("--since: %q is no time such as 90d or 12h", visible(text))
}

func runImport(ctx context.Context, p process, s *store.Store, kind foreign.Kind, f *importFlags, o importing.Options) (err error) {
	if !s.Postgres() {
		if err := refuseServed(ctx, s); err != nil {
			return err
		}
	}
	ctx = auth.With(ctx, commandPrincipal("coreroller import"))
	service, err := newService(ctx, s)
	if err != nil {
		return err
	}
	defer service.Close()
	source, err := foreign.Open(ctx, f.from)
	if err != nil {
		return fmt.Errorf("--from: %w", err)
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	if source.Kind != kind {
		return fmt.Errorf("this is a database of %s: run coreroller import %s", source.Kind, source.Kind)
	}
	if !f.dryRun {
		// Else the names that are imported would be the only users of a new database, and
		// they cannot sign in.
		password, err := readFirstPassword(p.Environ)
		if err != nil {
			return err
		}
		if err := service.Accounts.EnsureFirstUserWith(ctx, password); err != nil {
			return err
		}
	}
	begin := time.Now()
	importer, plan, err := service.PlanImport(ctx, source, o)
	if err != nil {
		return err
	}
	if err := printImport(p.Stdout, "Plan", plan, time.Since(begin)); err != nil || f.dryRun {
		return err
	}
	if !f.yes {
		if err := confirm(ctx, p, "Import this? Type yes: "); err != nil {
			return err
		}
	}
	begin = time.Now()
	report, err := importer.Run(ctx, func(text string) { _, _ = fmt.Fprintln(p.Stderr, "importing "+visible(text)) })
	if err != nil {
		return fmt.Errorf("the import is not complete; run it again to go on: %w", err)
	}
	report.Notes = nil // they are those of the plan
	return printImport(p.Stdout, "Imported", report, time.Since(begin))
}

// refuseServed returns an error if a server uses the embedded database.
func refuseServed(ctx context.Context, s *store.Store) error {
	served, err := s.Served(ctx, time.Now())
	if err != nil {
		return err
	}
	if served {
		return errors.New("a server uses this database: stop it, wait ten seconds, and try again")
	}
	return nil
}

// confirm reads "yes" from the terminal or from the first line of standard input.
func confirm(ctx context.Context, p process, question string) error {
	_, _ = fmt.Fprint(p.Stderr, question)
	answer := make(chan string, 1)
	go func() {
		line, _ := firstLine(p.Stdin)
		answer <- line
	}()
	select {
	case line := <-answer:
		if strings.TrimSpace(line) == "yes" {
			return nil
		}
	case <-ctx.Done():
	}
	return errors.New("nothing was imported")
}

func printImport(out io.Writer, title string, r *importing.Report, took time.Duration) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: from %s, a database of %s (%s)\n\n", title, visible(r.Place), r.Source, visible(r.Schema))
	fmt.Fprintf(&b, "%-16s %9s %9s %9s %9s %9s\n", "", "new", "changed", "same", "conflict", "dropped")
	for _, c := range r.Counts {
		fmt.Fprintf(&b, "%-16s %9d %9d %9d %9d %9d\n", c.Kind, c.New, c.Changed, c.Same, c.Conflict, c.Dropped)
	}
	b.WriteByte('\n')
	for _, n := range r.Notes {
		fmt.Fprintln(&b, strings.TrimSpace(strings.Join([]string{n.Kind, visible(n.ID), strconv.QuoteToGraphic(n.Name)}, " ")+": "+visible(n.Reason)))
	}
	fmt.Fprintf(&b, "took %s\n", took.Round(time.Millisecond))
	_, err := io.WriteString(out, b.String())
	return err
}
