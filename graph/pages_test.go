package graph_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"coreroller/fleet"

	"entgo.io/ent"
)

// statements counts what is read through the store's client.
func (s *site) statements() func() int64 {
	var n atomic.Int64
	s.store.Reader().Intercept(ent.InterceptFunc(func(next ent.Querier) ent.Querier {
		return ent.QuerierFunc(func(ctx context.Context, q ent.Query) (ent.Value, error) {
			n.Add(1)
			return next.Query(ctx, q)
		})
	}))
	return func() int64 { return n.Swap(0) }
}

// Each page of the dashboard costs a fixed number of statements, however many
// groups, channels and machines there are. The documents are in
// testdata/pages; the budget is the number found when the document was
// written.
func TestPagesHaveABudget(t *testing.T) {
	budgets := map[string]int64{
		"fleet": 25, "application": 34, "group": 34, "machines": 7, "machine": 10, "activity": 4, "settings": 2,
	}
	each(t, func(t *testing.T, s *site) {
		s.release("1.0.0")
		for i := range 5 { // more of everything must not cost more
			name := fmt.Sprintf("more %d", i)
			pkg := s.release(fmt.Sprintf("1.%d.0", i+1))
			ch, err := s.CreateChannel(s.ctx, fleet.CreateChannel{ApplicationID: s.app, Name: name, PackageID: &pkg})
			must(s, ch, err)
			s.must(second(s.AddFloor(s.ctx, fleet.AddFloor{ChannelID: s.channel, PackageID: pkg})))
			s.must(second(s.CreateGroup(s.ctx, fleet.CreateGroup{ApplicationID: s.app, Name: name, ChannelID: &ch.ID})))
		}
		for _, m := range []string{"m1", "m2", "m3"} {
			s.check(m, "1.0.0")
		}
		count := s.statements()
		v := vars{"applicationId": s.app, "groupId": s.group, "instanceId": s.instance("m1")}
		for name, budget := range budgets {
			document, err := os.ReadFile(filepath.Join("testdata", "pages", name+".graphql"))
			if err != nil {
				t.Fatal(err)
			}
			s.ana(t).ask("{ me { id } }", nil) // signs in
			count()
			r := s.ana(t).ask(string(document), v)
			n := count()
			if len(r.Errors) > 0 {
				t.Errorf("%s: %+v", name, r.Errors)
			}
			if n > budget {
				t.Errorf("%s reads with %d statements, the budget is %d", name, n, budget)
			}
			if testing.Verbose() {
				t.Logf("%s: %d statements, %d bytes", name, n, len(r.Data))
			}
		}
	})
}
