package graph_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/store"
)

// importReport stores the report of an import.
func (s *site) importReport(at time.Time) uuid.UUID {
	s.t.Helper()
	id := store.NewID(at)
	s.must(s.store.Write(s.ctx, at, func(tx *store.Tx) error {
		return tx.Client().ImportReport.Create().SetID(id).SetSource("nebraska").SetPlace("db.example.com/nebraska").SetBy("coreroller import").
			SetStartedAt(at).SetEndedAt(at.Add(time.Minute)).SetCounts(`[{"kind":"machines","new":5,"same":2,"dropped":1}]`).
			SetNotes(`[{"kind":"machines","id":"{x}","name":"Our OS","reason":"not taken: it is a server"}]`).Exec(s.ctx)
	}))
	return id
}

func TestImportsAreListed(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
		first, second := s.importReport(at), s.importReport(at.Add(time.Hour))
		const document = `query ($first: Int, $id: ID) { imports(first: $first, id: $id) { id source place by startedAt endedAt
			counts { kind new changed same conflict dropped } notes { kind id name reason } } }`
		ask := func(variables map[string]any) string {
			t.Helper()
			text, err := json.Marshal(s.ana(t).ask(document, variables).Data)
			s.must(err)
			return string(text)
		}
		got := ask(nil)
		for _, want := range []string{`"source":"nebraska"`, `"place":"db.example.com/nebraska"`, `"endedAt":"2026-03-02T09:01:00`, `"new":5`, `"same":2`, `"dropped":1`, `"reason":"not taken: it is a server"`} {
			if !strings.Contains(got, want) {
				t.Errorf("imports: %s, want %s", got, want)
			}
		}
		if strings.Index(got, second.String()) > strings.Index(got, first.String()) {
			t.Errorf("imports: %s, want the newest first", got)
		}
		if got := ask(map[string]any{"first": 1}); !strings.Contains(got, second.String()) || strings.Contains(got, first.String()) {
			t.Errorf("the first import is %s, want only %s", got, second)
		}
		if got := ask(map[string]any{"id": first}); strings.Contains(got, second.String()) || !strings.Contains(got, `"reason":"not taken`) {
			t.Errorf("the import %s is %s", first, got)
		}
		if got := ask(map[string]any{"first": 0}); got != `{"imports":[]}` {
			t.Errorf("no import is %s", got)
		}
		if r := s.ana(t).ask(document, map[string]any{"first": 101}); !strings.Contains(fmt.Sprint(r), "INVALID") {
			t.Errorf("101 imports are %v, want an error", r)
		}
		_, callers := s.bob(t, auth.Publisher)
		if r := callers["password"].ask(document, nil); !strings.Contains(fmt.Sprint(r), "FORBIDDEN") {
			t.Errorf("a publisher gets %v", r)
		}
	})
}
