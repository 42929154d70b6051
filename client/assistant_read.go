package client

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/coreroller/coreroller/client/mcp"
)

// attention is something that needs an operator.
type attention struct {
	Kind        string     `json:"kind"`
	Severity    string     `json:"severity"`
	Sentence    string     `json:"sentence"`
	Since       *time.Time `json:"since,omitempty"`
	Application *named     `json:"application,omitempty"`
	Group       *named     `json:"group,omitempty"`
	Page        string     `json:"page,omitempty"`
}

const attentionFields = `attention { kind severity sentence since application { id name } group { id name } }`

// fleetNumbers are the counts of the whole fleet.
type fleetNumbers struct {
	counts
	BadVersion  int `json:"badVersion"`
	Quarantined int `json:"quarantined"`
	Silent      int `json:"silent"`
	Overridden  int `json:"overridden"`
}

func (a *assistant) overview(ctx context.Context, in paging) (*mcp.Reply, error) {
	answer, err := read[struct {
		Fleet struct {
			fleetNumbers
			Attention []attention
		}
	}](ctx, a.session, `{ fleet { total active onTarget aboveTarget badVersion inFlight waiting failed quarantined silent overridden `+attentionFields+` } }`, nil)
	if err != nil {
		return nil, err
	}
	f := answer.Fleet
	rows := make([]mcp.Row, len(f.Attention))
	for i, item := range f.Attention {
		text := enum(item.Severity) + ", " + enum(item.Kind)
		if item.Group != nil && item.Application != nil {
			text += ", group " + mcp.Quote(item.Application.Name+"/"+item.Group.Name)
			item.Page = a.page("apps", item.Application.ID, "groups", item.Group.ID)
		}
		if item.Since != nil {
			text += ", since " + utc(*item.Since)
		}
		text += ": " + item.Sentence
		rows[i] = mcp.Row{Text: text, Value: item}
	}
	reply, err := in.part(rows)
	if err != nil {
		return nil, err
	}
	n := f.fleetNumbers
	reply.Text = []string{
		fmt.Sprintf("%s, %s of them seen within 24 hours.", several(n.Total, "machine"), count(n.Active)),
		fmt.Sprintf("Of these %s run the target of their group or higher, %s are being updated, %s wait, %s failed, %s are quarantined.",
			count(n.OnTarget+n.AboveTarget), count(n.InFlight), count(n.Waiting), count(n.Failed), count(n.Quarantined)),
		"Needs attention: " + several(len(f.Attention), "thing") + ".",
	}
	reply.Facts, reply.Page, reply.Hint = n, a.page(), "ask for one group by group_rollout"
	return reply, nil
}

func (a *assistant) explainMachine(ctx context.Context, in struct {
	Machine     string `json:"machine" jsonschema:"id that the machine sends, its alias, or the id in the address of its page"`
	Application string `json:"application,omitempty" jsonschema:"name, product id or id of the application, when the machine is in several"`
}) (*mcp.Reply, error) {
	id, err := a.findMachine(ctx, in.Machine, in.Application)
	if err != nil {
		return nil, err
	}
	answer, err := read[struct{ ExplainUpdate explanation }](ctx, a.session, explanationDocument, map[string]any{"id": id})
	if err != nil {
		return nil, err
	}
	e := &answer.ExplainUpdate
	m := e.Instance
	group := "no group"
	if m.Group != nil {
		group = "group " + mcp.Quote(m.Group.Name)
	}
	text := []string{
		fmt.Sprintf("Machine %s in %s of %s runs version %s.", machineName(m.machineRow), group, mcp.Quote(m.Application.Name), mcp.Quote(m.Version)),
		"Decision: " + e.Decision.Sentence + until(e.Decision.Until),
	}
	if e.Decision.OfferedVersion != "" {
		text = append(text, "It would be offered "+mcp.Quote(e.Decision.OfferedVersion)+".")
	}
	if m.QuarantinedVersion != "" {
		text = append(text, fmt.Sprintf("It is quarantined at %s after %d failures.", mcp.Quote(m.QuarantinedVersion), m.Failures))
	}
	text = append(text, fmt.Sprintf("State %s, %s, last seen %s.", enum(m.State), enum(m.Standing), utc(m.LastSeenAt)))
	rows := make([]mcp.Row, len(e.Steps))
	for i, step := range e.Steps {
		rows[i] = mcp.Row{Text: enum(step.Rule) + ", " + enum(step.Outcome) + ": " + step.Sentence, Value: step}
	}
	return &mcp.Reply{
		Text: text, Rows: rows, Page: a.page("apps", m.Application.ID, "machines", m.ID),
		Facts: map[string]any{"machine": m, "decision": e.Decision, "asOf": e.AsOf},
	}, nil
}

// machineName is the id of a machine with its alias.
func machineName(m machineRow) string {
	if m.Alias == "" {
		return mcp.Quote(m.MachineID)
	}
	return mcp.Quote(m.MachineID) + " (alias " + mcp.Quote(m.Alias) + ")"
}

