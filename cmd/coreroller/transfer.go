package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/coreroller/coreroller/store"
	"github.com/coreroller/coreroller/store/transfer"
)

func moveCommand(p process) *cobra.Command {
	var from, to string
	cmd := command("move", "move all data to another database", `
Copies everything from one database into another, empty one: from the embedded database to PostgreSQL or back. The
source stays as it is. Stop the server first. The copy is read again and compared with the source, row by row; the
audit is verified and the counters are recounted before the command succeeds.`,
		func(cmd *cobra.Command) error {
			source, err := databaseOf("--from", from)
			if err != nil {
				return err
			}
			target, err := databaseOf("--to", to)
			if err != nil {
				return err
			}
			for flag, url := range map[string]string{"--from": source, "--to": target} {
				if err := refuseUsed(cmd.Context(), flag, url); err != nil {
					return err
				}
			}
			begin := time.Now()
			r, err := transfer.Move(cmd.Context(), source, target)
			return printTransfer(p, "moved", r, begin, err)
		})
	cmd.Flags().StringVar(&from, "from", "", "database to move: sqlite://DATA-DIR or postgres://user:password@host/name?sslmode=…")
	cmd.Flags().StringVar(&to, "to", "", "empty database that gets the data, in the same form")
	_ = cmd.MarkFlagRequired("from") // the flags exist
	_ = cmd.MarkFlagRequired("to")
	return cmd
}

func backupCommand(p process) *cobra.Command {
	var to string
	cmd := databaseCommand("backup", "back up the database into a file", func(cmd *cobra.Command, _ *Config, database string) error {
		begin := time.Now()
		r, err := transfer.Backup(cmd.Context(), database, to)
		return printTransfer(p, "backed up", r, begin, err)
	})
	cmd.Long = "Writes one state of the database into a new file, also while the server runs. The file has a checksum of every\n" +
		"table and is read again before it appears under its name. It contains password hashes: keep it private. The\n" +
		"payloads of packages are not part of it."
	cmd.Flags().StringVar(&to, "to", "", "file to write; it must not exist")
	_ = cmd.MarkFlagRequired("to") // the flag exists
	return cmd
}

func restoreCommand(p process) *cobra.Command {
	var from string
	cmd := databaseCommand("restore", "restore a backup into an empty database", func(cmd *cobra.Command, _ *Config, database string) error {
		if err := refuseUsed(cmd.Context(), "the target", database); err != nil {
			return err
		}
		begin := time.Now()
		r, err := transfer.Restore(cmd.Context(), from, database)
		return printTransfer(p, "restored", r, begin, err)
	})
	cmd.Long = "Verifies a file that coreroller backup wrote, of SQLite or PostgreSQL, and copies it into an empty database of\n" +
		"either kind. The copy is compared with the file, the audit is verified and the counters are recounted."
	cmd.Flags().StringVar(&from, "from", "", "file that coreroller backup wrote")
	_ = cmd.MarkFlagRequired("from") // the flag exists
	return cmd
}

// databaseOf returns the URL for package store of a database in a flag.
func databaseOf(flag, text string) (string, error) {
	if path, ok := strings.CutPrefix(text, "sqlite://"); ok && path != "" {
		if info, err := os.Stat(path); err == nil && !info.IsDir() {
			return path, nil
		}
		if strings.HasSuffix(path, ".db") {
			return path, nil
		}
		if err := makeDataDir(path); err != nil {
			return "", err
		}
		return filepath.Join(path, databaseFile), nil
	}
	c := &Config{DatabaseURL: text}
	if !store.IsPostgres(text) {
		return "", fmt.Errorf("%s must begin with sqlite:// and a data directory, or with postgres://", flag)
	}
	return c.database()
}

// refuseUsed returns an error if a server uses a database. One that does not exist, or
// that another version wrote, is left to the command.
func refuseUsed(ctx context.Context, flag, url string) error {
	if _, err := os.Stat(url); err != nil && !store.IsPostgres(url) {
		return nil
	}
	s, err := store.Open(ctx, store.Options{URL: url, Unchanged: true, Log: discard()})
	if err != nil {
		return fmt.Errorf("%s: %w", flag, err)
	}
	defer func() { _ = s.Close() }()
	if served, err := s.Served(ctx, time.Now()); err == nil && served {
		return fmt.Errorf("%s: a server uses this database: stop it, wait ten seconds, and try again", flag)
	}
	return nil
}

func printTransfer(p process, done string, r *transfer.Result, begin time.Time, err error) error {
	if errors.Is(err, transfer.ErrNotEmpty) {
		return fmt.Errorf("%w; nothing was changed", err)
	}
	if err != nil {
		return err
	}
	var rows int64
	for _, t := range r.Tables {
		rows += t.Rows
	}
	_, err = fmt.Fprintf(p.Stdout, "%s %d rows of %d tables in %s; all rows compared, %s of the audit verified, %d counters differ from a recount\n",
		done, rows, len(r.Tables), time.Since(begin).Round(time.Millisecond), entries(r.Audits), r.Differ)
	return err
}
