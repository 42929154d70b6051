package graph_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"

	"entgo.io/ent"

	"github.com/coreroller/coreroller/simulate/load"
)

// The document of the dashboard's group page needs twelve statements: eleven
// through the client, and one that reads the ledgers directly. None reads a table
// that grows with machines or time. The projected end, cached for 30 s, needs five
// more.
func TestGroupPageReadsCountersOnly(t *testing.T) {
	const budget, projection = 11, 5
	documents, err := load.ReadDocuments(os.DirFS("../frontend/src"))
	if err != nil {
		t.Fatal(err)
	}
	document, err := documents.Operation("GroupPage")
	if err != nil {
		t.Fatal(err)
	}
	each(t, func(t *testing.T, s *site) {
		s.unlimited()
		for i := range 3 {
			s.fail(fmt.Sprint("m", i), "1.0.0", fmt.Sprint("oem", i), 9+i)
		}
		s.check("held", "1.0.0")
		s.must(s.Upkeep.Work(t.Context()))
		w := s.ana(t).dial()
		var mu sync.Mutex
		var read []string
		s.store.Reader().Intercept(ent.InterceptFunc(func(next ent.Querier) ent.Querier {
			return ent.QuerierFunc(func(ctx context.Context, q ent.Query) (ent.Value, error) {
				mu.Lock()
				read = append(read, fmt.Sprintf("%T", q))
				mu.Unlock() // the query may run others
				return next.Query(ctx, q)
			})
		}))
		for i, most := range []int{budget + projection, budget} {
			id := fmt.Sprint(i)
			w.subscribe(id, document, vars{"groupId": s.group})
			if at(t, w.next(), "group.rollout.version") != "2.0.0" {
				t.Error("the page has no rollout")
			}
			w.stop(id)
			mu.Lock()
			if len(read) > most {
				t.Errorf("%d statements, the budget is %d: %v", len(read), most, read)
			}
			for _, grows := range []string{"*db.InstanceQuery", "*db.AttemptQuery", "*db.HistoryEntryQuery", "*db.ActivityQuery", "*db.StatPointQuery"} {
				if slices.Contains(read, grows) {
					t.Errorf("the page runs a %s", grows)
				}
			}
			read = nil
			mu.Unlock()
		}
	})
}
