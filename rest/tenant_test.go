package rest_test

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db/channel"
	"github.com/coreroller/coreroller/ent/db/group"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/account"
	"github.com/coreroller/coreroller/fleet/catalog"
)

// objects are the ids and names that a request contains.
type objects struct{ app, group, channel, pkg, machine string }

// foreign returns objects of the default team.
func (s *site) foreign() objects {
	s.t.Helper()
	app := catalog.FlatcarID()
	pkg, err := s.CreatePackage(s.ctx, fleet.CreatePackage{ApplicationID: app, Type: catalog.PackageOther, Version: "1.0.0", URL: "https://example.com/", Filename: "a", Size: 1, SHA256: strings.Repeat("ab", 32)})
	s.ok(err)
	g, err := s.store.Reader().Group.Query().Where(group.ApplicationID(app), group.ChannelIDNotNil()).First(s.ctx)
	s.ok(err)
	ch, err := s.store.Reader().Channel.Query().Where(channel.ApplicationID(app)).First(s.ctx)
	s.ok(err)
	s.machine("m", "0.9.0", g.ID.String(), "<ping/><updatecheck/>")
	return objects{app: app.String(), group: g.ID.String(), channel: ch.ID.String(), pkg: pkg.ID.String(), machine: "m"}
}

func nothing() objects {
	return objects{uuid.NewString(), uuid.NewString(), uuid.NewString(), uuid.NewString(), "none"}
}

var (
	anyID     = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	anyMoment = regexp.MustCompile(`\d{4}-\d{2}-\d{2}T[0-9:.]+Z|req_\w+`)
)

// Every route answers a user of another team about what exists in the same way as about
// what does not, also below an application of the user's own team.
func TestOtherTeamsDoNotExist(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		team, err := s.Accounts.CreateTeam(s.ctx, account.CreateTeam{Name: "other"})
		s.ok(err)
		_, err = s.Accounts.CreateUser(s.ctx, account.CreateUser{Username: "eve", Password: "long enough", TeamID: team.ID, Role: auth.Admin})
		s.ok(err)
		_, err = s.Accounts.CreateUser(s.ctx, account.CreateUser{Username: "vera", Password: "long enough", Role: auth.Viewer})
		s.ok(err)
		own, err := s.CreateApplication(s.ctx, fleet.CreateApplication{Name: "own", TeamID: team.ID})
		s.ok(err)
		exists, apart, routes := s.foreign(), 0, 0
		for _, route := range append(mounted(t), mountedNebraska(t)...) {
			if route == "PUT /api/password" || route == "GET /nebraska/config" {
				continue
			}
			routes++
			ask := func(who string, o objects) string {
				r := s.send(who+":long enough", strings.Fields(route)[0], o.path(route), strings.NewReader(o.body(route)))
				text := string(r.data)
				for _, secret := range []string{exists.app, exists.group, exists.channel, exists.pkg} {
					if who == "eve" && strings.Contains(text, secret) {
						t.Errorf("%s shows an object of another team: %s", route, text)
					}
				}
				return fmt.Sprint(r.status, anyMoment.ReplaceAllString(anyID.ReplaceAllString(text, "ID"), "TIME"))
			}
			if is, not := ask("eve", exists), ask("eve", nothing()); is != not {
				t.Errorf("%s of what exists: %s\nof what does not: %s", route, is, not)
			}
			if strings.Contains(route, "{app}") && !strings.HasSuffix(route, "/api/apps/{app}") {
				is, not := exists, nothing()
				is.app, not.app = own.ID.String(), own.ID.String()
				if is, not := ask("eve", is), ask("eve", not); is != not {
					t.Errorf("%s below the own application, of what exists: %s\nof what does not: %s", route, is, not)
				}
			}
			if strings.HasPrefix(route, "GET ") && ask("vera", exists) != ask("vera", nothing()) {
				apart++
			}
		}
		if apart < 8 || routes < 20 {
			t.Errorf("only %d of %d routes distinguish for the own team what exists", apart, routes)
		}
		if _, err := s.View.Application(s.ctx, catalog.FlatcarID(), nil); err != nil {
			t.Errorf("the application of the other team: %v", err)
		}
	})
}

