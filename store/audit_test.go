package store_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/store"
	"github.com/coreroller/coreroller/store/storetest"
)

// record writes entries of the audit, each in a transaction, and returns the last hash.
func record(t *testing.T, s *store.Store, reasons ...string) string {
	t.Helper()
	for _, reason := range reasons {
		write(t, s, func(_ context.Context, tx *store.Tx) error {
			return tx.Audit(store.Audit{TeamID: uuid.New(), Actor: "ana", Credential: "session", Address: "192.0.2.7", Verb: "pauseUpdates",
				Object: "group", ObjectID: uuid.New(), ApplicationID: uuid.New(), Before: 1, After: map[string]string{"name": "<ü>"}, Reason: reason})
		})
	}
	head, err := s.AuditHead(t.Context())
	check(t, err)
	return head.Hash
}

// brokenAt fails the test unless the chain is broken at an entry.
func brokenAt(t *testing.T, s *store.Store, expected string, entry int64, problem string) {
	t.Helper()
	_, err := s.VerifyAudits(t.Context(), expected)
	b, ok := errors.AsType[*store.BrokenChain](err)
	if !ok || b.Entry != entry || !strings.HasPrefix(b.Problem, problem) {
		t.Errorf("got %v, want entry %d %s", err, entry, problem)
	}
}

func TestAuditsOfAllProcessesAreOneChain(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		stores := []*store.Store{open(t, url)}
		if store.IsPostgres(url) {
			stores = append(stores, open(t, url))
		}
		const writers, each = 4, 25
		var g sync.WaitGroup
		for _, s := range stores {
			for w := range writers {
				g.Go(func() {
					for i := range each {
						err := s.Write(context.Background(), start, func(tx *store.Tx) error {
							for _, verb := range []string{"first", "second"} {
								if err := tx.Audit(store.Audit{Actor: fmt.Sprint(w), Verb: verb, Reason: fmt.Sprint(i)}); err != nil {
									return err
								}
							}
							if i%5 == 0 {
								return errRollBack
							}
							return nil
						})
						if err != nil && !errors.Is(err, errRollBack) {
							t.Error(err)
						}
					}
				})
			}
		}
		g.Wait()
		chain, err := stores[0].VerifyAudits(t.Context(), "")
		check(t, err)
		if want := int64(len(stores) * writers * each * 2 * 4 / 5); chain.Entries != want || chain.Earlier != 0 || chain.LastHash == "" {
			t.Errorf("chain %+v, want %d entries", chain, want)
		}
		rows := stores[0].Reader().Audit.Query().AllX(t.Context())
		for _, a := range rows {
			if a.Verb == "second" && *a.Seq%2 != 0 {
				t.Fatalf("entries of two transactions are mixed: %+v", a)
			}
		}
	})
}

var errRollBack = errors.New("roll back")

func TestTheDatabaseRefusesToChangeAudits(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url)
		last := record(t, s, "one")
		statements := []string{
			"UPDATE audits SET reason = 'x'", "DELETE FROM audits",
			"INSERT INTO audits (id, at, team_id, actor, credential, verb, object, object_id) SELECT team_id, at, team_id, actor, credential, verb, object, object_id FROM audits",
		}
		if store.IsPostgres(url) {
			statements = append(statements, "TRUNCATE audits")
		}
		d := raw(t, url)
		for _, text := range statements {
			if _, err := d.Exec(text); err == nil || !strings.Contains(err.Error(), "append-only") {
				t.Errorf("%s: %v", text, err)
			}
		}
		chain, err := s.VerifyAudits(t.Context(), last)
		check(t, err)
		if chain.Entries != 1 || chain.LastHash != last {
			t.Errorf("chain %+v", chain)
		}
	})
}

// unguarded returns a function that changes audits as an administrator of the database
// can, without the triggers.
func unguarded(t *testing.T, url string) func(text string, args ...any) {
	do := executor(t, url)
	if store.IsPostgres(url) {
		do("ALTER TABLE audits DISABLE TRIGGER ALL")
	} else {
		for _, name := range []string{"audits_keep", "audits_keep_rows", "audits_chained"} {
			do("DROP TRIGGER " + name)
		}
	}
	return do
}

