package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/audit"
)

// VerifiedChain is what VerifyAudits has read.
type VerifiedChain struct {
	Earlier     int   // rows from before the chain
	Entries     int64 // of the chain
	First, Last time.Time
	LastHash    string
	Sealed      bool // the first entry has the digest of the earlier rows
}

// BrokenChain is the error of a chain that is not whole: the first entry that is wrong,
// and what is wrong.
type BrokenChain struct {
	Entry   int64 // 0: the rows from before the chain
	Problem string
}

func (e *BrokenChain) Error() string {
	if e.Entry == 0 {
		return "the entries from before the chain: " + e.Problem
	}
	return fmt.Sprintf("entry %d: %s", e.Entry, e.Problem)
}

func broken(entry int64, format string, args ...any) error {
	return &BrokenChain{entry, fmt.Sprintf(format, args...)}
}

// VerifyAudits reads all audits and checks the chain up to the end that was current when
// it began. expected is a hash that the chain had as its last one before, "" for none:
// it alone proves that no entries were cut off at the end together with the record of
// the end. An error of type BrokenChain says what is wrong.
func (s *Store) VerifyAudits(ctx context.Context, expected string) (*VerifiedChain, error) {
	head, err := s.AuditHead(ctx)
	if err != nil {
		return nil, err
	}
	v := &verifier{store: s, head: head, expected: expected}
	if err := v.readChain(ctx); err != nil {
		return nil, err
	}
	if err := v.checkEnd(ctx); err != nil {
		return nil, err
	}
	if err := v.checkEarlier(ctx); err != nil {
		return nil, err
	}
	return &v.VerifiedChain, nil
}

// verifier walks along the chain.
type verifier struct {
	VerifiedChain
	store    *Store
	head     AuditHead
	expected string
	found    bool // the expected hash
	seal     *earlierAudits
}

func (v *verifier) readChain(ctx context.Context) error {
	for {
		rows, err := v.store.client.Audit.Query().Where(audit.SeqGT(v.Entries), audit.SeqLTE(v.head.Entries)).
			Order(audit.BySeq()).Limit(auditPage).All(ctx)
		if err != nil {
			return fmt.Errorf("read audits: %w", err)
		}
		for _, a := range rows {
			if err := v.check(ctx, a); err != nil {
				return err
			}
		}
		if len(rows) < auditPage {
			return nil
		}
	}
}

// check compares one entry with the one before.
func (v *verifier) check(ctx context.Context, a *db.Audit) error {
	n := v.Entries + 1
	switch {
	case *a.Seq != n:
		return broken(n, "missing: the next entry is %d", *a.Seq)
	case a.Previous != v.LastHash:
		return v.explainPrevious(ctx, a)
	case a.Hash != AuditHash(a):
		return broken(n, "changed: its fields no longer have its hash")
	}
	if n == 1 {
		v.First = a.At
		if a.Verb == sealVerb {
			v.seal, v.Sealed = &earlierAudits{}, true
			if err := json.Unmarshal([]byte(a.After), v.seal); err != nil {
				return fmt.Errorf("read the seal of the audits: %w", err)
			}
		}
	}
	v.Entries, v.Last, v.LastHash = n, a.At, a.Hash
	v.found = v.found || a.Hash == v.expected
	return nil
}

// explainPrevious says why an entry does not follow the one before.
func (v *verifier) explainPrevious(ctx context.Context, a *db.Audit) error {
	other, err := v.store.client.Audit.Query().Where(audit.Hash(a.Previous), audit.SeqNotNil()).First(ctx)
	switch {
	case err == nil && a.Previous != "":
		return broken(*a.Seq, "reordered: by its hashes it follows entry %d", *other.Seq)
	case err != nil && !db.IsNotFound(err):
		return fmt.Errorf("read audits: %w", err)
	case a.Hash != AuditHash(a):
		return broken(*a.Seq, "changed: neither its fields nor the entry before have the recorded hashes")
	case v.Entries == 0:
		return broken(*a.Seq, "reordered: it is not the first entry, by its hashes")
	}
	return broken(v.Entries, "changed: entry %d follows an entry with another hash", *a.Seq)
}

// checkEnd compares the last entry with the record of the end, and both with the
// expected hash.
func (v *verifier) checkEnd(ctx context.Context) error {
	switch {
	case v.Entries < v.head.Entries:
		return broken(v.Entries+1, "cut at the end: the chain had %d entries", v.head.Entries)
	case v.LastHash != v.head.Hash:
		return broken(v.Entries, "changed: the recorded last hash is %s", v.head.Hash)
	case v.expected != "" && !v.found:
		return broken(v.Entries+1, "cut at the end or written again: no entry has the expected hash %s", v.expected)
	}
	// In one statement, so that entries that other processes add now cause no error.
	var end, last int64
	row := v.store.readers.QueryRowContext(ctx, "SELECT COALESCE((SELECT seq FROM audit_heads), 0), COALESCE((SELECT MAX(seq) FROM audits), 0)")
	if err := row.Scan(&end, &last); err != nil {
		return fmt.Errorf("read the end of the chain of audits: %w", err)
	}
	if last > end {
		return broken(end+1, "inserted: the recorded end of the chain is entry %d", end)
	}
	return nil
}

// checkEarlier compares the rows from before the chain with the digest in its first
// entry. As long as the chain has no entry, they have none.
func (v *verifier) checkEarlier(ctx context.Context) error {
	earlier, err := readEarlier(ctx, v.store.client)
	if err != nil {
		return err
	}
	v.Earlier = earlier.Entries
	switch {
	case v.Entries == 0:
		return nil
	case v.seal == nil && earlier.Entries > 0:
		return broken(0, "inserted: the chain begins without them")
	case v.seal != nil && earlier.Entries != v.seal.Entries:
		return broken(0, "there are %d, and there were %d when the chain began", earlier.Entries, v.seal.Entries)
	case v.seal != nil && earlier != *v.seal:
		return broken(0, "changed since the chain began")
	}
	return nil
}
