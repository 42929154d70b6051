package client

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// groupRow is a group in a list.
type groupRow struct {
	ID          string `json:"id"`
	Application string `json:"application"`
	Name        string `json:"name"`
	Arch        string `json:"arch"`
	Track       string `json:"track"`
	State       string `json:"state"`
	Channel     *named `json:"channel"`
	Numbers     counts `json:"numbers"`
	Rollout     *struct {
		Version string `json:"version"`
		State   string `json:"state"`
	} `json:"rollout"`
}

const groupRowFields = `id name arch track state channel { id name } numbers { total active onTarget aboveTarget inFlight waiting failed } rollout { version state }`

func groupsCommand(t Terminal) *cobra.Command {
	var where scope
	cmd := t.command("groups", "list groups with their state and machines", "",
		"  coreroller groups\n  coreroller groups --app \"Flatcar Container Linux\" --arch amd64 -o json",
		func(ctx context.Context, s *session, _ []string) error {
			all, err := s.listOfGroups(ctx, where)
			if err != nil {
				return err
			}
			return s.show(all, func() { s.listGroups(all) })
		})
	where.flags(cmd)
	return cmd
}

// listOfGroups reads the groups of a scope.
func (s *session) listOfGroups(ctx context.Context, where scope) ([]groupRow, error) {
	answer, err := read[struct {
		Applications []struct {
			application
			Groups []groupRow `json:"groups"`
		}
	}](ctx, s, `{ applications { id name productId groups { `+groupRowFields+` } } }`, nil)
	all := []groupRow{}
	for _, app := range answer.Applications {
		for _, g := range app.Groups {
			g.Application = app.Name
			if where.has(&app.application, g.Arch) {
				all = append(all, g)
			}
		}
	}
	return all, err
}

// has reports whether an application and an architecture are in the scope.
func (c scope) has(app *application, arch string) bool {
	return (c.app == "" || app.is(c.app)) && (c.arch == "" || c.arch == arch)
}

// stateStyles colours the states that need attention, as the page does.
var stateStyles = map[string]string{
	"HALTED": red, "STALLED": yellow, "PAUSED": yellow, "INCOMPLETE": yellow, "ROLLING_OUT": blue, "UP_TO_DATE": green, "COMPLETED": green, "ACTIVE": blue,
}

func (s *session) listGroups(all []groupRow) {
	rows := make([][]any, len(all))
	for i, g := range all {
		target, channel := "–", "–"
		if g.Rollout != nil {
			target = g.Rollout.Version
		}
		if g.Channel != nil {
			channel = g.Channel.Name
		}
		rows[i] = []any{
			g.Application, g.Name, g.Arch, channel, target, ink{enum(g.State), stateStyles[g.State]},
			count(g.Numbers.OnTarget+g.Numbers.AboveTarget) + " of " + count(g.Numbers.Active), count(g.Numbers.InFlight), count(g.Numbers.Failed),
		}
	}
	s.table([]string{"APPLICATION", "GROUP", "ARCH", "CHANNEL", "TARGET", "STATE", "ON TARGET", "IN FLIGHT", "FAILED"}, rows)
}

// channelRow is a channel in a list.
type channelRow struct {
	ID          string     `json:"id"`
	Application string     `json:"application"`
	Name        string     `json:"name"`
	Arch        string     `json:"arch"`
	Package     *version   `json:"package"`
	PromotedAt  *time.Time `json:"promotedAt"`
	PromotedBy  string     `json:"promotedBy"`
	Groups      []named    `json:"groups"`
}

// version is a package of which only the version matters.
type version struct {
	ID      string `json:"id"`
	Version string `json:"version"`
}

func channelsCommand(t Terminal) *cobra.Command {
	var where scope
	cmd := t.command("channels", "list channels with the packages that they offer", "",
		"  coreroller channels --app io.example.agent",
		func(ctx context.Context, s *session, _ []string) error {
			all, err := s.listOfChannels(ctx, where)
			if err != nil {
				return err
			}
			return s.show(all, func() {
				rows := make([][]any, len(all))
				for i, c := range all {
					offered := "–"
					if c.Package != nil {
						offered = c.Package.Version
					}
					rows[i] = []any{c.Application, c.Name, c.Arch, offered, optional(c.PromotedAt), dash(c.PromotedBy), len(c.Groups)}
				}
				s.table([]string{"APPLICATION", "CHANNEL", "ARCH", "PACKAGE", "PROMOTED", "BY", "GROUPS"}, rows)
			})
		})
	where.flags(cmd)
	return cmd
}

