package main

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/coreroller/coreroller/store"
)

var auditHash = regexp.MustCompile(`^[0-9a-f]{64}$`)

func auditCommand(p process) *cobra.Command {
	audit := &cobra.Command{Use: "audit", Short: "check the audit", Args: cobra.NoArgs}
	var expected string
	verify := databaseCommand("verify", "check that no entry of the audit was changed, deleted or moved",
		func(cmd *cobra.Command, c *Config, database string) (err error) {
			if expected != "" && !auditHash.MatchString(expected) {
				return errors.New("--expect-last: must be the hash of an entry, 64 characters 0-9 and a-f")
			}
			s, err := store.Open(cmd.Context(), store.Options{URL: database, Log: discard()})
			if err != nil {
				return c.explainOpen(err)
			}
			defer func() { err = errors.Join(err, s.Close()) }()
			chain, err := s.VerifyAudits(cmd.Context(), expected)
			if err != nil {
				return fmt.Errorf("the audit is not whole: %w", err)
			}
			return printChain(p.Stdout, chain)
		})
	verify.Long = "Reads all entries of the audit, also while the server runs. Each has the hash of the one before, so the first\n" +
		"entry that is wrong is named, and the exit code is 1. Entries that were cut off at the end together with the\n" +
		"record of the end are found only by a hash that was noted elsewhere: see --expect-last."
	verify.Flags().StringVar(&expected, "expect-last", "", "hash that the last entry had before, such as the one this command printed or an export contains")
	audit.AddCommand(verify)
	return audit
}

func printChain(out io.Writer, c *store.VerifiedChain) error {
	text := "the chain has no entries yet"
	if c.Entries > 0 {
		text = fmt.Sprintf("%s, chain whole from %s to %s, last hash %s", entries(c.Entries),
			c.First.Format(time.RFC3339), c.Last.Format(time.RFC3339), c.LastHash)
	}
	switch {
	case c.Earlier > 0 && c.Sealed:
		text += "; " + entries(int64(c.Earlier)) + " from before the chain, unchanged since it began"
	case c.Earlier > 0:
		text += "; " + entries(int64(c.Earlier)) + " from before the chain, which begins with the next change"
	}
	_, err := fmt.Fprintln(out, text)
	return err
}

// entries returns a number of entries, such as "12,345 entries".
func entries(n int64) string {
	if n == 1 {
		return "1 entry"
	}
	digits := strconv.FormatInt(n, 10)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits + " entries"
}
