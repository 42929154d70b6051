package rest_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db/channel"
	"github.com/coreroller/coreroller/ent/db/group"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/account"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/store/storetest"
)

// verbs has the verb of every route that changes something.
var verbs = map[string]string{
	"POST /api/apps":                            "createApplication",
	"PUT /api/apps/{app}":                       "updateApplication",
	"DELETE /api/apps/{app}":                    "deleteApplication",
	"POST /api/apps/{app}/groups":               "createGroup",
	"PUT /api/apps/{app}/groups/{group}":        "updateGroup",
	"DELETE /api/apps/{app}/groups/{group}":     "deleteGroup",
	"POST /api/apps/{app}/channels":             "createChannel",
	"PUT /api/apps/{app}/channels/{channel}":    "updateChannel",
	"DELETE /api/apps/{app}/channels/{channel}": "deleteChannel",
	"POST /api/apps/{app}/packages":             "createPackage",
	"PUT /api/apps/{app}/packages/{package}":    "updatePackage",
	"DELETE /api/apps/{app}/packages/{package}": "deletePackage",
	"PUT /api/password":                         "changePassword",

	"POST /nebraska/api/apps":                                  "createApplication",
	"PUT /nebraska/api/apps/{app}":                             "updateApplication",
	"DELETE /nebraska/api/apps/{app}":                          "deleteApplication",
	"POST /nebraska/api/apps/{app}/groups":                     "createGroup",
	"PUT /nebraska/api/apps/{app}/groups/{group}":              "updateGroup",
	"DELETE /nebraska/api/apps/{app}/groups/{group}":           "deleteGroup",
	"POST /nebraska/api/apps/{app}/channels":                   "createChannel",
	"PUT /nebraska/api/apps/{app}/channels/{channel}":          "updateChannel",
	"DELETE /nebraska/api/apps/{app}/channels/{channel}":       "deleteChannel",
	"POST /nebraska/api/apps/{app}/packages":                   "createPackage",
	"PUT /nebraska/api/apps/{app}/packages/{package}":          "updatePackage",
	"DELETE /nebraska/api/apps/{app}/packages/{package}":       "deletePackage",
	"PUT /nebraska/api/channels/{channel}/floors/{package}":    "addFloor",
	"DELETE /nebraska/api/channels/{channel}/floors/{package}": "removeFloor",
	"PUT /nebraska/api/instances/{instance}":                   "setInstanceAlias",
}

// Every route is called by every role and refused with 403 exactly below the role that
// the table in auth has for its verb. Reads are for all roles.
func TestEveryRouteChecksTheRole(t *testing.T) {
	s := newSite(t, storetest.SQLite(t))
	app := catalog.FlatcarID()
	pkg, err := s.CreatePackage(s.ctx, fleet.CreatePackage{ApplicationID: app, Type: catalog.PackageOther, Version: "1.0.0", URL: "https://example.com/", Filename: "a", Size: 1, SHA256: strings.Repeat("ab", 32)})
	s.ok(err)
	g, err := s.store.Reader().Group.Query().Where(group.ApplicationID(app)).First(s.ctx)
	s.ok(err)
	ch, err := s.store.Reader().Channel.Query().Where(channel.ApplicationID(app)).First(s.ctx)
	s.ok(err)
	for _, role := range auth.Roles() {
		_, err := s.Accounts.CreateUser(s.ctx, account.CreateUser{Username: "user-" + role.String(), Password: "long enough", Role: role})
		s.ok(err)
	}
	ids := strings.NewReplacer("{app}", app.String(), "{group}", g.ID.String(), "{channel}", ch.ID.String(), "{package}", pkg.ID.String(), "{instance}", "m")
	s.machine("m", "0.9.0", g.ID.String(), "<ping/><updatecheck/>")
	known := 0
	for _, route := range append(mounted(t), mountedNebraska(t)...) {
		method, path, _ := strings.Cut(ids.Replace(route), " ")
		verb, changes := verbs[route]
		if changes {
			known++
		} else if method != http.MethodGet {
			t.Errorf("%s has no verb here", route)
		}
		for _, role := range auth.Roles() {
			if role >= auth.Needs(verb) && changes {
				continue // it would change what the next calls need; the conversations do that
			}
			r := s.send("user-"+role.String()+":long enough", method, path, strings.NewReader(bodyOf(route)))
			if refused := r.status == http.StatusForbidden; refused != changes {
				t.Errorf("%s by %s: %d %s", route, role, r.status, r.data)
			}
		}
	}
	if known != len(verbs) {
		t.Errorf("%d of %d routes exist", known, len(verbs))
	}
	// The lowest role that may is not refused.
	for route, verb := range verbs {
		method, path, _ := strings.Cut(regexp.MustCompile(`\{[a-z]+\}`).ReplaceAllString(route, "0"), " ")
		if r := s.send("user-"+auth.Needs(verb).String()+":long enough", method, path, strings.NewReader("{}")); r.status == http.StatusForbidden {
			t.Errorf("%s by %s: %s", route, auth.Needs(verb), r.data)
		}
	}
}

// bodyOf is a valid body for a route.
func bodyOf(route string) string {
	const policy = `"policy_period_interval": "15 minutes", "policy_update_timeout": "60 minutes", "policy_max_updates_per_period": 2}`
	const pkg = `"type": 4, "version": "2.0.0", "url": "https://example.com/"`
	switch {
	case !strings.Contains(route, " /nebraska/"):
		return `{"name": "x", ` + pkg + `, ` + policy
	case strings.Contains(route, "/groups"):
		return `{"name": "x", ` + policy
	case strings.HasPrefix(route, "POST ") && strings.Contains(route, "/packages"):
		return `{"arch": 1, ` + pkg + `}`
	case strings.Contains(route, "/packages"):
		return `{` + pkg + `}`
	case strings.HasPrefix(route, "POST ") && strings.Contains(route, "/channels"):
		return `{"name": "x", "arch": 1}`
	case strings.Contains(route, "/floors"):
		return `{"floor_reason": "why"}`
	case strings.Contains(route, "/instances"):
		return `{"alias": "x"}`
	}
	return `{"name": "x"}`
}
