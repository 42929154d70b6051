package client

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/coreroller/coreroller/client/mcp"
)

func (a *assistant) groups(ctx context.Context, in struct {
	where
	paging
	States []string `json:"states,omitempty" jsonschema:"only groups in one of these states: no_package, up_to_date, incomplete, rolling_out, stalled, paused, halted"`
}) (*mcp.Reply, error) {
	all, err := a.listOfGroups(ctx, in.scope())
	if err != nil {
		return nil, err
	}
	wanted := " " + strings.Join(enums(in.States), " ") + " "
	var rows []mcp.Row
	for _, g := range all {
		if len(in.States) > 0 && !strings.Contains(wanted, " "+g.State+" ") {
			continue
		}
		target, channel := "no target", "no channel"
		if g.Rollout != nil {
			target = "target " + mcp.Quote(g.Rollout.Version)
		}
		if g.Channel != nil {
			channel = "channel " + mcp.Quote(g.Channel.Name)
		}
		n := g.Numbers
		rows = append(rows, mcp.Row{Value: g, Text: fmt.Sprintf("%s (%s): %s, %s, %s, %s of %s active machines on target, %s in flight, %s wait, %s failed",
			mcp.Quote(g.Application+"/"+g.Name), g.Arch, enum(g.State), channel, target,
			count(n.OnTarget+n.AboveTarget), count(n.Active), count(n.InFlight), count(n.Waiting), count(n.Failed))})
	}
	reply, err := in.part(rows)
	if err != nil {
		return nil, err
	}
	reply.Text = []string{several(len(rows), "group") + "."}
	reply.Page, reply.Hint = a.page(), "add an application, arch or states"
	return reply, nil
}

func (a *assistant) channels(ctx context.Context, in struct {
	where
	paging
}) (*mcp.Reply, error) {
	all, err := a.listOfChannels(ctx, in.scope())
	if err != nil {
		return nil, err
	}
	rows := make([]mcp.Row, len(all))
	for i, c := range all {
		text := mcp.Quote(c.Application+"/"+c.Name) + " (" + c.Arch + ") offers "
		if c.Package == nil {
			text += "no package"
		} else {
			text += mcp.Quote(c.Package.Version)
		}
		if c.PromotedAt != nil {
			text += ", since " + utc(*c.PromotedAt) + " by " + mcp.Quote(c.PromotedBy)
		}
		rows[i] = mcp.Row{Value: c, Text: text + ", " + several(len(c.Groups), "group")}
	}
	reply, err := in.part(rows)
	if err != nil {
		return nil, err
	}
	reply.Text = []string{several(len(rows), "channel") + "."}
	reply.Page, reply.Hint = a.page(), "add an application or arch"
	return reply, nil
}

// groupArguments name one group.
type groupArguments struct {
	where
	Group string `json:"group" jsonschema:"name or id of the group, or application/name"`
}

const rolloutDocument = `query($id: ID!) { group(id: $id) { policySentence policyWarnings ` + progressFields + ` } }`

func (a *assistant) rollout(ctx context.Context, in groupArguments) (*mcp.Reply, error) {
	group, err := a.findGroup(ctx, in.Group, in.scope())
	if err != nil {
		return nil, err
	}
	answer, err := read[struct {
		Group *struct {
			progress
			PolicySentence string   `json:"policySentence"`
			PolicyWarnings []string `json:"policyWarnings"`
		}
	}](ctx, a.session, rolloutDocument, map[string]any{"id": group.ID})
	if err != nil {
		return nil, err
	}
	if answer.Group == nil {
		return nil, fmt.Errorf("group %s was deleted", group.path())
	}
	g := answer.Group
	text := append(a.progressText(&g.progress), "Policy: "+g.PolicySentence)
	for _, warning := range g.PolicyWarnings {
		text = append(text, "Policy warning: "+warning)
	}
	return &mcp.Reply{Text: text, Facts: g, Page: a.page("apps", group.app.ID, "groups", group.ID)}, nil
}

