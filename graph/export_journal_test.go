package graph_test

import (
	"encoding/csv"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/coreroller/coreroller/fleet"
)

// export gets a path and returns the status, the header and the body.
func (c *caller) export(path string) (int, http.Header, string) {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), http.MethodGet, c.http.URL+path, http.NoBody)
	if err != nil {
		c.t.Fatal(err)
	}
	c.prepare(req)
	resp, err := c.http.Client().Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(body)
}

// jsonLines gets a path and returns its entries.
func (c *caller) jsonLines(path string) []map[string]any {
	c.t.Helper()
	status, header, body := c.export(path)
	if status != http.StatusOK || !strings.HasPrefix(header.Get("Content-Type"), "application/jsonl") {
		c.t.Fatalf("GET %s: %d %q %s", path, status, header, body)
	}
	var all []map[string]any
	for line := range strings.Lines(body) {
		var entry map[string]any
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			c.t.Fatalf("line %q: %v", line, err)
		}
		all = append(all, entry)
	}
	return all
}

// An export has more than one page of a list, and the names and values of the API.
func TestExportHasTheWholeList(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.pause("needle")
		s.activities(5600)
		ana := s.ana(t)
		all := ana.jsonLines("/export/activity?kinds=ROLLOUT_STARTED&groupId=" + s.group.String())
		seen := map[any]bool{}
		for _, entry := range all {
			seen[entry["id"]] = true
		}
		if len(all) != 5600 || len(seen) != 5600 {
			t.Errorf("%d entries, %d different ones", len(all), len(seen))
		}
		want(t, all[0], "kind", "ROLLOUT_STARTED", "severity", "INFO", "groupName", "prod", "groupId", s.group, "instanceId", nil, "code", 0, "description", "")
		found := ana.jsonLines("/export/activity?text=Needle&kinds=PAUSED&kinds=RESUMED") // beyond one page of a search
		if len(found) != 1 || found[0]["kind"] != "PAUSED" {
			t.Errorf("search found %v", found)
		}
	})
}

func TestExportOfTheAudit(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.pause(`=1+1, "formula"`)
		s.must(second(s.UpdateChannel(s.ctx, fleet.UpdateChannel{ID: s.channel, Name: new("steady")})))
		got := s.ana(t).jsonLines("/export/audit?action=updateChannel")
		want(t, got[0], "actor", "olga", "objectType", "channel", "objectId", s.channel, "before.name", "stable", "after.name", "steady", "applicationId", s.app)

		_, header, body := s.ana(t).export("/export/audit?format=csv&action=pauseUpdates")
		disposition := header.Get("Content-Disposition")
		if !strings.HasPrefix(disposition, `attachment; filename="coreroller-audit-`) || !strings.HasSuffix(disposition, `.csv"`) {
			t.Errorf("disposition %s", disposition)
		}
		rows, err := csv.NewReader(strings.NewReader(body)).ReadAll()
		if err != nil || len(rows) != 2 || len(rows[1]) != len(rows[0]) || rows[0][8] != "reason" {
			t.Fatalf("rows %q, %v", rows, err)
		}
		if rows[1][8] != `'=1+1, "formula"` || rows[1][4] != "pauseUpdates" {
			t.Errorf("row %q", rows[1])
		}
	})
}

func TestExportRefusesWrongRequests(t *testing.T) {
	s := oneSite(t)
	for query, field := range map[string]string{
		"format=xml": "format", "kind=PAUSED": "kind", "kinds=NONE": "kinds", "applicationId=1": "applicationId", "since=today": "since",
		"order=UP": "order", "text=a&text=b": "text", "text=%00": "text",
	} {
		status, _, body := s.ana(t).export("/export/activity?" + query)
		if status != http.StatusBadRequest || !strings.Contains(body, `"code":"INVALID","field":"`+field+`"`) {
			t.Errorf("%s: %d %s", query, status, body)
		}
	}
	for _, path := range []string{"/export/activity", "/export/audit"} {
		status, header, body := s.anonymous(t).export(path)
		if status != http.StatusUnauthorized || !strings.Contains(body, `"code":"UNAUTHENTICATED"`) || header.Get("WWW-Authenticate") == "" {
			t.Errorf("%s without sign-in: %d %s", path, status, body)
		}
	}
}
