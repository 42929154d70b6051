package rest_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/account"
)

func TestApprovalsHoldForREST(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		o := s.foreign()
		for _, name := range []string{"ann", "ben"} {
			_, err := s.Accounts.CreateUser(s.ctx, account.CreateUser{Username: name, Password: "long enough", Role: auth.Admin})
			s.ok(err)
		}
		ch, err := s.UpdateChannel(s.ctx, fleet.UpdateChannel{ID: uuid.MustParse(o.channel), RequireApproval: new(true)})
		s.ok(err)
		_, err = s.UpdateGroup(s.ctx, fleet.UpdateGroup{ID: uuid.MustParse(o.group), RequireApproval: new(true)})
		s.ok(err)
		const wide = `"policy_updates_enabled":true,"policy_max_updates_per_period":9000,"policy_period_interval":"1 minutes","policy_update_timeout":"60 minutes"}`
		for name, c := range map[string]struct{ method, path, body string }{
			"promotion, Nebraska":    {http.MethodPut, "/nebraska/api/apps/" + o.app + "/channels/" + o.channel, `{"name":"` + ch.Name + `","package_id":"` + o.pkg + `"}`},
			"floor, Nebraska":        {http.MethodPut, "/nebraska/api/channels/" + o.channel + "/floors/" + o.pkg, `{}`},
			"wider policy, Nebraska": {http.MethodPut, "/nebraska/api/apps/" + o.app + "/groups/" + o.group, `{"name":"g","track":"` + s.trackOf(o.group) + `","channel_id":"` + s.channelOf(o.group) + `",` + wide},
			"promotion":              {http.MethodPut, "/api/apps/" + o.app + "/channels/" + o.channel, `{"name":"` + ch.Name + `","package_id":"` + o.pkg + `"}`},
			"wider policy":           {http.MethodPut, "/api/apps/" + o.app + "/groups/" + o.group, `{"name":"g","channel_id":"` + s.channelOf(o.group) + `","policy_updates_enabled":true,"policy_max_updates_per_period":9000,"policy_period_interval":"1 minutes","policy_update_timeout":"60 minutes"}`},
		} {
			r := s.send("ann:long enough", c.method, c.path, strings.NewReader(c.body))
			if r.status != http.StatusForbidden || !strings.Contains(string(r.data), `"approval_required"`) {
				t.Errorf("%s: %d %s", name, r.status, r.data)
			}
		}
		for _, path := range []string{"/channels/" + o.channel, "/groups/" + o.group, ""} {
			if r := s.send("ann:long enough", http.MethodDelete, "/api/apps/"+o.app+path, http.NoBody); r.status != http.StatusBadRequest || !strings.Contains(string(r.data), "requires approvals") {
				t.Errorf("DELETE %s: %d %s", path, r.status, r.data)
			}
		}
	})
}

func (s *site) trackOf(group string) string {
	s.t.Helper()
	row, err := s.View.Group(s.ctx, uuid.MustParse(group), nil)
	s.ok(err)
	return row.Track
}

func (s *site) channelOf(group string) string {
	s.t.Helper()
	row, err := s.View.Group(s.ctx, uuid.MustParse(group), nil)
	s.ok(err)
	return row.ChannelID.String()
}
