package client

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/coreroller/coreroller/client/api"
	"github.com/coreroller/coreroller/client/mcp"
)

// changeArguments describe a change that a person may make.
type changeArguments struct {
	where
	Change    string `json:"change" jsonschema:"promote, rollback, pause, resume, halt or advance"`
	Target    string `json:"target" jsonschema:"name or id of the channel for promote, of the channel or group for rollback, else of the group"`
	Version   string `json:"version,omitempty" jsonschema:"for promote and rollback: the version to go to"`
	Blacklist *bool  `json:"blacklist,omitempty" jsonschema:"for rollback: forbid the present version on the channel; default true"`
}

// planned is a change with what a person needs to make it.
type planned struct {
	change
	preview   string // document that returns its impact
	variables map[string]any
	what      string // one sentence
	command   string
	page      string
}

// controls are the changes of a group that have no version.
var controls = map[string]struct {
	mutation, control string
	free              bool // needs no approval
}{
	"pause":   {"pauseUpdates", "PAUSE", true},
	"resume":  {"resumeUpdates", "RESUME", false},
	"halt":    {"haltRollout", "HALT", true},
	"advance": {"advanceWave", "ADVANCE", false},
}

// plan resolves the names of a change.
func (a *assistant) plan(ctx context.Context, in changeArguments) (*planned, error) {
	switch in.Change {
	case "promote":
		return a.planPromotion(ctx, in)
	case "rollback":
		return a.planRollback(ctx, in)
	}
	control, ok := controls[in.Change]
	if !ok {
		return nil, fmt.Errorf("change is %s: use promote, rollback, pause, resume, halt or advance", mcp.Quote(in.Change))
	}
	group, err := a.findGroup(ctx, in.Target, in.scope())
	if err != nil {
		return nil, err
	}
	return &planned{
		change:    change{mutation: control.mutation, input: map[string]any{"groupId": group.ID}},
		preview:   `query($id: ID!, $control: GroupControl!) { impact: controlImpact(groupId: $id, control: $control) { ` + impactFields + ` } }`,
		variables: map[string]any{"id": group.ID, "control": control.control},
		what:      in.Change + " group " + mcp.Quote(group.path()),
		command:   "coreroller " + in.Change + " " + group.ID,
		page:      a.page("apps", group.app.ID, "groups", group.ID) + "?do=" + in.Change,
	}, nil
}

func (a *assistant) planPromotion(ctx context.Context, in changeArguments) (*planned, error) {
	channel, id, err := (&onChannel{where: in.scope(), channel: in.Target}).find(ctx, a.session, in.Version)
	if err != nil {
		return nil, err
	}
	return &planned{
		change:    change{mutation: "promotePackage", input: map[string]any{"channelId": channel.ID, "packageId": id}},
		preview:   `query($channel: ID!, $package: ID!) { impact: promotionImpact(channelId: $channel, packageId: $package) { ` + impactFields + ` } }`,
		variables: map[string]any{"channel": channel.ID, "package": id},
		what:      "promote " + mcp.Quote(in.Version) + " to channel " + mcp.Quote(channel.path()),
		command:   "coreroller package promote " + argument(in.Version) + " --channel " + channel.ID,
		page:      a.page("apps", channel.app.ID, "channels", channel.ID),
	}, nil
}

func (a *assistant) planRollback(ctx context.Context, in changeArguments) (*planned, error) {
	if in.Version == "" {
		return nil, errors.New("version is missing: the version to go back to; the tool packages lists them")
	}
	target, err := (&rollback{where: in.scope()}).find(ctx, a.session, in.Target)
	if err != nil {
		return nil, err
	}
	id, err := a.findPackage(ctx, target.app, target.Arch, in.Version)
	if err != nil {
		return nil, err
	}
	input := map[string]any{target.kind + "Id": target.ID, "toPackageId": id, "blacklistCurrent": in.Blacklist == nil || *in.Blacklist}
	p := &planned{
		change:    change{mutation: "rollBack", input: input},
		preview:   rollbackImpactDocument,
		variables: maps.Clone(input),
		what:      "roll back " + target.kind + " " + mcp.Quote(target.path()) + " to " + mcp.Quote(in.Version),
		command:   "coreroller rollback " + target.ID + " --to " + argument(in.Version),
		page:      a.page("apps", target.app.ID, target.kind+"s", target.ID),
	}
	if target.kind == "group" {
		p.page += "?do=rollBack"
	}
	if in.Blacklist != nil && !*in.Blacklist {
		p.command += " --blacklist=false"
	}
	return p, nil
}

// argument returns a version for a command line, which a person may paste into a shell.
func argument(version string) string {
	if strings.Trim(version, versionCharacters) != "" {
		return "VERSION"
	}
	return version
}

// versionCharacters have no meaning in a shell.
const versionCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.+-_"

