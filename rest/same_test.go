package rest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/activity"
	"github.com/coreroller/coreroller/ent/db/application"
	"github.com/coreroller/coreroller/ent/db/audit"
	"github.com/coreroller/coreroller/ent/db/channel"
	"github.com/coreroller/coreroller/ent/db/group"
	"github.com/coreroller/coreroller/ent/db/release"
	"github.com/coreroller/coreroller/store/storetest"
)

// dialect runs the same verbs through one API.
type dialect interface {
	createApplication(name, description string, from *uuid.UUID) uuid.UUID
	updateApplication(app uuid.UUID, name, description string)
	createPackage(app uuid.UUID, version string, blacklist ...uuid.UUID) uuid.UUID
	updatePackage(app, id uuid.UUID, version, description string)
	createChannel(app uuid.UUID, name string, pkg *uuid.UUID) uuid.UUID
	renameChannel(app, id uuid.UUID, name string, pkg *uuid.UUID)
	promote(app, channel uuid.UUID, name string, pkg *uuid.UUID)
	createGroup(app, channel uuid.UUID, name string) uuid.UUID
	renameGroup(app, id, channel uuid.UUID, name string)
	policy(app, id, channel uuid.UUID, name string, updates int)
	switched(app, id, channel uuid.UUID, name string, updates int, on bool)
	remove(app uuid.UUID, noun string, id uuid.UUID)
	password(text string)
}

// The same verbs through REST and GraphQL write the same rows, activity and audit.
func TestRESTAndGraphQLWriteTheSameRows(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		rest := newSite(t, url)
		left := map[string]string{}
		left["rest"] = runVerbs(rest, restDialect{rest})
		other := storetest.SQLite(t)
		if strings.HasPrefix(url, "postgres") {
			other = storetest.Postgres(t)
		}
		graph := newSite(t, other)
		left["graphql"] = runVerbs(graph, graphDialect{graph})
		if left["rest"] != left["graphql"] {
			t.Errorf("REST and GraphQL differ:\n%s", firstDifference(left["rest"], left["graphql"]))
		}
		for _, verb := range []string{
			"createApplication", "updateApplication", "createPackage", "updatePackage", "createChannel", "updateChannel", "promotePackage",
			"createGroup", "updateGroup", "updatePolicy", "pauseUpdates", "resumeUpdates",
			"deleteGroup", "deleteChannel", "deletePackage", "deleteApplication", "changePassword",
		} {
			if !strings.Contains(left["rest"], `"verb":"`+verb+`"`) {
				t.Errorf("%s is not in the audit", verb)
			}
		}
	})
}

// runVerbs runs every verb once and returns the rows.
func runVerbs(s *site, d dialect) string {
	s.t.Helper()
	app := d.createApplication("agent", "runs everywhere", nil)
	d.updateApplication(app, "agents", "run everywhere")
	one := d.createPackage(app, "1.0.0")
	two := d.createPackage(app, "2.0.0")
	stable := d.createChannel(app, "stable", &one)
	d.createPackage(app, "3.0.0", stable)
	d.updatePackage(app, two, "2.0.1", "repaired")
	group := d.createGroup(app, stable, "prod")
	s.machine("m1", "1.0.0", group.String(), "<ping/><updatecheck/>")
	d.promote(app, stable, "stable", &two)
	s.machine("m1", "1.0.0", group.String(), "<ping/><updatecheck/>")
	s.machine("m1", "1.0.0", group.String(), `<event eventtype="3" eventresult="0" errorcode="2000"/>`)
	d.switched(app, group, stable, "prod", 3, true) // safe mode halted it
	d.switched(app, group, stable, "prod", 3, false)
	d.switched(app, group, stable, "prod", 3, true)
	d.policy(app, group, stable, "prod", 7)
	d.renameGroup(app, group, stable, "production")
	d.renameChannel(app, stable, "steady", &two)
	d.promote(app, stable, "steady", nil)
	copied := d.createApplication("copy", "", &app)
	before := s.left()
	d.remove(app, "group", group)
	d.remove(app, "channel", stable)
	d.remove(app, "package", one)
	d.remove(copied, "application", copied)
	d.password("another password")
	return before + s.left()
}

