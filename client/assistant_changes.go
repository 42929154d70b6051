package client

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/coreroller/coreroller/client/api"
	"github.com/coreroller/coreroller/client/mcp"
)

// changeQuery are the conditions on what happened.
type changeQuery struct {
	where
	paging
	Group string `json:"group,omitempty" jsonschema:"name or id of the group: its activity, and the audit of the group, its channel and its current rollout"`
	Since string `json:"since,omitempty" jsonschema:"from a time such as 2026-11-23T14:02:05Z, or a duration such as 24h ago; default 24h"`
	Until string `json:"until,omitempty" jsonschema:"before a time, or a duration ago; default now"`
	Text  string `json:"text,omitempty" jsonschema:"text in a name, the version, the user, the reason or the detail"`
	Log   string `json:"log,omitempty" jsonschema:"activity (what happened), audit (who changed what) or both; default both"`
}

// source is one list of which the answer is made. Its key keeps its place in a cursor.
type source struct {
	key, field, kind string
	filter           map[string]any
	rows             []timedRow
	more             bool
	end              string // cursor behind the page, which can be empty although there is more
}

// timedRow is a row with its time.
type timedRow struct {
	mcp.Row
	at time.Time
}

// defaultSince is how far back the answer goes when no time is given.
const defaultSince = 24 * time.Hour

func (a *assistant) changed(ctx context.Context, in changeQuery) (*mcp.Reply, error) {
	sources, page, err := a.sources(ctx, in)
	if err != nil {
		return nil, err
	}
	places, err := readPlaces(in.After)
	if err != nil {
		return nil, err
	}
	var text []string
	for _, s := range sources {
		err := a.fill(ctx, s, in.first(), places[s.key])
		if s.field == "audits" && api.Code(err) == api.Forbidden {
			text = append(text, "The token may not read the audit log, so it is left out.")
			continue
		}
		if err != nil {
			return nil, err
		}
	}
	reply := merge(sources, in.first(), places)
	reply.Text = append(text, "Entries: "+count(len(reply.Rows))+", newest first.")
	reply.Page, reply.Hint = page, "add a group, a text, or a shorter time"
	return reply, nil
}

// merge returns the newest rows of pages of several sources. It keeps the order of each
// source, so that its cursor continues behind what was listed.
func merge(sources []*source, first int, places map[string]string) *mcp.Reply {
	reply := &mcp.Reply{}
	for _, s := range sources {
		if len(s.rows) == 0 && s.more {
			places[s.key] = s.end
		}
		reply.More = reply.More || s.more
	}
	reply.Next = writePlaces(places)
	for len(reply.Rows) < first {
		var newest *source
		for _, s := range sources {
			if len(s.rows) > 0 && (newest == nil || s.rows[0].at.After(newest.rows[0].at)) {
				newest = s
			}
		}
		if newest == nil {
			return reply
		}
		row := newest.rows[0].Row
		newest.rows = newest.rows[1:]
		places[newest.key] = row.Cursor
		if len(newest.rows) == 0 && newest.more {
			places[newest.key] = newest.end
		}
		row.Cursor = writePlaces(places)
		reply.Rows = append(reply.Rows, row)
	}
	for _, s := range sources {
		reply.More = reply.More || len(s.rows) > 0
	}
	return reply
}

// sources returns the lists to read, and the page that shows them.
func (a *assistant) sources(ctx context.Context, in changeQuery) ([]*source, string, error) {
	if in.Since == "" {
		in.Since = defaultSince.String()
	}
	conditions := activityFilter{where: in.scope(), group: in.Group, text: in.Text, since: in.Since, until: in.Until}
	filter, err := conditions.input(ctx, a.session)
	if err != nil {
		return nil, "", err
	}
	var all []*source
	if in.Log != "audit" {
		all = append(all, &source{key: "activity", field: "activities", kind: "ActivityFilter", filter: filter})
	}
	if in.Log == "activity" {
		return all, a.page("activity"), nil
	}
	if in.Log != "" && in.Log != "audit" && in.Log != "both" {
		return nil, "", fmt.Errorf("log is %s: use activity, audit or both", mcp.Quote(in.Log))
	}
	group, _ := filter["groupId"].(string)
	objects := []string{""}
	if group != "" {
		if objects, err = a.objects(ctx, group); err != nil {
			return nil, "", err
		}
	}
	for _, object := range objects {
		audit := maps.Clone(filter)
		delete(audit, "groupId")
		put(audit, "objectId", object)
		all = append(all, &source{key: "audit" + object, field: "audits", kind: "AuditFilter", filter: audit})
	}
	return all, a.page("audit"), nil
}

// objects are those whose changes concern a group: itself, its channel and its current rollout.
func (a *assistant) objects(ctx context.Context, group string) ([]string, error) {
	type id struct{ ID string }
	answer, err := read[struct {
		Group *struct{ Channel, Rollout *id }
	}](ctx, a.session, `query($id: ID!) { group(id: $id) { channel { id } rollout { id } } }`, map[string]any{"id": group})
	all := []string{group}
	if g := answer.Group; g != nil {
		for _, object := range []*id{g.Channel, g.Rollout} {
			if object != nil {
				all = append(all, object.ID)
			}
		}
	}
	return all, err
}

