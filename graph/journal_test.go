package graph_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/view"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
)

const (
	journalDocument = `query($f: ActivityFilter, $n: Int, $after: String, $o: OrderDirection) {
		activities(filter: $f, first: $n, after: $after, order: $o) {
			totalCount totalCountIsExact nodes { kind detail } pageInfo { hasNextPage endCursor } } }`
	auditsDocument = `query($f: AuditFilter, $n: Int, $after: String, $o: OrderDirection) {
		audits(filter: $f, first: $n, after: $after, order: $o) {
			totalCount totalCountIsExact nodes { action reason } pageInfo { hasNextPage endCursor } } }`
)

// pause pauses the group for a reason and resumes it.
func (s *site) pause(reason string) {
	s.t.Helper()
	s.must(second(s.PauseUpdates(s.ctx, fleet.PauseUpdates{GroupID: s.group, Reason: reason})))
	s.must(second(s.ResumeUpdates(s.ctx, fleet.ResumeUpdates{GroupID: s.group})))
}

// A follower reads every entry once, in order, although it asks when there is
// nothing new and while entries are stored.
func TestFollowerReadsEveryEntryOnce(t *testing.T) {
	for _, c := range []struct{ name, document, value string }{
		{"activity", journalDocument, "detail"}, {"audit", auditsDocument, "reason"},
	} {
		t.Run(c.name, func(t *testing.T) {
			each(t, func(t *testing.T, s *site) {
				ana := s.ana(t)
				var after any
				var got []string
				follow := func() {
					t.Helper()
					for more := true; more; {
						page := ana.get(c.document, vars{"n": 2, "after": after, "o": "ASC"})
						for _, node := range page["nodes"].([]any) {
							if _, reason, given := strings.Cut(at(t, node, c.value).(string), "reason "); given {
								got = append(got, reason)
							}
						}
						more = at(t, page, "pageInfo.hasNextPage").(bool)
						after = at(t, page, "pageInfo.endCursor")
					}
				}
				var all []string
				for i := range 4 {
					s.pause(fmt.Sprint("reason ", i))
					follow() // too early
					if len(got) != len(all) {
						t.Errorf("read %q before it is settled", got)
					}
					s.offset.Add(int64(view.Unsettled + time.Second))
					follow()
					follow() // nothing new
					all = append(all, fmt.Sprint(i))
				}
				if fmt.Sprint(got) != fmt.Sprint(all) {
					t.Errorf("read %q, want %q", got, all)
				}
			})
		})
	}
}

func TestJournalsAreSearched(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.pause("Mirror Überlastet, 100%_")
		s.pause("other")
		for text, found := range map[string]int{"MIRROR ü": 1, "0%_": 1, "0%%": 0, "\x00": 0, "o": 2} {
			f := vars{"text": text, "kinds": []string{"PAUSED"}}
			want(t, s.ana(t).get(journalDocument, vars{"f": f}), "totalCount", found, "totalCountIsExact", true, "pageInfo.hasNextPage", false)
		}
		want(t, s.ana(t).get(journalDocument, vars{"f": vars{"text": "PROD"}, "n": 1}), "nodes.0.kind", "RESUMED", "pageInfo.hasNextPage", true)
		want(t, s.ana(t).get(auditsDocument, vars{"f": vars{"text": "mirror", "action": "pauseUpdates"}}), "totalCount", 1)
		want(t, s.ana(t).get(auditsDocument, vars{"f": vars{"text": "createpackage"}}), "totalCount", 1, "nodes.0.action", "createPackage")
	})
}

// A search looks at a limited number of entries for each page and continues with
// the cursor, also when it found nothing.
func TestSearchIsBounded(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.pause("needle")
		s.activities(5200)
		first := s.ana(t).get(journalDocument, vars{"f": vars{"text": "needle"}})
		want(t, first, "nodes", []any{}, "totalCount", 0, "totalCountIsExact", false, "pageInfo.hasNextPage", true)
		next := s.ana(t).get(journalDocument, vars{"f": vars{"text": "NEEDLE", "kinds": []string{"PAUSED", "ROLLOUT_STARTED"}}, "after": at(t, first, "pageInfo.endCursor")})
		want(t, next, "nodes.0.kind", "PAUSED", "pageInfo.hasNextPage", false)
	})
}

func TestTotalsSayWhenTheyStopCounting(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.activities(1001)
		group := vars{"groupId": s.group}
		want(t, s.ana(t).get(journalDocument, vars{"f": group, "n": 0}), "totalCount", 1000, "totalCountIsExact", false, "nodes", []any{})
		want(t, s.ana(t).get(journalDocument, vars{"f": vars{"text": "line 1"}, "n": 0}), "totalCount", 112, "totalCountIsExact", true)
		n, exact, err := s.View.Activities(view.ActivityFilter{Group: &s.group}).Count(s.ctx, 1001)
		if err != nil || n != 1001 || !exact {
			t.Errorf("counted up to 1001: %d, exact %v, %v", n, exact, err)
		}
		r := s.ana(t).ask(journalDocument, vars{"n": 501})
		if len(r.Errors) != 1 || r.Errors[0].Extensions.Field != "first" {
			t.Errorf("a page above the maximum: %+v", r.Errors)
		}
	})
}

// activities stores n activities of the group, with the details "line 0" and so on.
func (s *site) activities(n int) {
	s.t.Helper()
	all := make([]store.Activity, n)
	for i := range all {
		all[i] = store.Activity{
			Activity:      rollout.Activity{Kind: rollout.ActivityRolloutStarted, Severity: rollout.SeverityInfo, Detail: fmt.Sprint("line ", i)},
			ApplicationID: s.app, ApplicationName: "agent", GroupID: s.group, GroupName: "prod",
		}
	}
	s.must(s.store.Write(s.ctx, s.now(), func(tx *store.Tx) error { return tx.Save(s.ctx, &store.Batch{Activities: all}) }))
}