var (
	madePattern = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[78][0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}`)
	saltPattern = regexp.MustCompile(`\[(\d+,){15}\d+\]`) // an id in the format of the engine
)

// left returns all rows of configuration, activity and audit. New ids are numbered
// in the order of their first use.
func (s *site) left() string {
	s.t.Helper()
	var b strings.Builder
	write := func(v any, err error) {
		s.ok(err)
		text, err := json.Marshal(v)
		s.ok(err)
		b.Write(text)
		b.WriteByte('\n')
	}
	r := s.store.Reader()
	audits, err := r.Audit.Query().Order(audit.ByID()).All(s.ctx)
	for _, a := range audits {
		a.Previous, a.Hash = "", "" // of the ids
		write(a, err)
	}
	activities, err := r.Activity.Query().Order(activity.ByID(), activity.ByKind(sql.OrderAsc())).All(s.ctx)
	for _, a := range activities {
		write(a, err)
	}
	apps, err := r.Application.Query().Order(application.ByName()).
		WithChannels(func(q *db.ChannelQuery) { q.Order(channel.ByName(), channel.ByArch()) }).
		WithPackages(func(q *db.ReleaseQuery) {
			q.Order(release.ByVersion()).WithAction().WithBlacklistings()
		}).
		WithGroups(func(q *db.GroupQuery) { q.Order(group.ByName(), group.ByArch()) }).All(s.ctx)
	write(apps, err)
	names := map[string]string{}
	return madePattern.ReplaceAllStringFunc(saltPattern.ReplaceAllString(b.String(), "id"), func(id string) string {
		if names[id] == "" {
			names[id] = fmt.Sprintf("id %d", len(names))
		}
		return names[id]
	})
}

// restDialect uses REST.
type restDialect struct{ *site }

func (d restDialect) say(method, path string, body map[string]any) uuid.UUID {
	d.t.Helper()
	d.wait(1e9)
	text, err := json.Marshal(body)
	d.ok(err)
	r := d.ask("admin:admin", method, path, strings.NewReader(string(text)))
	if r.status >= 300 {
		d.t.Fatalf("%s %s %s: %d %s", method, path, text, r.status, r.data)
	}
	var answer struct{ ID uuid.UUID }
	_ = json.Unmarshal(r.data, &answer)
	return answer.ID
}

func below(app uuid.UUID, noun string, id ...uuid.UUID) string {
	path := "/api/apps/" + app.String() + "/" + noun + "s"
	for _, i := range id {
		path += "/" + i.String()
	}
	return path
}

func (d restDialect) createApplication(name, description string, from *uuid.UUID) uuid.UUID {
	path := "/api/apps"
	if from != nil {
		path += "?clone_from=" + from.String()
	}
	return d.say(http.MethodPost, path, map[string]any{"name": name, "description": description})
}

func (d restDialect) updateApplication(app uuid.UUID, name, description string) {
	d.say(http.MethodPut, "/api/apps/"+app.String(), map[string]any{"name": name, "description": description})
}

func (d restDialect) createPackage(app uuid.UUID, version string, blacklist ...uuid.UUID) uuid.UUID {
	return d.say(http.MethodPost, below(app, "package"), map[string]any{"type": 4, "version": version, "url": "https://example.com/", "filename": "a.tar", "size": "10", "channels_blacklist": blacklist})
}

func (d restDialect) updatePackage(app, id uuid.UUID, version, description string) {
	d.say(http.MethodPut, below(app, "package", id), map[string]any{"type": 4, "version": version, "url": "https://example.com/", "filename": "a.tar", "size": 10, "description": description})
}

func (d restDialect) createChannel(app uuid.UUID, name string, pkg *uuid.UUID) uuid.UUID {
	return d.say(http.MethodPost, below(app, "channel"), map[string]any{"name": name, "package_id": pkg})
}

func (d restDialect) renameChannel(app, id uuid.UUID, name string, pkg *uuid.UUID) {
	d.say(http.MethodPut, below(app, "channel", id), map[string]any{"name": name, "package_id": pkg})
}

func (d restDialect) promote(app, channel uuid.UUID, name string, pkg *uuid.UUID) {
	d.renameChannel(app, channel, name, pkg)
}

func (d restDialect) body(channel uuid.UUID, name string, updates int, on bool) map[string]any {
	return map[string]any{
		"name": name, "channel_id": channel, "policy_updates_enabled": on, "policy_safe_mode": true, "policy_timezone": "Europe/Berlin",
		"policy_period_interval": "15 minutes", "policy_max_updates_per_period": updates, "policy_update_timeout": "1 hour",
	}
}

func (d restDialect) createGroup(app, channel uuid.UUID, name string) uuid.UUID {
	return d.say(http.MethodPost, below(app, "group"), d.body(channel, name, 3, true))
}

func (d restDialect) renameGroup(app, id, channel uuid.UUID, name string) {
	d.say(http.MethodPut, below(app, "group", id), d.body(channel, name, 7, true))
}

func (d restDialect) policy(app, id, channel uuid.UUID, name string, updates int) {
	d.say(http.MethodPut, below(app, "group", id), d.body(channel, name, updates, true))
}

func (d restDialect) switched(app, id, channel uuid.UUID, name string, updates int, on bool) {
	d.say(http.MethodPut, below(app, "group", id), d.body(channel, name, updates, on))
}

func (d restDialect) remove(app uuid.UUID, noun string, id uuid.UUID) {
	path := below(app, noun, id)
	if noun == "application" {
		path = "/api/apps/" + id.String()
	}
	d.say(http.MethodDelete, path+"?force=true", nil)
}

func (d restDialect) password(text string) {
	d.say(http.MethodPut, "/api/password", map[string]any{"password": text})
}
