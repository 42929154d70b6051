package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/coreroller/coreroller/remote/payload/storage"
	"github.com/coreroller/coreroller/store"
)

func verifyCommand(p process) *cobra.Command {
	var repair bool
	var folder string
	var config *Config
	verify := databaseCommand("verify", "compare counters, the audit and indexes with the data, and repair counters",
		func(cmd *cobra.Command, c *Config, database string) (err error) {
			s, err := store.Open(cmd.Context(), store.Options{URL: database, Log: discard()})
			if err != nil {
				return c.explainOpen(err)
			}
			defer func() { err = errors.Join(err, s.Close()) }()
			clock, err := newClock(cmd.Context(), s, time.Now, discard())
			if err != nil {
				return err
			}
			now := clock.Now().UTC().Truncate(time.Microsecond)
			v := verification{store: s, out: p.Stdout, now: now, since: now.Add(-config.Keep.Of(store.KeepAttempts)), folder: cmp.Or(folder, filepath.Join(c.DataDir, "payloads"))}
			return v.run(cmd.Context(), repair)
		})
	config = &Config{Keep: store.Keep{}}
	for _, period := range store.Periods() {
		if period.Name == store.KeepAttempts { // older rollouts cannot be counted again
			config.keepFlag(verify.Flags(), period)
		}
	}
	verify.Long = "Counts all machines and compares the counters and ledgers with them, checks the chain of the audit, the indexes\n" +
		"and that the files of packages are there with their sizes, and prints what differs; then the exit code is 1. Servers may run meanwhile, also with the embedded database: each\n" +
		"count reads one state. --repair corrects the counters of the machines of one group after the other under its lock, so that its\n" +
		"check-ins wait for one count, and writes an entry of the audit for each group. All else is only\n" +
		"compared. --keep-attempts must be that of the server."
	verify.Flags().StringVar(&folder, "payload-dir", "", "directory of the server's files of packages; default: payloads in --data-dir")
	verify.Flags().BoolVar(&repair, "repair", false, "correct the counters of machines that differ")
	return verify
}

// verification is one run of verify.
type verification struct {
	store      *store.Store
	out        io.Writer
	now, since time.Time
	folder     string // of the files of packages
	problems   int
}

func (v *verification) run(ctx context.Context, repair bool) error {
	for _, step := range []func(context.Context) error{
		func(ctx context.Context) error { return v.counters(ctx, repair) }, v.audit, v.indexes, v.files,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	switch v.problems {
	case 0:
		return nil
	case 1:
		return errors.New("1 difference was found")
	}
	return fmt.Errorf("%d differences were found", v.problems)
}

func (v *verification) print(format string, args ...any) error {
	_, err := fmt.Fprintf(v.out, format+"\n", args...)
	return err
}

// counters compares all counters, and repairs those of groups.
func (v *verification) counters(ctx context.Context, repair bool) error {
	all, err := v.store.RecountSince(ctx, v.since)
	if err != nil {
		return err
	}
	if repair {
		done := map[string]bool{}
		for _, d := range all {
			group, ok := d.Group()
			if !ok || done[group.String()] {
				continue
			}
			done[group.String()] = true
			who := commandPrincipal("coreroller verify")
			fixed, err := v.store.RepairGroup(ctx, v.now, group, store.Audit{TeamID: who.TeamID, Actor: who.Name, Credential: string(who.Credential), Reason: "coreroller verify --repair"})
			if err != nil {
				return err
			}
			for _, f := range fixed {
				if err := v.print("repaired: %s was %d, is %d", visibleLines(f.Counter), f.Kept, f.Counted); err != nil {
					return err
				}
			}
		}
		if len(done) > 0 {
			if all, err = v.store.RecountSince(ctx, v.since); err != nil {
				return err
			}
		}
	}
	v.problems += len(all)
	for _, d := range all {
		if err := v.print("differs: %s is %d, a count gives %d", visibleLines(d.Counter), d.Kept, d.Counted); err != nil {
			return err
		}
	}
	if len(all) == 0 {
		return v.print("counters: as counted")
	}
	return nil
}

func (v *verification) audit(ctx context.Context) error {
	chain, err := v.store.VerifyAudits(ctx, "")
	if err != nil {
		v.problems++
		return v.print("audit: %s", visibleLines(err.Error()))
	}
	return v.print("audit: %s, whole", entries(chain.Entries))
}

func (v *verification) indexes(ctx context.Context) error {
	problems, checked, err := v.store.CheckIndexes(ctx)
	if err != nil {
		problems = []string{err.Error()}
	}
	v.problems += len(problems)
	for _, text := range problems {
		if err := v.print("indexes: %s", visibleLines(text)); err != nil {
			return err
		}
	}
	switch {
	case len(problems) > 0:
		return nil
	case !checked:
		return v.print("indexes: not checked, because the database lacks the extension amcheck")
	}
	return v.print("indexes: whole")
}

// files compares the stored files with their rows. Files without a row are not wrong: a
// clean-up of the storage deletes them.
func (v *verification) files(ctx context.Context) error {
	rows, err := v.store.StoredFiles(ctx)
	if err != nil {
		return err
	}
	dir := filepath.Join(v.folder, "files")
	if _, err := os.Stat(dir); err != nil && (len(rows) == 0 || errors.Is(err, fs.ErrNotExist)) {
		if len(rows) == 0 {
			return v.print("files: none")
		}
		return v.print("files: not compared, because there is no %s", visibleLines(dir))
	}
	kept, err := storage.NewDirectory(dir)
	if err != nil {
		return fmt.Errorf("--payload-dir: %w", err)
	}
	all, err := kept.List(ctx)
	if err != nil {
		return fmt.Errorf("--payload-dir: %w", err)
	}
	sizes, wrong := map[string]int64{}, 0
	for _, c := range all {
		sizes[c.SHA256] = c.Size
	}
	for _, row := range rows {
		size, there := sizes[row.Sha256]
		if there && size == row.Size {
			continue
		}
		wrong++
		text := "is missing"
		if there {
			text = fmt.Sprintf("has %d bytes instead of %d", size, row.Size)
		}
		if err := v.print("files: %s of package %s %s (SHA-256 %s)", visibleLines(row.Name), row.PackageID, text, row.Sha256); err != nil {
			return err
		}
	}
	if v.problems += wrong; wrong > 0 {
		return nil
	}
	return v.print("files: %d, all there", len(rows))
}
