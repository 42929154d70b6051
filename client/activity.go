package client

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// activity is an entry of the activity log.
type activity struct {
	ID              string    `json:"id"`
	At              time.Time `json:"at"`
	Kind            string    `json:"kind"`
	Severity        string    `json:"severity"`
	ApplicationName string    `json:"applicationName"`
	GroupName       string    `json:"groupName"`
	ChannelName     string    `json:"channelName"`
	MachineID       string    `json:"machineId"`
	Version         string    `json:"version"`
	Code            int       `json:"code"`
	Description     string    `json:"description"`
	Actor           string    `json:"actor"`
	Detail          string    `json:"detail"`
}

const activityFields = `id at kind severity applicationName groupName channelName machineId version code description actor detail`

// activityFilter are the conditions of `coreroller activity`.
type activityFilter struct {
	where                     scope
	group, text, since, until string
	kinds, severities         []string
}

func activityCommand(t Terminal) *cobra.Command {
	var f activityFilter
	var limit int
	var follow bool
	cmd := t.command("activity", "list what happened in the fleet, newest last", `
Lists the newest activity, the newest entry at the end. With --follow it prints new entries as they
happen, until it is interrupted; -o json then prints one entry on each line.`,
		"  coreroller activity --group production --since 24h\n  coreroller activity --severity warning,error --follow",
		func(ctx context.Context, s *session, _ []string) error {
			filter, err := f.input(ctx, s)
			if err != nil {
				return err
			}
			if follow {
				return untilInterrupted(ctx, s.followActivity(ctx, filter))
			}
			answer, err := read[struct{ Activities struct{ Nodes []activity } }](ctx, s,
				`query($filter: ActivityFilter!, $first: Int!) { activities(filter: $filter, first: $first) { nodes { `+activityFields+` } } }`,
				map[string]any{"filter": filter, "first": limit})
			if err != nil {
				return err
			}
			all := answer.Activities.Nodes
			slices.Reverse(all)
			return s.show(all, func() {
				for _, a := range all {
					s.activity(a)
				}
			})
		})
	f.where.flags(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.group, "group", "", "name or id of the group")
	flags.StringSliceVar(&f.kinds, "kind", nil, "what happened, such as rollout-halted or machine-failed; may be repeated")
	flags.StringSliceVar(&f.severities, "severity", nil, "success, info, warning or error; may be repeated")
	flags.StringVar(&f.text, "text", "", "text in a name, the version, the user or the detail")
	flags.StringVar(&f.since, "since", "", "from a time, or a duration such as 24h ago")
	flags.StringVar(&f.until, "until", "", "before a time, or a duration ago")
	flags.BoolVar(&follow, "follow", false, "print new entries as they happen")
	limitFlag(cmd, &limit)
	return cmd
}

func (f *activityFilter) input(ctx context.Context, s *session) (map[string]any, error) {
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
	put(filter, "text", f.text)
	for name, text := range map[string]string{"since": f.since, "until": f.until} {
		if text == "" {
			continue
		}
		at, err := moment(text)
		if err != nil {
			return nil, err
		}
		filter[name] = at
	}
	if len(f.kinds) > 0 {
		filter["kinds"] = enums(f.kinds)
	}
	if len(f.severities) > 0 {
		filter["severities"] = enums(f.severities)
	}
	return filter, nil
}

// followActivity prints new entries.
func (s *session) followActivity(ctx context.Context, filter map[string]any) error {
	return s.eachActivity(ctx, filter, s.lost, func(a activity) error {
		return s.followed(a, func() { s.activity(a) })
	})
}

// eachActivity calls receive with each new entry once, also after the connection was lost:
// later entries have higher ids.
func (s *session) eachActivity(ctx context.Context, filter map[string]any, lost func(error), receive func(activity) error) error {
	last := ""
	return s.Follow(ctx, `subscription($filter: ActivityFilter!) { activityAdded(filter: $filter) { activities { `+activityFields+` } } }`,
		map[string]any{"filter": filter}, lost, func(data json.RawMessage) error {
			var message struct {
				ActivityAdded struct{ Activities []activity }
			}
			if err := json.Unmarshal(data, &message); err != nil {
				return err
			}
			added := message.ActivityAdded.Activities
			slices.Reverse(added)
			for _, a := range added {
				if a.ID <= last {
					continue
				}
				last = a.ID
				if err := receive(a); err != nil {
					return err
				}
			}
			return nil
		})
}

// followed prints one message of a subscription: JSON takes one line.
func (s *session) followed(value any, text func()) error {
	if s.format != "json" {
		if s.format == "yaml" {
			s.line("---")
		}
		return s.show(value, text)
	}
	return json.NewEncoder(s.out).Encode(value)
}

// lost reports a lost connection. The subscription is made again.
func (s *session) lost(err error) {
	_, _ = fmt.Fprintf(s.terminal.Stderr, "coreroller: %s connection lost, trying again: %s\n", clock(time.Now()), clean(err.Error()))
}

var severityStyles = map[string]string{"SUCCESS": green, "WARNING": yellow, "ERROR": red}

func (s *session) activity(a activity) {
	parts := []string{joined("/", a.ApplicationName, a.GroupName, a.ChannelName, a.MachineID), a.Version, a.Description, a.Detail}
	if a.Code != 0 {
		parts = append(parts, fmt.Sprintf("code %d", a.Code))
	}
	if a.Actor != "" {
		parts = append(parts, "by "+a.Actor)
	}
	s.line("%s  %s  %s", ink{clock(a.At), dim}, ink{enum(a.Kind), severityStyles[a.Severity]}, joined(", ", parts...))
}

// joined joins the texts that are not empty.
func joined(separator string, parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(part string) bool { return part == "" }), separator)
}
