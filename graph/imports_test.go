package graph_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/store"
)

func TestImportsAreListed(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
		s.must(s.store.Write(s.ctx, at, func(tx *store.Tx) error {
			return tx.Client().ImportReport.Create().SetID(store.NewID(at)).SetSource("nebraska").SetPlace("db.example.com/nebraska").SetBy("coreroller import").
				SetStartedAt(at).SetEndedAt(at.Add(time.Minute)).SetCounts(`[{"kind":"machines","new":5,"same":2,"dropped":1}]`).
				SetNotes(`[{"kind":"machines","id":"{x}","name":"Our OS","reason":"not taken: it is a server"}]`).Exec(s.ctx)
		}))
		const document = `{ imports { source place by startedAt endedAt counts { kind new changed same conflict dropped } notes { kind id name reason } } }`
		text, err := json.Marshal(s.ana(t).ask(document, nil).Data)
		s.must(err)
		got := string(text)
		for _, want := range []string{`"source":"nebraska"`, `"place":"db.example.com/nebraska"`, `"endedAt":"2026-03-02T09:01:00`, `"new":5`, `"same":2`, `"dropped":1`, `"reason":"not taken: it is a server"`} {
			if !strings.Contains(got, want) {
				t.Errorf("imports: %s, want %s", got, want)
			}
		}
		_, callers := s.bob(t, auth.Publisher)
		if r := callers["password"].ask(document, nil); !strings.Contains(fmt.Sprint(r), "FORBIDDEN") {
			t.Errorf("a publisher gets %v", r)
		}
	})
}
