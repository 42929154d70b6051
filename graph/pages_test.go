package graph_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/coreroller/coreroller/fleet"

	"entgo.io/ent"
)

// statements returns a function that returns and resets the number of queries
// through the store's client.
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

// The number of statements for a page of the dashboard does not depend on the
// number of groups, channels and machines. The documents are in testdata/pages.
func TestPagesStayWithinTheirStatementBudget(t *testing.T) {
	budgets := map[string]int64{
		"fleet": 25, "application": 34, "group": 34, "machines": 7, "machine": 10, "activity": 4, "settings": 2, "failures": 8,
	}
	each(t, func(t *testing.T, s *site) {
		s.release("1.0.0")
		for i := range 5 { // more objects must not add statements
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
		s.must(s.Upkeep.Work(t.Context())) // charts have points
		s.unlimited()
		for _, m := range []string{"m4", "m5", "m6"} {
			s.fail(m, "1.0.0", "azure", 9)
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
				t.Errorf("%s needs %d statements, the budget is %d", name, n, budget)
			}
			if testing.Verbose() {
				t.Logf("%s: %d statements, %d bytes", name, n, len(r.Data))
			}
		}
	})
}

// Messages of subscriptions and the data of a chart need few statements.
func TestMessagesStayWithinTheirStatementBudget(t *testing.T) {
	const numbers = `total onTarget inFlight waiting failed silent byVersion { version machines }`
	messages := map[string]struct {
		document string
		budget   int64
	}{
		"groupChanged": {`subscription($group: ID!) { groupChanged(groupId: $group) { asOf group {
			state policySentence numbers { ` + numbers + ` heldByReason { reason machines } failures { description attempts } }
			rollout { version state attempts { failed } failures { outcome code description attempts } failuresByOem { value attempts } failuresByVersion { value attempts } failuresByAddressBlock { value attempts }
				waves { position state } projectedEnd } } } }`, 20},
		"fleetChanged": {`subscription { fleetChanged { asOf fleet { total inFlight attention { kind } }
			applications { name recentChecks numbers { ` + numbers + ` } groups { name state numbers { ` + numbers + ` } } } } }`, 22},
		"applicationChanged": {`subscription($app: ID!) { applicationChanged(applicationId: $app) { asOf
			application { recentChecks numbers { ` + numbers + ` } groups { name state numbers { ` + numbers + ` } } } } }`, 12},
	}
	each(t, func(t *testing.T, s *site) {
		s.unlimited()
		for i := range 3 {
			s.fail(fmt.Sprint("m", i), "1.0.0", fmt.Sprint("oem", i), 9+i)
			s.must(second(s.CreateGroup(s.ctx, fleet.CreateGroup{ApplicationID: s.app, Name: fmt.Sprint("more ", i), ChannelID: &s.channel})))
		}
		s.must(s.Upkeep.Work(t.Context()))
		count := s.statements()
		w := s.ana(t).dial()
		for name, m := range messages {
			count()
			w.subscribe(name, m.document, vars{"group": s.group, "app": s.app})
			w.next()
			if n := count(); n > m.budget {
				t.Errorf("%s needs %d statements, the budget is %d", name, n, m.budget)
			} else if testing.Verbose() {
				t.Logf("%s: %d statements", name, n)
			}
			w.stop(name)
		}
		for _, length := range []string{"HOUR", "MONTH"} {
			s.ana(t).ask("{ me { id } }", nil)
			count()
			s.ana(t).get(`query($id: ID!, $range: TimelineRange!) { timeline(groupId: $id, range: $range) {
				times states { state machines } versions { version machines } onTarget inFlight failed waiting
				pace { inFlight concurrencyLimit granted periodLimit checks } annotations { id } } }`, vars{"id": s.group, "range": length})
			if n := count(); n > 5 {
				t.Errorf("a timeline of a %s needs %d statements, the budget is 5", length, n)
			} else if testing.Verbose() {
				t.Logf("timeline: %d statements", n)
			}
		}
	})
}