// machineQuery are the conditions on machines.
type machineQuery struct {
	where
	paging
	Group      string   `json:"group,omitempty" jsonschema:"name or id of the group"`
	States     []string `json:"states,omitempty" jsonschema:"progress of the update: none, granted, downloading, downloaded, installed, complete, error, on_hold"`
	Versions   []string `json:"versions,omitempty" jsonschema:"versions that the machines run"`
	Standings  []string `json:"standings,omitempty" jsonschema:"active, silent, overridden or quarantined"`
	Reasons    []string `json:"reasons,omitempty" jsonschema:"rule that decided the last check, such as outside_window or concurrency_limit"`
	CountedAs  []string `json:"countedAs,omitempty" jsonschema:"count of the group: on_target, other_build, above_target, bad_version, in_flight, waiting, failed, quarantined, silent, overridden"`
	Search     string   `json:"search,omitempty" jsonschema:"machine id, alias or address begins with this text"`
	SeenAfter  string   `json:"seenAfter,omitempty" jsonschema:"last seen at or after a time such as 2026-11-23T14:02:05Z, or within a duration such as 1h"`
	SeenBefore string   `json:"seenBefore,omitempty" jsonschema:"last seen before a time, or longer ago than a duration such as 24h"`
}

func (a *assistant) machines(ctx context.Context, in machineQuery) (*mcp.Reply, error) {
	conditions := machineFilter{
		where: in.scope(), group: in.Group, search: in.Search, seenAfter: in.SeenAfter, seenBefore: in.SeenBefore,
		states: in.States, versions: in.Versions, standings: in.Standings, reasons: in.Reasons, countedAs: in.CountedAs,
	}
	filter, err := conditions.input(ctx, a.session)
	if err != nil {
		return nil, err
	}
	answer, err := read[struct {
		Instances struct {
			list
			Edges []struct {
				Cursor string
				Node   machineRow
			}
		}
	}](ctx, a.session, `query($filter: InstanceFilter!, $first: Int!, $after: String) { instances(filter: $filter, first: $first, after: $after) {
  edges { cursor node { `+machineFields+` } }`+listFields+` } }`, in.variables(map[string]any{"filter": filter}))
	if err != nil {
		return nil, err
	}
	rows := make([]mcp.Row, len(answer.Instances.Edges))
	for i, edge := range answer.Instances.Edges {
		m := edge.Node
		group := "no group"
		if m.Group != nil {
			group = mcp.Quote(m.Application.Name + "/" + m.Group.Name)
		}
		rows[i] = mcp.Row{Cursor: edge.Cursor, Value: m, Text: fmt.Sprintf("%s in %s runs %s, %s, %s, last seen %s, last answer: %s",
			machineName(m), group, mcp.Quote(m.Version), enum(m.State), enum(m.Standing), utc(m.LastSeenAt), dash(m.Decision))}
	}
	reply := answer.Instances.reply(rows, "add a group, version, state, reason or search")
	reply.Text = []string{"Matching machines: " + reply.Total + "."}
	reply.Page = a.page("machines")
	return reply, nil
}

func (a *assistant) packages(ctx context.Context, in struct {
	where
	paging
	Version string `json:"version,omitempty" jsonschema:"only versions that begin with this text"`
}) (*mcp.Reply, error) {
	app, err := a.findApplication(ctx, in.Application)
	if err != nil {
		return nil, err
	}
	filter := map[string]any{}
	put(filter, "arch", in.Arch)
	put(filter, "version", in.Version)
	answer, err := read[struct {
		Application struct {
			Packages struct {
				list
				Edges []struct {
					Cursor string
					Node   packageRow
				}
			}
		}
	}](ctx, a.session, `query($id: ID!, $filter: PackageFilter!, $first: Int!, $after: String) { application(id: $id) { packages(filter: $filter, first: $first, after: $after) {
  edges { cursor node { id version arch type url filename size sha256 createdAt channels { id name } blacklistings { channel { id name } } } }`+listFields+` } } }`,
		in.variables(map[string]any{"id": app.ID, "filter": filter}))
	if err != nil {
		return nil, err
	}
	found := answer.Application.Packages
	rows := make([]mcp.Row, len(found.Edges))
	for i, edge := range found.Edges {
		p := edge.Node
		var offered, forbidden []string
		for _, c := range p.Channels {
			offered = append(offered, mcp.Quote(c.Name))
		}
		for _, b := range p.Blacklistings {
			forbidden = append(forbidden, mcp.Quote(b.Channel.Name))
		}
		text := fmt.Sprintf("%s for %s, created %s, offered by %s", mcp.Quote(p.Version), p.Arch, utc(p.CreatedAt), none(offered))
		if len(forbidden) > 0 {
			text += ", forbidden on " + strings.Join(forbidden, ", ")
		}
		rows[i] = mcp.Row{Cursor: edge.Cursor, Value: p, Text: text}
	}
	reply := found.reply(rows, "add an arch, or the beginning of a version")
	reply.Text = []string{"Packages of " + mcp.Quote(app.Name) + ": " + reply.Total + "."}
	reply.Page = a.page("apps", app.ID)
	return reply, nil
}

// none joins texts, or says that there is none.
func none(texts []string) string {
	if len(texts) == 0 {
		return "no channel"
	}
	return strings.Join(texts, ", ")
}