// listOfChannels reads the channels of a scope.
func (s *session) listOfChannels(ctx context.Context, where scope) ([]channelRow, error) {
	answer, err := read[struct {
		Applications []struct {
			application
			Channels []channelRow `json:"channels"`
		}
	}](ctx, s, `{ applications { id name productId channels { id name arch promotedAt promotedBy package { id version } groups { id name } } } }`, nil)
	all := []channelRow{}
	for _, app := range answer.Applications {
		for _, c := range app.Channels {
			c.Application = app.Name
			if where.has(&app.application, c.Arch) {
				all = append(all, c)
			}
		}
	}
	return all, err
}

// machineRow is a machine in a list.
type machineRow struct {
	ID          string    `json:"id"`
	MachineID   string    `json:"machineId"`
	Alias       string    `json:"alias"`
	Application named     `json:"application"`
	Group       *named    `json:"group"`
	Version     string    `json:"version"`
	State       string    `json:"state"`
	Standing    string    `json:"standing"`
	Reason      string    `json:"reason"`
	Decision    string    `json:"decision"`
	Address     string    `json:"address"`
	LastSeenAt  time.Time `json:"lastSeenAt"`
}

const machineFields = `id machineId alias application { id name } group { id name } version state standing reason decision address lastSeenAt`

// machinesPage is the answer with a page of machines.
type machinesPage struct {
	Instances struct {
		Nodes      []machineRow
		TotalCount int
		Exact      bool
		PageInfo   struct {
			HasNextPage bool
			EndCursor   string
		}
	}
}

const machinesDocument = `query($filter: InstanceFilter!, $first: Int!, $after: String) { instances(filter: $filter, first: $first, after: $after) {
  nodes { ` + machineFields + ` } totalCount exact: totalCountIsExact pageInfo { hasNextPage endCursor } } }`

// machineFilter are the conditions of `coreroller machines`.
type machineFilter struct {
	where                                           scope
	group, search, oem, seenAfter, seenBefore       string
	states, versions, standings, reasons, countedAs []string
	attributes, tags                                []string
}

func machinesCommand(t Terminal) *cobra.Command {
	var f machineFilter
	var limit int
	cmd := t.command("machines", "list machines, filtered as on the page", `
Lists machines that meet all conditions. A flag that is repeated matches any of its values, except --attribute
and --tag.`,
		"  coreroller machines --group production --state error\n  coreroller machines --group production --reason quarantined --limit 0 -o json\n"+
			"  coreroller machines --attribute rack=3 --tag canary\n  coreroller machines --search web-04 --seen-before 24h",
		func(ctx context.Context, s *session, _ []string) error {
			filter, err := f.input(ctx, s)
			if err != nil {
				return err
			}
			return s.listMachines(ctx, filter, limit)
		})
	f.where.flags(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.group, "group", "", "name or id of the group")
	flags.StringSliceVar(&f.states, "state", nil, "progress of the update, such as downloading, error or on-hold")
	flags.StringSliceVar(&f.versions, "version", nil, "version that the machine runs")
	flags.StringSliceVar(&f.standings, "standing", nil, "active, silent, overridden or quarantined")
	flags.StringSliceVar(&f.reasons, "reason", nil, "rule that decided the last check, such as outside-window")
	flags.StringSliceVar(&f.countedAs, "counted-as", nil, "count of the group, such as waiting, failed or bad-version")
	flags.StringVar(&f.oem, "oem", "", "platform, such as ami")
	flags.StringArrayVar(&f.attributes, "attribute", nil, "attribute with a value, such as rack=3; all that are given must match")
	flags.StringSliceVar(&f.tags, "tag", nil, "tag; all that are given must match")
	flags.StringVar(&f.search, "search", "", "machine id, alias or address begins with this text")
	flags.StringVar(&f.seenAfter, "seen-after", "", "last seen at or after a time, or within a duration such as 1h")
	flags.StringVar(&f.seenBefore, "seen-before", "", "last seen before a time, or longer ago than a duration such as 24h")
	flags.IntVar(&limit, "limit", 50, "most machines; 0 for all")
	return cmd
}

