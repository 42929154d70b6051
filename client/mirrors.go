package client

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// upstream is a mirror: another update server whose channels are followed.
type upstream struct {
	ID          string            `json:"id"`
	Name        string            `json:"name"`
	Application named             `json:"application"`
	URL         string            `json:"url"`
	Interval    string            `json:"interval"`
	Enabled     bool              `json:"enabled"`
	URLTemplate string            `json:"urlTemplate"`
	Channels    []upstreamChannel `json:"channels"`
}

// upstreamChannel is a channel here that follows one of the upstream.
type upstreamChannel struct {
	ID      string `json:"id"`
	Channel struct {
		Name    string   `json:"name"`
		Arch    string   `json:"arch"`
		Package *version `json:"package"`
	} `json:"channel"`
	Track           string     `json:"track"`
	Mode            string     `json:"mode"`
	HostFiles       bool       `json:"hostFiles"`
	ExtraFiles      []string   `json:"extraFiles"`
	UpstreamVersion string     `json:"upstreamVersion"`
	Problem         string     `json:"problem"`
	LastError       string     `json:"lastError"`
	LastSuccessAt   *time.Time `json:"lastSuccessAt"`
	NextRunAt       time.Time  `json:"nextRunAt"`
}

const upstreamFields = `id name application { id name } url interval enabled urlTemplate channels {
  id track mode hostFiles extraFiles upstreamVersion problem lastError lastSuccessAt nextRunAt channel { name arch package { id version } } }`

func mirrorCommand(t Terminal) *cobra.Command {
	remove := t.command("remove NAME", "delete a mirror; what it imported stays", "", "  coreroller mirror remove hq",
		func(ctx context.Context, s *session, args []string) error { return s.removeMirror(ctx, args[0]) })
	run := t.command("run NAME", "ask the upstream of a mirror now", "", "  coreroller mirror run hq",
		func(ctx context.Context, s *session, args []string) error { return s.runMirror(ctx, args[0]) })
	list := t.command("list", "list mirrors with the state of their channels", "", "  coreroller mirror list",
		func(ctx context.Context, s *session, _ []string) error {
			all, err := s.upstreams(ctx)
			if err != nil {
				return err
			}
			return s.show(all, func() { s.listUpstreams(all) })
		})
	return parent("mirror", "follow the channels of another update server", list, addMirrorCommand(t), followFlatcarCommand(t), setMirrorCommand(t), run, mirrorRunsCommand(t), remove)
}

func (s *session) upstreams(ctx context.Context) ([]upstream, error) {
	answer, err := read[struct{ Upstreams []upstream }](ctx, s, `{ upstreams { `+upstreamFields+` } }`, nil)
	return answer.Upstreams, err
}

// findUpstream returns the mirror that a name or id means.
func (s *session) findUpstream(ctx context.Context, name string) (*upstream, error) {
	all, err := s.upstreams(ctx)
	if err != nil {
		return nil, err
	}
	var found *upstream
	names := make([]string, 0, len(all))
	for i := range all {
		names = append(names, all[i].Name)
		if all[i].ID == name || strings.EqualFold(all[i].Name, name) {
			if found != nil {
				return nil, usage("several mirrors are called %q: name one by its id", name)
			}
			found = &all[i]
		}
	}
	switch {
	case found != nil:
		return found, nil
	case len(all) == 0:
		return nil, fmt.Errorf("the server has no mirror; coreroller mirror add creates one")
	}
	return nil, fmt.Errorf("there is no mirror %q; there are: %s", name, strings.Join(names, ", "))
}

func (s *session) listUpstreams(all []upstream) {
	var rows [][]any
	for i := range all {
		up := &all[i]
		for j := range up.Channels {
			c := &up.Channels[j]
			here, state := "–", ink{"up to date", green}
			if c.Channel.Package != nil {
				here = c.Channel.Package.Version
			}
			switch {
			case !up.Enabled:
				state = ink{"off", ""}
			case c.LastError != "":
				state = ink{c.LastError, red}
			case c.Problem != "":
				state = ink{c.Problem, yellow}
			case c.LastSuccessAt == nil:
				state = ink{"not run yet", ""}
			case c.UpstreamVersion != here:
				state = ink{"waits for a person", yellow}
			}
			rows = append(rows, []any{up.Name, c.Channel.Name, c.Channel.Arch, enum(c.Mode), dash(c.UpstreamVersion), here, optional(c.LastSuccessAt), clock(c.NextRunAt), state})
		}
		if len(up.Channels) == 0 {
			rows = append(rows, []any{up.Name, "–", "–", "–", "–", "–", "–", "–", ink{"follows no channel", ""}})
		}
	}
	if len(rows) == 0 {
		s.line("No other update server is mirrored.")
		return
	}
	s.table([]string{"MIRROR", "CHANNEL", "ARCH", "MODE", "UPSTREAM", "THIS SERVER", "LAST SUCCESS", "NEXT RUN", "STATE"}, rows)
}