func (a *assistant) preview(ctx context.Context, in changeArguments) (*mcp.Reply, error) {
	p, err := a.plan(ctx, in)
	if err != nil {
		return nil, err
	}
	return a.describe(ctx, p, "Nothing was changed. This is the effect now of: "+p.what+".")
}

// describe returns the effect of a change, and how a person makes it.
func (a *assistant) describe(ctx context.Context, p *planned, first string) (*mcp.Reply, error) {
	answer, err := read[struct{ Impact impact }](ctx, a.session, p.preview, p.variables)
	if err != nil {
		return nil, err
	}
	text := append([]string{first}, answer.Impact.text()...)
	command := p.command + ` --reason "…"`
	text = append(text, "A person makes it on the page, or with: "+command)
	return &mcp.Reply{Text: text, Facts: map[string]any{"impact": answer.Impact, "command": command, "changed": false}, Page: p.page}, nil
}

func (i *impact) text() []string {
	text := []string{"Effect: " + i.Sentence}
	for _, warning := range i.Warnings {
		text = append(text, "Warning: "+warning)
	}
	return text
}

// proposeArguments are a change and why.
type proposeArguments struct {
	changeArguments
	Reason         string `json:"reason" jsonschema:"why, in one or two sentences of facts: the person who decides reads it"`
	ExpiresInHours int    `json:"expiresInHours,omitempty" jsonschema:"hours to wait for a decision, from 1 to 168; default 12"`
}

const (
	// byAssistant begins the reason, so that the person who decides sees where it is from.
	byAssistant  = "Proposed through an assistant: "
	defaultHours = 12
)

func (a *assistant) propose(ctx context.Context, in proposeArguments) (*mcp.Reply, error) {
	if strings.TrimSpace(in.Reason) == "" {
		return nil, errors.New("reason is missing: say why, because another person decides on it")
	}
	p, err := a.plan(ctx, in.changeArguments)
	if err != nil {
		return nil, err
	}
	hours := in.ExpiresInHours
	if hours == 0 {
		hours = defaultHours
	}
	p.input["reason"] = byAssistant + in.Reason
	answer, err := read[struct {
		Propose struct{ Proposal *proposal }
	}](ctx, a.session, proposeDocument, map[string]any{"input": map[string]any{p.mutation: p.input, "expiresIn": (time.Duration(hours) * time.Hour).String()}})
	if api.Code(err) == api.Conflict { // above all where the change needs no approval
		return a.describe(ctx, p, "Nothing was proposed or changed. The server answered: "+err.Error()+". This is how a person can "+p.what+".")
	}
	if err != nil {
		return nil, err
	}
	made := answer.Propose.Proposal
	if made == nil {
		return nil, errors.New("the server made no proposal and gave no reason")
	}
	reply := &mcp.Reply{Text: made.text(), Facts: made, Page: a.page("approvals", made.ID)}
	reply.Text = slices.Insert(reply.Text, 0, "Proposed. Nothing changes until another person approves it on the page.")
	if controls[in.Change].free {
		reply.Text = append(reply.Text, "It needs no approval: when it is urgent, a person makes it at once, with: "+p.command+` --reason "…"`)
	}
	return reply, nil
}

// text are the sentences about a proposal.
func (p *proposal) text() []string {
	text := []string{fmt.Sprintf("Proposal %s: %s. It is %s.", p.ID, mcp.Quote(p.Summary), enum(p.State))}
	for _, change := range p.Changes {
		text = append(text, "Change: "+mcp.Quote(change))
	}
	if p.Impact != nil {
		text = append(text, p.Impact.text()...)
	}
	return append(text, fmt.Sprintf("Proposed by %s at %s, expires at %s, reason %s.", mcp.Quote(p.CreatedBy), utc(p.CreatedAt), utc(p.ExpiresAt), mcp.Quote(p.Reason)))
}

func (a *assistant) listOfProposals(ctx context.Context, in struct {
	paging
	All bool `json:"all,omitempty" jsonschema:"also those that ended in the last 90 days"`
}) (*mcp.Reply, error) {
	answer, err := read[struct {
		Proposals struct {
			list
			Edges []struct {
				Cursor string
				Node   proposal
			}
		}
	}](ctx, a.session, `query($open: Boolean!, $first: Int!, $after: String) { proposals(open: $open, first: $first, after: $after) {
  edges { cursor node { `+proposalFields+` } }`+listFields+` } }`, in.variables(map[string]any{"open": !in.All}))
	if err != nil {
		return nil, err
	}
	rows := make([]mcp.Row, len(answer.Proposals.Edges))
	for i, edge := range answer.Proposals.Edges {
		rows[i] = mcp.Row{Cursor: edge.Cursor, Value: edge.Node, Text: strings.Join(edge.Node.text(), " ")}
	}
	reply := answer.Proposals.reply(rows, "leave out all")
	reply.Text = []string{"Proposals: " + reply.Total + "."}
	reply.Page = a.page("approvals")
	return reply, nil
}