// input returns the filter of the API.
func (f *machineFilter) input(ctx context.Context, s *session) (map[string]any, error) {
	filter := map[string]any{}
	if f.group != "" {
		group, err := s.findGroup(ctx, f.group, f.where)
		if err != nil {
			return nil, err
		}
		filter["groupId"] = group.ID
	} else if f.where.app != "" {
		app, err := s.findApplication(ctx, f.where.app)
		if err != nil {
			return nil, err
		}
		filter["applicationId"] = app.ID
	}
	if f.where.arch != "" && f.group == "" {
		return nil, usage("--arch only chooses among groups: name one by --group")
	}
	put(filter, "search", f.search)
	put(filter, "oem", f.oem)
	if len(f.tags) > 0 {
		filter["tags"] = f.tags
	}
	var attributes []map[string]any
	for _, text := range f.attributes {
		name, value, ok := strings.Cut(text, "=")
		if !ok || name == "" || value == "" {
			return nil, usage("--attribute %q must be a name and a value, such as rack=3", text)
		}
		attributes = append(attributes, map[string]any{"name": name, "value": value})
	}
	if attributes != nil {
		filter["attributes"] = attributes
	}
	if len(f.versions) > 0 {
		filter["versions"] = f.versions
	}
	for name, values := range map[string][]string{"states": f.states, "standings": f.standings, "reasons": f.reasons, "countedAs": f.countedAs} {
		if len(values) > 0 {
			filter[name] = enums(values)
		}
	}
	for name, text := range map[string]string{"seenAfter": f.seenAfter, "seenBefore": f.seenBefore} {
		if text == "" {
			continue
		}
		at, err := moment(text)
		if err != nil {
			return nil, err
		}
		filter[name] = at
	}
	return filter, nil
}

func enums(values []string) []string {
	all := make([]string, len(values))
	for i, value := range values {
		all[i] = enumInput(value)
	}
	return all
}

// moment reads a time, or a duration before now.
func moment(text string) (time.Time, error) {
	if ago, err := time.ParseDuration(text); err == nil {
		return time.Now().Add(-ago), nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02 15:04", "2006-01-02"} {
		if at, err := time.ParseInLocation(layout, text, time.Local); err == nil {
			return at, nil
		}
	}
	return time.Time{}, usage("%q is no time: use a duration such as 24h, a date such as 2026-11-23, or 2026-11-23T14:02:05Z", text)
}

// largestPage is the API's limit for one page.
const largestPage = 500

func (s *session) listMachines(ctx context.Context, filter map[string]any, limit int) error {
	all, variables := []machineRow{}, map[string]any{"filter": filter}
	for {
		variables["first"] = largestPage
		if limit > 0 {
			variables["first"] = min(largestPage, limit-len(all))
		}
		page, err := read[machinesPage](ctx, s, machinesDocument, variables)
		if err != nil {
			return err
		}
		all = append(all, page.Instances.Nodes...)
		if page.Instances.PageInfo.HasNextPage && (limit <= 0 || len(all) < limit) {
			variables["after"] = page.Instances.PageInfo.EndCursor
			continue
		}
		return s.show(all, func() {
			s.machineTable(all)
			if page.Instances.PageInfo.HasNextPage {
				total := count(page.Instances.TotalCount)
				if !page.Instances.Exact {
					total = "more than " + total
				}
				s.line("%s", ink{count(len(all)) + " of " + total + " machines; --limit 0 lists all", dim})
			}
		})
	}
}

func (s *session) machineTable(all []machineRow) {
	if len(all) == 0 {
		s.line("No machine matches.")
		return
	}
	aliases := slices.ContainsFunc(all, func(m machineRow) bool { return m.Alias != "" })
	header := []string{"MACHINE", "GROUP", "VERSION", "STATE", "LAST SEEN", "DECISION"}
	if aliases {
		header = slices.Insert(header, 1, "ALIAS")
	}
	rows := make([][]any, len(all))
	for i, m := range all {
		group := "–"
		if m.Group != nil {
			group = m.Application.Name + "/" + m.Group.Name
		}
		state := ink{text: enum(m.State)}
		if m.State == "ERROR" {
			state.style = red
		}
		rows[i] = []any{m.MachineID, group, dash(m.Version), state, clock(m.LastSeenAt), dash(m.Decision)}
		if aliases {
			rows[i] = slices.Insert(rows[i], 1, any(dash(m.Alias)))
		}
	}
	s.table(header, rows)
}