const modeHelp = "what happens with a new version: notify, import or promote"

// modeOf returns a mode as the API has it.
func modeOf(text string) (string, error) {
	mode := strings.ToUpper(text)
	if mode != "NOTIFY" && mode != "IMPORT" && mode != "PROMOTE" {
		return "", usage("--mode is %q: use notify, import or promote", text)
	}
	return mode, nil
}

func addMirrorCommand(t Terminal) *cobra.Command {
	var where scope
	var address, mode, template string
	var interval time.Duration
	var channels []string
	var keep keptFiles
	var cmd *cobra.Command
	cmd = t.command("add NAME", "follow channels of another update server", `
Follows channels of another update server. A second call with the same name adds further
channels. --channel takes the name of a channel here; write NAME=TRACK if the upstream
calls it otherwise.`,
		"  coreroller mirror add hq --url https://updates.example.com/v1/update/ --channel stable --arch amd64 --mode promote",
		func(ctx context.Context, s *session, args []string) error {
			if len(channels) == 0 {
				return usage("name the channels that follow by --channel")
			}
			mode, err := modeOf(mode)
			if err != nil {
				return err
			}
			following := map[string]any{"mode": mode}
			keep.changes(cmd, following)
			return s.addMirror(ctx, args[0], where, channels, following, map[string]any{"kind": "OMAHA", "url": address, "interval": seconds(interval), "urlTemplate": template})
		})
	where.flags(cmd)
	cmd.Flags().StringVar(&address, "url", "", "address of the Omaha endpoint of the upstream")
	cmd.Flags().StringSliceVar(&channels, "channel", nil, "channel that follows, or NAME=TRACK; can be repeated")
	cmd.Flags().StringVar(&mode, "mode", "import", modeHelp)
	cmd.Flags().DurationVar(&interval, "interval", 10*time.Minute, "time between two runs of a channel")
	cmd.Flags().StringVar(&template, "url-template", "{{UPSTREAM}}", "where machines fetch from: {{UPSTREAM}}, or a URL with {{ARCH}} and {{VERSION}}")
	keep.flags(cmd)
	return cmd
}

// seconds is a duration as the API writes it.
func seconds(d time.Duration) string { return fmt.Sprintf("PT%dS", d/time.Second) }

func (s *session) addMirror(ctx context.Context, name string, where scope, channels []string, following, in map[string]any) error {
	found := make([]place, len(channels))
	tracks := make([]string, len(channels))
	for i, text := range channels {
		own, track, _ := strings.Cut(text, "=")
		var err error
		if found[i], err = s.findChannel(ctx, own, where); err != nil {
			return err
		}
		tracks[i] = track
	}
	app := found[0].app
	all, err := s.upstreams(ctx)
	if err != nil {
		return err
	}
	var id string
	for i := range all {
		if all[i].Application.ID == app.ID && strings.EqualFold(all[i].Name, name) {
			id = all[i].ID
		}
	}
	if id == "" {
		in["applicationId"], in["name"] = app.ID, name
		made, err := read[struct {
			CreateUpstream struct{ Upstream *upstream }
		}](ctx, s, `mutation($in: CreateUpstreamInput!) { createUpstream(input: $in) { upstream { id } userErrors { code field message } } }`, map[string]any{"in": in})
		if err != nil {
			return err
		}
		id = made.CreateUpstream.Upstream.ID
	}
	for i, ch := range found {
		following["upstreamId"], following["channelId"], following["track"] = id, ch.ID, tracks[i]
		if err := s.mutate(ctx, change{mutation: "addUpstreamChannel", input: following}); err != nil {
			return fmt.Errorf("channel %s: %w", ch.path(), err)
		}
	}
	return s.showUpstream(ctx, id)
}

func (s *session) showUpstream(ctx context.Context, id string) error {
	up, err := s.findUpstream(ctx, id)
	if err != nil {
		return err
	}
	return s.show(up, func() { s.listUpstreams([]upstream{*up}) })
}

