package graph_test

import (
	"fmt"
	"testing"

	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/checkin"
)

func TestRefusedRequestsAreListed(t *testing.T) {
	const document = `query Refused($after: String) { refusedRequests(first: 2, after: $after) {
		totalCount nodes { reason app track version board requests firstSeenAt lastSeenAt address application { name } arch group { name } } pageInfo { endCursor hasNextPage } } }`
	each(t, func(t *testing.T, s *site) {
		for i := range 3 {
			_, err := s.Machines.CheckIn(t.Context(), checkin.CheckIn{
				AppID: s.app.String(), Track: fmt.Sprint("prod", i), Version: "1.0.0", Board: "amd64-usr", Machine: "m",
				Attributes: checkin.Attributes{Address: "198.51.100.7"},
			})
			s.must(err)
		}
		s.must(second(s.UpdateGroup(s.ctx, fleet.UpdateGroup{ID: s.group, Aliases: []string{"PROD1"}})))
		s.Machines.RefusePath("198.51.100.8")
		s.must(s.Machines.FlushRefused(t.Context()))
		page := s.ana(t).get(document, nil)
		want(t, page, "totalCount", 4, "nodes.0.reason", "WRONG_PATH", "nodes.0.app", "", "nodes.0.address", "198.51.100.8",
			"nodes.1.reason", "UNKNOWN_TRACK", "nodes.1.app", s.app.String(), "nodes.1.track", "prod2", "nodes.1.version", "1.0.0",
			"nodes.0.application", nil, "nodes.0.group", nil, "nodes.0.arch", "amd64",
			"nodes.1.application.name", "agent", "nodes.1.group", nil, "nodes.1.arch", "amd64",
			"nodes.1.board", "amd64-usr", "nodes.1.requests", 1, "nodes.1.address", "198.51.100.7", "pageInfo.hasNextPage", true)
		info := page["pageInfo"].(map[string]any)
		want(t, s.ana(t).get(document, vars{"after": info["endCursor"]}), "nodes.0.track", "prod1", "nodes.0.group.name", "prod", "nodes.1.track", "prod0", "pageInfo.hasNextPage", false)
	})
}