// path returns the path of a route, with ids in every parameter that takes them.
func (o objects) path(route string) string {
	_, pattern, _ := strings.Cut(route, " ")
	path := strings.NewReplacer("{app}", o.app, "{group}", o.group, "{channel}", o.channel, "{package}", o.pkg, "{instance}", o.machine).Replace(pattern)
	switch route {
	case "POST /api/apps", "POST /nebraska/api/apps":
		path += "?clone_from=" + o.app
	case "GET /api/activity":
		path += "?app=" + o.app
	case "GET /nebraska/api/activity":
		path += "?appIDorProductID=" + o.app
	case "DELETE /api/apps/{app}", "DELETE /nebraska/api/apps/{app}":
		path += "?force=true"
	}
	for _, end := range []string{"timeline", "stats", "instances", "instancescount"} {
		if strings.HasPrefix(pattern, "/nebraska/") && strings.HasSuffix(pattern, end) {
			path += "?duration=1d"
		}
	}
	return path
}

// body is valid for every route, with ids in every field that takes them.
func (o objects) body(route string) string {
	if strings.Contains(route, " /nebraska/") {
		body := strings.TrimSuffix(bodyOf(route), "}")
		switch {
		case strings.Contains(route, "/groups"):
			body += fmt.Sprintf(`, "channel_id": %q`, o.channel)
		case strings.Contains(route, "/channels") && !strings.Contains(route, "/floors"):
			body += fmt.Sprintf(`, "package_id": %q`, o.pkg)
		case strings.Contains(route, "/packages"):
			body += fmt.Sprintf(`, "channels_blacklist": [%q]`, o.channel)
		}
		return body + "}"
	}
	return fmt.Sprintf(`{"name": "x", "track": "x", "color": "#112233", "type": 4, "version": "2.0.0", "url": "https://example.com/", "filename": "a", "size": "1",`+
		`"coreos_action": {"sha256": "q83vEjRWeJCrze8SNFZ4kKvN7xI="}, "channel_id": %q, "package_id": %q, "channels_blacklist": [%q],`+
		`"policy_period_interval": "15 minutes", "policy_update_timeout": "60 minutes", "policy_max_updates_per_period": 2}`, o.channel, o.pkg, o.channel)
}

// A user with a role on one group reads it and what it follows, and no other group.
func TestUserOfOneGroup(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		o := s.foreign()
		_, err := s.Accounts.CreateUser(s.ctx, account.CreateUser{
			Username: "gina", Password: "long enough", Grants: []auth.Grant{{Role: auth.Operator, Group: uuid.MustParse(o.group)}},
		})
		s.ok(err)
		groups := anyGroup.FindAllString(string(s.ask("gina:long enough", http.MethodGet, "/api/apps/"+o.app+"/groups", nil).data), -1)
		if !slices.Equal(groups, []string{`"policy_safe_mode"`}) {
			t.Errorf("%d groups, want 1", len(groups))
		}
		for path, want := range map[string]int{
			"/api/apps/" + o.app:                                       http.StatusOK,
			"/api/apps/" + o.app + "/groups/" + o.group:                http.StatusOK,
			"/api/apps/" + o.app + "/groups/" + o.group + "/instances": http.StatusOK,
			"/api/apps/" + o.app + "/packages/" + o.pkg:                http.StatusOK,
			"/api/apps/" + o.app + "/channels/" + o.channel:            http.StatusOK,
		} {
			if r := s.ask("gina:long enough", http.MethodGet, path, nil); r.status != want {
				t.Errorf("%s: %d %s", path, r.status, r.data)
			}
		}
		other, err := s.store.Reader().Group.Query().Where(group.ApplicationID(catalog.FlatcarID()), group.IDNEQ(uuid.MustParse(o.group))).First(s.ctx)
		s.ok(err)
		if r := s.ask("gina:long enough", http.MethodGet, "/api/apps/"+o.app+"/groups/"+other.ID.String(), nil); r.status != http.StatusNotFound {
			t.Errorf("another group: %d %s", r.status, r.data)
		}
		if all := s.ask("admin:admin", http.MethodGet, "/api/apps/"+o.app+"/groups", nil); len(anyGroup.FindAll(all.data, -1)) < 2 {
			t.Errorf("an owner reads only %s", all.data)
		}
	})
}

var anyGroup = regexp.MustCompile(`"policy_safe_mode"`)
