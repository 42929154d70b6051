package client

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/coreroller/coreroller/client/mcp"
)

// A page can be short or empty although there is more behind it, and its times can be
// out of order. Every entry must be listed once.
func TestMergedListsContinueWithoutAGap(t *testing.T) {
	// Pages of two sources, by cursor. Entries are seconds.
	pages := map[string]map[string][]int{
		"activity": {"": {9, 8, 8}, "a3": {}, "a9": {5, 6, 1}},
		"audit":    {"": {8, 4}, "b2": {2}},
	}
	ends := map[string]map[string]string{"activity": {"": "a3", "a3": "a9"}, "audit": {"": "b2"}}
	// Positions inside a page.
	at := func(key, cursor string) (string, int) {
		page, n := cursor, 0
		_, _ = fmt.Sscanf(cursor, "in %d", &n)
		if n > 0 {
			page = cursor[len(fmt.Sprintf("in %d ", n)):]
		}
		return page, n
	}
	var listed []string
	places := map[string]string{}
	for range 20 {
		var sources []*source
		for _, key := range []string{"activity", "audit"} {
			page, skip := at(key, places[key])
			s := &source{key: key, end: ends[key][page]}
			s.more = s.end != ""
			for i, second := range pages[key][page][skip:] {
				s.rows = append(s.rows, timedRow{mcp.Row{Text: fmt.Sprint(key, second), Cursor: fmt.Sprintf("in %d %s", skip+i+1, page)}, time.Unix(int64(second), 0)})
			}
			sources = append(sources, s)
		}
		before := maps.Clone(places)
		reply := merge(sources, 2, places)
		for _, row := range reply.Rows {
			listed = append(listed, row.Text)
		}
		if !reply.More {
			break
		}
		next := reply.Next
		if len(reply.Rows) > 0 {
			next = reply.Rows[len(reply.Rows)-1].Cursor
		}
		var err error
		if places, err = readPlaces(next); err != nil || maps.Equal(before, places) {
			t.Fatalf("%v: no progress after %v", err, before)
		}
	}
	if got, want := fmt.Sprint(listed), "[activity9 activity8 activity8 audit8 audit4 activity5 activity6 audit2 activity1]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestAuditNamesTheFieldsThatChanged(t *testing.T) {
	got := auditChanges(`{"name":"a","policy":{"safeMode":true,"waves":[1]},"gone":1}`, `{"name":"a","policy":{"safeMode":false,"waves":[1,2]},"new":"x"}`)
	want := map[string]string{"policy.safeMode": "true → false", "policy.waves": "[1] → [1,2]", "gone": "1 → nothing", "new": `nothing → "x"`}
	if !maps.Equal(got, want) {
		t.Errorf("%v", got)
	}
	if got := auditChanges("", ""); len(got) != 0 {
		t.Errorf("%v", got)
	}
}