func TestEveryManipulationOfTheChainIsFound(t *testing.T) {
	for _, c := range []struct {
		name       string
		statements []string
		entry      int64
		problem    string
	}{
		{"reason", []string{"UPDATE audits SET reason = 'x' WHERE seq = 3"}, 3, "changed"},
		{"address", []string{"UPDATE audits SET address = '' WHERE seq = 1"}, 1, "changed"},
		{"text moved between fields", []string{"UPDATE audits SET actor = 'a', credential = 'nasession' WHERE seq = 2"}, 2, "changed"},
		{"hash", []string{"UPDATE audits SET hash = 'x' WHERE seq = 2"}, 2, "changed"},
		{"last hash", []string{"UPDATE audits SET hash = 'x' WHERE seq = 5"}, 5, "changed"},
		{"deleted", []string{"DELETE FROM audits WHERE seq = 2"}, 2, "missing: the next entry is 3"},
		{"several deleted", []string{"DELETE FROM audits WHERE seq IN (2, 3)"}, 2, "missing: the next entry is 4"},
		{"first deleted", []string{"DELETE FROM audits WHERE seq = 1"}, 1, "missing"},
		{"closed gap", []string{"DELETE FROM audits WHERE seq = 2", "UPDATE audits SET seq = seq - 1 WHERE seq = 3",
			"UPDATE audits SET seq = seq - 1 WHERE seq = 4", "UPDATE audits SET seq = seq - 1 WHERE seq = 5"}, 2, "changed"},
		{"swapped", []string{"UPDATE audits SET seq = 99 WHERE seq = 2", "UPDATE audits SET seq = 2 WHERE seq = 3", "UPDATE audits SET seq = 3 WHERE seq = 99"}, 2, "reordered: by its hashes it follows entry 3"},
		{"cut", []string{"DELETE FROM audits WHERE seq >= 4"}, 4, "cut at the end: the chain had 5 entries"},
		{"all cut", []string{"DELETE FROM audits"}, 1, "cut at the end"},
		{"cut with the end", []string{"DELETE FROM audits WHERE seq >= 4", "UPDATE audit_heads SET seq = 3, hash = (SELECT hash FROM audits WHERE seq = 3)"}, 4, "cut at the end or written again"},
		{"only the end", []string{"UPDATE audit_heads SET seq = 4, hash = (SELECT hash FROM audits WHERE seq = 4)"}, 5, "cut at the end or written again"},
		{"end deleted", []string{"DELETE FROM audit_heads"}, 1, "cut at the end or written again"},
		{"inserted", []string{"INSERT INTO audits (id, at, team_id, actor, credential, verb, object, object_id) SELECT team_id, at, team_id, actor, credential, verb, object, object_id FROM audits WHERE seq = 2"}, 0, "inserted"},
	} {
		t.Run(c.name, func(t *testing.T) {
			storetest.Each(t, func(t *testing.T, url string) {
				s := open(t, url)
				last := record(t, s, "one", "two", "three", "four", "five")
				if _, err := s.VerifyAudits(t.Context(), last); err != nil {
					t.Fatal(err)
				}
				do := unguarded(t, url)
				for _, text := range c.statements {
					do(text)
				}
				brokenAt(t, s, last, c.entry, c.problem)
			})
		})
	}
}

// Without the hash that was noted, a cut is found if the record of the end was left, and
// entries after a record that was set back.
func TestTheRecordedEndOfTheChainIsChecked(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url)
		first := record(t, s, "one")
		record(t, s, "two", "three")
		if _, err := s.VerifyAudits(t.Context(), first); err != nil {
			t.Errorf("an earlier last hash: %v", err)
		}
		brokenAt(t, s, strings.Repeat("0", 64), 4, "cut at the end or written again")
		unguarded(t, url)("UPDATE audit_heads SET seq = 2, hash = (SELECT hash FROM audits WHERE seq = 2)")
		brokenAt(t, s, "", 3, "inserted: the recorded end of the chain is entry 2")
	})
}

// An entry that was written again with a right hash of its own does not fit the next.
func TestAnEntryThatWasWrittenAgainIsFound(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url)
		record(t, s, "one", "two", "three")
		a := s.Reader().Audit.Query().AllX(t.Context())[1]
		a.Reason = "changed"
		unguarded(t, url)("UPDATE audits SET reason = 'changed', hash = '%s' WHERE seq = 2", store.AuditHash(a))
		brokenAt(t, s, "", 2, "changed: entry 3 follows an entry with another hash")
	})
}

// The encoding is documented in docs/security.md: it must not change.
func TestTheHashOfAnEntryIsTheDocumentedOne(t *testing.T) {
	s := open(t, storetest.SQLite(t))
	write(t, s, func(_ context.Context, tx *store.Tx) error {
		return tx.Audit(store.Audit{Actor: "ünal", Verb: "signIn", Object: "user"})
	})
	a := s.Reader().Audit.Query().OnlyX(t.Context())
	zero := uuid.Nil.String()
	text := ""
	for _, field := range []string{"coreroller audit 1", "1", "", a.ID.String(), "2026-03-02T10:00:00.000000Z", zero, "ünal", "", "", "signIn", "user", zero, "", "", "", ""} {
		text += fmt.Sprintf("%d:%s\n", len(field), field)
	}
	if want := fmt.Sprintf("%x", sha256.Sum256([]byte(text))); a.Hash != want || store.AuditHash(a) != want {
		t.Errorf("hash %s, want %s", a.Hash, want)
	}
}

// An upgrade leaves the entries from before the chain as they are; the first entry of
// the chain has their digest.
func TestAnUpgradeSealsTheEarlierAudits(t *testing.T) {
	storetest.EachEmpty(t, func(t *testing.T, url string) {
		before(t, url, "20261130175351_roles.sql")
		old := executor(t, url)
		for i := range 3 {
			old("INSERT INTO audits (id, at, team_id, actor, credential, verb, object, object_id, reason) VALUES (%s, @at, %s, 'olga', 'basic', 'pauseUpdates', 'group', %s, 'old %d')",
				store.NewID(start), uuid.New(), uuid.New(), i)
		}
		s := open(t, url)
		chain, err := s.VerifyAudits(t.Context(), "")
		check(t, err)
		if chain.Earlier != 3 || chain.Entries != 0 || chain.Sealed {
			t.Errorf("before the first change: %+v", chain)
		}
		record(t, s, "new", "newer")
		chain, err = s.VerifyAudits(t.Context(), "")
		check(t, err)
		if chain.Earlier != 3 || chain.Entries != 3 || !chain.Sealed {
			t.Errorf("after the first changes: %+v", chain)
		}
		all := s.Reader().Audit.Query().AllX(t.Context())
		if len(all) != 6 || all[0].Reason != "old 0" || all[0].Seq != nil || all[0].Hash != "" {
			t.Errorf("%d entries, the first is %+v", len(all), all[0])
		}
		do := unguarded(t, url)
		do("UPDATE audits SET reason = 'forged' WHERE reason = 'old 1'")
		brokenAt(t, s, "", 0, "changed since the chain began")
		do("DELETE FROM audits WHERE reason = 'forged'")
		brokenAt(t, s, "", 0, "there are 2, and there were 3")
	})
}