// fill reads a page of a source.
func (a *assistant) fill(ctx context.Context, s *source, first int, after string) error {
	fields := activityFields
	if s.field == "audits" {
		fields = auditFields
	}
	variables := map[string]any{"filter": s.filter, "first": first}
	put(variables, "after", after)
	answer, err := read[struct {
		Found struct {
			PageInfo struct {
				HasNextPage bool
				EndCursor   string
			}
			Edges []struct {
				Cursor string
				Node   json.RawMessage
			}
		}
	}](ctx, a.session, `query($filter: `+s.kind+`!, $first: Int!, $after: String) { found: `+s.field+`(filter: $filter, first: $first, after: $after) {
  pageInfo { hasNextPage endCursor } edges { cursor node { `+fields+` } } } }`, variables)
	if err != nil {
		return err
	}
	s.more, s.end = answer.Found.PageInfo.HasNextPage, answer.Found.PageInfo.EndCursor
	for _, edge := range answer.Found.Edges {
		var row timedRow
		if s.field == "audits" {
			row.Row, row.at, err = auditRow(edge.Node)
		} else {
			row.Row, row.at, err = activityRow(edge.Node)
		}
		if err != nil {
			return err
		}
		row.Cursor = edge.Cursor
		s.rows = append(s.rows, row)
	}
	return nil
}

func activityRow(node json.RawMessage) (mcp.Row, time.Time, error) {
	var e activity
	if err := json.Unmarshal(node, &e); err != nil {
		return mcp.Row{}, time.Time{}, err
	}
	text := []string{utc(e.At) + " activity", enum(e.Severity), enum(e.Kind)}
	for _, part := range []struct{ name, value string }{
		{"application", e.ApplicationName}, {"group", e.GroupName}, {"channel", e.ChannelName}, {"machine", e.MachineID},
		{"version", e.Version}, {"error", e.Description}, {"detail", e.Detail}, {"by", e.Actor},
	} {
		if part.value != "" {
			text = append(text, part.name+" "+mcp.Quote(part.value))
		}
	}
	return mcp.Row{Text: strings.Join(text, ", "), Value: e}, e.At, nil
}

// audit is a change that a person made.
type audit struct {
	At         time.Time         `json:"at"`
	Actor      string            `json:"actor"`
	Credential string            `json:"credential"`
	Action     string            `json:"action"`
	ObjectType string            `json:"objectType"`
	ObjectID   string            `json:"objectId"`
	Reason     string            `json:"reason"`
	Before     string            `json:"before,omitempty"`
	After      string            `json:"after,omitempty"`
	Changes    map[string]string `json:"changes,omitempty"`
}

const auditFields = `at actor credential action objectType objectId reason before after`

func auditRow(node json.RawMessage) (mcp.Row, time.Time, error) {
	var e audit
	if err := json.Unmarshal(node, &e); err != nil {
		return mcp.Row{}, time.Time{}, err
	}
	e.Changes = auditChanges(e.Before, e.After)
	e.Before, e.After = "", ""
	text := []string{fmt.Sprintf("%s audit, %s by %s (%s) on %s %s", utc(e.At), mcp.Quote(e.Action), mcp.Quote(e.Actor), enum(e.Credential), enum(e.ObjectType), e.ObjectID)}
	if e.Reason != "" {
		text = append(text, "reason "+mcp.Quote(e.Reason))
	}
	for _, name := range slices.Sorted(maps.Keys(e.Changes)) {
		text = append(text, name+": "+e.Changes[name])
	}
	return mcp.Row{Text: strings.Join(text, ", "), Value: e}, e.At, nil
}

// most differences of one audit entry, and characters of a value in one.
const (
	maxDifferences = 20
	maxDifference  = 80
)

// auditChanges returns the fields of an object that changed, each as "before → after". A
// field of an object inside is named with its path, such as policy.updatesEnabled.
func auditChanges(before, after string) map[string]string {
	old, now, all := map[string]string{}, map[string]string{}, map[string]string{}
	flatten(old, "", json.RawMessage(before))
	flatten(now, "", json.RawMessage(after))
	names := maps.Clone(old)
	maps.Copy(names, now)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if len(all) == maxDifferences {
			break
		}
		if old[name] != now[name] {
			all[name] = short(old[name]) + " → " + short(now[name])
		}
	}
	return all
}

// flatten adds the fields of a JSON object by their paths.
func flatten(into map[string]string, path string, value json.RawMessage) {
	var fields map[string]json.RawMessage
	if json.Unmarshal(value, &fields) != nil {
		if path != "" {
			into[path] = string(value)
		}
		return
	}
	if path != "" {
		path += "."
	}
	for name, field := range fields {
		flatten(into, path+name, field)
	}
}

func short(text string) string {
	if text == "" {
		return "nothing"
	}
	return mcp.Escape(text, maxDifference)
}

// readPlaces returns the cursors of the sources that a cursor of the answer has.
func readPlaces(after string) (map[string]string, error) {
	places := map[string]string{}
	if after == "" {
		return places, nil
	}
	text, err := base64.RawURLEncoding.DecodeString(after)
	if err == nil {
		err = json.Unmarshal(text, &places)
	}
	if err != nil {
		return nil, fmt.Errorf("place in the logs: %w", err)
	}
	return places, nil
}

func writePlaces(places map[string]string) string {
	text, _ := json.Marshal(places) // a map of texts always has a form in JSON
	return base64.RawURLEncoding.EncodeToString(text)
}