func followFlatcarCommand(t Terminal) *cobra.Command {
	var tracks, archs []string
	var mode string
	cmd := t.command("flatcar", "follow channels of the public Flatcar server", "",
		"  coreroller mirror flatcar\n  coreroller mirror flatcar --channel stable,lts-2024 --arch amd64 --mode promote",
		func(ctx context.Context, s *session, _ []string) error {
			mode, err := modeOf(mode)
			if err != nil {
				return err
			}
			in := map[string]any{"mode": mode, "tracks": tracks, "archs": archs}
			answer, err := read[struct {
				FollowFlatcar struct{ Upstream *upstream }
			}](ctx, s, `mutation($in: FollowFlatcarInput!) { followFlatcar(input: $in) { upstream { `+upstreamFields+` } userErrors { code field message } } }`, map[string]any{"in": in})
			if err != nil {
				return err
			}
			up := answer.FollowFlatcar.Upstream
			return s.show(up, func() { s.listUpstreams([]upstream{*up}) })
		})
	cmd.Flags().StringSliceVar(&tracks, "channel", []string{"stable", "beta", "alpha"}, "channels of the Flatcar server")
	cmd.Flags().StringSliceVar(&archs, "arch", []string{"amd64", "arm64"}, "architectures")
	cmd.Flags().StringVar(&mode, "mode", "import", modeHelp)
	return cmd
}

func (s *session) runMirror(ctx context.Context, name string) error {
	up, err := s.findUpstream(ctx, name)
	if err != nil {
		return err
	}
	_, err = read[struct{}](ctx, s, `mutation($in: RunUpstreamInput!) { runUpstream(input: $in) { userErrors { code field message } } }`, map[string]any{"in": map[string]any{"id": up.ID}})
	if err != nil {
		return err
	}
	return s.show(up, func() {
		s.line("%s The mirror %s runs; coreroller mirror runs has the result.", ink{"✓", green}, up.Name)
	})
}

func (s *session) removeMirror(ctx context.Context, name string) error {
	up, err := s.findUpstream(ctx, name)
	if err != nil {
		return err
	}
	_, err = read[struct{}](ctx, s, `mutation($in: DeleteUpstreamInput!) { deleteUpstream(input: $in) { userErrors { code field message } } }`, map[string]any{"in": map[string]any{"id": up.ID}})
	if err != nil {
		return err
	}
	return s.show(up, func() { s.line("%s The mirror %s was deleted. What it imported stays.", ink{"✓", green}, up.Name) })
}

// mirrorRun is one question to an upstream.
type mirrorRun struct {
	ID              string           `json:"id"`
	Upstream        *named           `json:"upstream"`
	UpstreamChannel *upstreamChannel `json:"upstreamChannel"`
	StartedAt       time.Time        `json:"startedAt"`
	EndedAt         time.Time        `json:"endedAt"`
	Outcome         string           `json:"outcome"`
	Changes         []string         `json:"changes"`
	Error           string           `json:"error"`
	Bytes           int64            `json:"bytes"`
}

func mirrorRunsCommand(t Terminal) *cobra.Command {
	var name string
	var all bool
	var limit int
	cmd := t.command("runs", "list the runs of mirrors that changed something or failed, newest first", "",
		"  coreroller mirror runs\n  coreroller mirror runs --mirror hq --all -o json",
		func(ctx context.Context, s *session, _ []string) error {
			variables := map[string]any{"first": limit, "notable": !all}
			if name != "" {
				up, err := s.findUpstream(ctx, name)
				if err != nil {
					return err
				}
				variables["id"] = up.ID
			}
			answer, err := read[struct {
				MirrorRuns struct{ Nodes []mirrorRun }
			}](ctx, s, `query($id: ID, $notable: Boolean, $first: Int) { mirrorRuns(upstreamId: $id, changedOrFailed: $notable, first: $first) { nodes {
  id startedAt endedAt outcome changes error bytes upstream { id name } upstreamChannel { id track channel { name arch } } } } }`, variables)
			if err != nil {
				return err
			}
			return s.show(answer.MirrorRuns.Nodes, func() { s.listRuns(answer.MirrorRuns.Nodes) })
		})
	cmd.Flags().StringVar(&name, "mirror", "", "only those of this mirror")
	cmd.Flags().BoolVar(&all, "all", false, "also those that changed nothing")
	limitFlag(cmd, &limit)
	return cmd
}

func (s *session) listRuns(all []mirrorRun) {
	if len(all) == 0 {
		s.line("No run changed something or failed.")
		return
	}
	styles := map[string]string{"CHANGED": green, "FAILED": red}
	rows := make([][]any, len(all))
	for i := range all {
		r := &all[i]
		mirror, channel := "–", "–"
		if r.Upstream != nil {
			mirror = r.Upstream.Name
		}
		if r.UpstreamChannel != nil {
			channel = r.UpstreamChannel.Channel.Name + " (" + r.UpstreamChannel.Channel.Arch + ")"
		}
		lines := r.Changes
		if r.Error != "" {
			lines = append(lines, r.Error)
		}
		rows[i] = []any{clock(r.EndedAt), mirror, channel, ink{enum(r.Outcome), styles[r.Outcome]}, dash(strings.Join(lines, "; "))}
	}
	s.table([]string{"TIME", "MIRROR", "CHANNEL", "OUTCOME", "WHAT"}, rows)
}