// progressText are the sentences about a group.
func (a *assistant) progressText(g *progress) []string {
	n := g.Numbers
	text := []string{
		fmt.Sprintf("Group %s (%s): %s.", mcp.Quote(g.Application.Name+"/"+g.Name), g.Arch, enum(g.State)),
		fmt.Sprintf("%s, %s active: %s on target, %s above it, %s in flight (limit %s), %s wait, %s failed, %s quarantined, %s silent, %s held or pinned.",
			several(n.Total, "machine"), count(n.Active), count(n.OnTarget), count(n.AboveTarget), count(n.InFlight), count(n.ConcurrencyLimit), count(n.Waiting),
			count(n.Failed), count(n.Quarantined), count(n.Silent), count(n.Overridden)),
	}
	if g.Pause != nil {
		text = append(text, "Paused by "+mcp.Quote(g.Pause.By)+", reason "+mcp.Quote(g.Pause.Reason)+".")
	}
	if g.CurrentHold != nil {
		text = append(text, "The next check would be held: "+g.CurrentHold.Sentence+until(g.CurrentHold.Until))
	}
	for _, held := range n.HeldByReason {
		text = append(text, several(held.Machines, "machine")+" held by the rule "+enum(held.Reason)+".")
	}
	r := g.Rollout
	if r == nil {
		return append(text, "It has no rollout: its channel has no package.")
	}
	text = append(text, fmt.Sprintf("Rollout of %s: %s, %s granted, %s succeeded, %s failed, %s.", mcp.Quote(r.Version), enum(r.State),
		count(r.Attempts.Granted), count(r.Attempts.Succeeded), count(r.Attempts.Failed), began(r)))
	for _, w := range r.Waves {
		text = append(text, fmt.Sprintf("Wave %d, to %.4g %% of the machines, %d canaries%s: %s, %s granted, %s succeeded, %s failed.", w.Position, w.Share*100,
			len(w.Canaries), selected(w.Expression), enum(w.State), count(w.Attempts.Granted), count(w.Attempts.Succeeded), count(w.Attempts.Failed)))
	}
	if r.Halt != nil {
		text = append(text, "Halted: "+r.Halt.Sentence)
	}
	if r.Stall != nil {
		text = append(text, "Stalled: "+r.Stall.Cause+"; what to do: "+r.Stall.Action)
	}
	if r.ProjectedEnd != nil {
		text = append(text, "Forecast: it ends at "+utc(*r.ProjectedEnd)+" at the present pace.")
	}
	return text
}

func began(r *rollout) string {
	switch {
	case r.CreatedAt == nil:
		return "not begun"
	case r.EndedAt == nil:
		return "since " + utc(*r.CreatedAt)
	default:
		return "from " + utc(*r.CreatedAt) + " to " + utc(*r.EndedAt)
	}
}

func (a *assistant) simulate(ctx context.Context, in struct {
	groupArguments
	Version      string  `json:"version,omitempty" jsonschema:"target version; default: what the channel offers"`
	FailureShare float64 `json:"failureShare,omitempty" jsonschema:"assumed share of attempts that fail, from 0 to 1"`
	SilentShare  float64 `json:"silentShare,omitempty" jsonschema:"assumed share of machines that send nothing after their grant, from 0 to 1"`
	FromStart    bool    `json:"fromStart,omitempty" jsonschema:"true simulates the rollout from its start"`
}) (*mcp.Reply, error) {
	group, err := a.findGroup(ctx, in.Group, in.scope())
	if err != nil {
		return nil, err
	}
	input := map[string]any{"groupId": group.ID, "failureShare": in.FailureShare, "silentShare": in.SilentShare, "fromStart": in.FromStart}
	if in.Version != "" {
		if input["packageId"], err = a.findPackage(ctx, group.app, group.Arch, in.Version); err != nil {
			return nil, err
		}
	}
	answer, err := read[struct {
		SimulateRollout struct {
			FinalState     string     `json:"finalState"`
			Sentence       string     `json:"sentence"`
			ProjectedEnd   *time.Time `json:"projectedEnd"`
			CheckInterval  string     `json:"checkInterval"`
			UpdateDuration string     `json:"updateDuration"`
			Scale          int        `json:"scale"`
			NotUpdated     []struct {
				Reason   string `json:"reason"`
				Machines int    `json:"machines"`
			} `json:"notUpdated"`
		}
	}](ctx, a.session, `query($input: SimulateRolloutInput!) { simulateRollout(input: $input) {
  finalState sentence projectedEnd checkInterval updateDuration scale notUpdated { reason machines } } }`, map[string]any{"input": input})
	if err != nil {
		return nil, err
	}
	r := answer.SimulateRollout
	text := []string{"Forecast: " + r.Sentence, fmt.Sprintf("Assumed: %s between checks, %s for an update.", r.CheckInterval, r.UpdateDuration)}
	if r.ProjectedEnd != nil {
		text = append(text, "It would end at "+utc(*r.ProjectedEnd)+".")
	}
	for _, n := range r.NotUpdated {
		text = append(text, several(n.Machines, "machine")+" would not be updated: "+enum(n.Reason)+".")
	}
	return &mcp.Reply{Text: text, Facts: r, Page: a.page("apps", group.app.ID, "groups", group.ID, "policy")}, nil
}

// selected names the machines of a wave's expression, "" for none.
func selected(expression string) string {
	if expression == "" {
		return ""
	}
	return " and the machines where " + mcp.Quote(expression)
}
