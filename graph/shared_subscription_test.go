package graph_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"entgo.io/ent"
)

// Subscribers with the same document share one execution, which continues when
// the first of them leaves.
func TestEqualSubscriptionsAreExecutedOnce(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		const dashboards = 20
		sockets := make([]*watcher, dashboards)
		for i := range sockets {
			sockets[i] = s.ana(t).dial()
			sockets[i].subscribe("1", groupDocument, vars{"id": s.group})
			want(t, sockets[i].next(), "snapshot", true, "group.numbers.total", 0)
		}
		count := s.statements()
		s.check("m1", "1.0.0")
		for i, w := range sockets {
			if got := at(t, w.next(), "group.numbers.total"); got != 1.0 {
				t.Fatalf("dashboard %d shows %v machines, want 1", i, got)
			}
		}
		if n := count(); n > 30 { // the check-in itself, and one message
			t.Errorf("%d statements for %d dashboards, want at most 30", n, dashboards)
		}
		_ = sockets[0].conn.Close() // the first subscriber leaves
		for i := range 3 {
			s.check(fmt.Sprintf("more%d", i), "1.0.0")
			sockets[dashboards-1].until("group.numbers.total", float64(2+i))
		}
		// A later subscriber starts with the current state.
		late := s.ana(t).dial()
		late.subscribe("1", groupDocument, vars{"id": s.group})
		want(t, late.next(), "snapshot", true, "group.numbers.total", 4)
		s.check("last", "1.0.0")
		late.until("group.numbers.total", 5.0)
		sockets[1].until("group.numbers.total", 5.0)
	})
}

// All subscribers get the error, so that they subscribe again.
func TestSharedSubscriptionsEndWithTheirError(t *testing.T) {
	s := oneSite(t)
	a, b := s.ana(t).dial(), s.ana(t).dial()
	for _, w := range []*watcher{a, b} {
		w.subscribe("1", groupDocument, vars{"id": s.group})
		w.next()
	}
	s.store.Reader().Intercept(ent.InterceptFunc(func(ent.Querier) ent.Querier {
		return ent.QuerierFunc(func(context.Context, ent.Query) (ent.Value, error) { return nil, errors.New("no database") })
	}))
	s.check("m1", "1.0.0")
	for _, w := range []*watcher{a, b} {
		if m := w.read(); m.Type != "error" || !strings.Contains(string(m.Payload), "INTERNAL") {
			t.Errorf("got %s %s", m.Type, m.Payload)
		}
	}
}
