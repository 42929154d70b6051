package graph_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestMirrorThroughTheAPI(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }))
		defer upstream.Close()
		ana := s.ana(t)
		live := ana.dial()
		live.subscribe("1", `subscription { upstreamsChanged { snapshot upstreams { name interval kind application { id } channels { track mode lastError channel { id package { version } } } } } }`, nil)
		want(t, live.next(), "snapshot", true, "upstreams", []any{})

		made := ana.get(`mutation($in: CreateUpstreamInput!) { createUpstream(input: $in) { upstream { id remoteAppId urlTemplate enabled } userErrors { field message } } }`,
			vars{"in": vars{"applicationId": s.app, "name": "hq", "kind": "OMAHA", "url": upstream.URL, "interval": "PT10M"}})
		want(t, made, "userErrors", []any{}, "upstream.urlTemplate", "{{UPSTREAM}}", "upstream.enabled", true)
		id := at(t, made, "upstream.id")
		want(t, live.next(), "snapshot", false, "upstreams.0.name", "hq", "upstreams.0.interval", "PT10M", "upstreams.0.application.id", s.app.String(), "upstreams.0.channels", []any{})

		followed := ana.get(`mutation($in: AddUpstreamChannelInput!) { addUpstreamChannel(input: $in) { upstreamChannel { id track mode channel { name } } userErrors { field message } } }`,
			vars{"in": vars{"upstreamId": id, "channelId": s.channel, "mode": "PROMOTE"}})
		want(t, followed, "userErrors", []any{}, "upstreamChannel.track", "stable", "upstreamChannel.mode", "PROMOTE", "upstreamChannel.channel.name", "stable")
		want(t, live.next(), "upstreams.0.channels.0.lastError", "")

		s.must(s.WorkUpstreams(t.Context()))
		want(t, live.next(), "upstreams.0.channels.0.lastError", `the upstream answered "502 Bad Gateway"`)
		runs := ana.get(`{ mirrorRuns(changedOrFailed: true) { totalCount nodes { outcome error changes bytes upstream { name channels { id } } upstreamChannel { track channel { name } } } } }`, nil)
		want(t, runs, "totalCount", 1.0, "nodes.0.outcome", "FAILED", "nodes.0.changes", []any{}, "nodes.0.upstream.name", "hq", "nodes.0.upstreamChannel.channel.name", "stable")
		attention := ana.get(`{ fleet { attention { kind sentence upstream { name } application { id } } } }`, nil)
		want(t, attention, "attention.1.kind", "MIRROR", "attention.1.upstream.name", "hq")

		want(t, ana.get(`mutation($in: DeleteUpstreamInput!) { deleteUpstream(input: $in) { deletedId userErrors { message } } }`, vars{"in": vars{"id": id}}), "deletedId", id)
		want(t, live.next(), "upstreams", []any{})
	})
}
