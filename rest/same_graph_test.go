package rest_test

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/google/uuid"
)

// graphDialect uses GraphQL.
type graphDialect struct{ *site }

// say runs one mutation and returns the id of the object.
func (d graphDialect) say(verb, shown string, in map[string]any) (id uuid.UUID) {
	d.t.Helper()
	d.wait(1e9)
	input := strings.ToUpper(verb[:1]) + verb[1:] + "Input!"
	if shown != "" && shown != "deletedId" {
		shown += " { id }"
	}
	body, err := json.Marshal(map[string]any{
		"query":     "mutation($in: " + input + ") { " + verb + "(input: $in) { " + shown + " userErrors { field message } } }",
		"variables": map[string]any{"in": in},
	})
	d.ok(err)
	data := d.ask("admin:admin", http.MethodPost, "/graphql", strings.NewReader(string(body)), "Content-Type", "application/json").data
	var answer struct {
		Errors []any
		Data   map[string]map[string]json.RawMessage
	}
	d.ok(json.Unmarshal(data, &answer))
	payload := answer.Data[verb]
	if len(answer.Errors) > 0 || string(payload["userErrors"]) != "[]" {
		d.t.Fatalf("%s: %s", body, data)
	}
	var object struct{ ID uuid.UUID }
	_ = json.Unmarshal(payload[strings.TrimSuffix(shown, " { id }")], &object)
	return object.ID
}

func (d graphDialect) createApplication(name, description string, from *uuid.UUID) uuid.UUID {
	return d.say("createApplication", "application", map[string]any{"name": name, "description": description, "cloneFrom": from})
}

func (d graphDialect) updateApplication(app uuid.UUID, name, description string) {
	d.say("updateApplication", "application", map[string]any{"id": app, "name": name, "description": description})
}

func (d graphDialect) createPackage(app uuid.UUID, version string, blacklist ...uuid.UUID) uuid.UUID {
	return d.say("createPackage", "package", map[string]any{
		"applicationId": app, "type": "OTHER", "version": version, "url": "https://example.com/", "filename": "a.tar", "size": 10, "blacklistedChannelIds": append([]uuid.UUID{}, blacklist...),
	})
}

func (d graphDialect) updatePackage(_, id uuid.UUID, version, description string) {
	d.say("updatePackage", "package", map[string]any{"id": id, "version": version, "description": description})
}

func (d graphDialect) createChannel(app uuid.UUID, name string, pkg *uuid.UUID) uuid.UUID {
	return d.say("createChannel", "channel", map[string]any{"applicationId": app, "name": name, "packageId": pkg})
}

func (d graphDialect) renameChannel(_, id uuid.UUID, name string, _ *uuid.UUID) {
	d.say("updateChannel", "channel", map[string]any{"id": id, "name": name})
}

func (d graphDialect) promote(_, channel uuid.UUID, _ string, pkg *uuid.UUID) {
	d.say("promotePackage", "channel", map[string]any{"channelId": channel, "packageId": pkg})
}

func (d graphDialect) createGroup(app, channel uuid.UUID, name string) uuid.UUID {
	return d.say("createGroup", "group", map[string]any{
		"applicationId": app, "name": name, "channelId": channel,
		"policy": map[string]any{"safeMode": true, "timezone": "Europe/Berlin", "periodInterval": "PT15M", "maxUpdatesPerPeriod": 3, "updateTimeout": "1 hour"},
	})
}

func (d graphDialect) renameGroup(_, id, _ uuid.UUID, name string) {
	d.say("updateGroup", "group", map[string]any{"id": id, "name": name})
}

func (d graphDialect) policy(_, id, _ uuid.UUID, _ string, updates int) {
	d.say("updatePolicy", "group", map[string]any{"groupId": id, "policy": map[string]any{"maxUpdatesPerPeriod": updates, "maxConcurrentUpdates": updates}})
}

func (d graphDialect) switched(_, id, _ uuid.UUID, _ string, _ int, on bool) {
	verb := map[bool]string{true: "resumeUpdates", false: "pauseUpdates"}[on]
	d.say(verb, "group", map[string]any{"groupId": id})
}

func (d graphDialect) remove(_ uuid.UUID, noun string, id uuid.UUID) {
	d.say("delete"+strings.ToUpper(noun[:1])+noun[1:], "deletedId", map[string]any{"id": id, "force": true})
}

func (d graphDialect) password(text string) {
	d.say("changePassword", "user", map[string]any{"currentPassword": "admin", "newPassword": text})
}
