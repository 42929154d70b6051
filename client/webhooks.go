package client

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// notifier is a receiver of messages about activities.
type notifier struct {
	ID              string     `json:"id"`
	Name            string     `json:"name"`
	Kind            string     `json:"kind"`
	URL             string     `json:"url"`
	Addresses       []string   `json:"addresses"`
	Kinds           []string   `json:"kinds"`
	MinSeverity     string     `json:"minSeverity"`
	ApplicationIDs  []string   `json:"applicationIds"`
	GroupIDs        []string   `json:"groupIds"`
	Digest          string     `json:"digest"`
	QuietFrom       string     `json:"quietFrom"`
	QuietUntil      string     `json:"quietUntil"`
	Timezone        string     `json:"timezone"`
	Enabled         bool       `json:"enabled"`
	DisabledBecause string     `json:"disabledBecause"`
	SentAt          *time.Time `json:"sentAt"`
	FailingSince    *time.Time `json:"failingSince"`
	LastError       string     `json:"lastError"`
	LastDay         struct {
		Total     int `json:"total"`
		Delivered int `json:"delivered"`
		Waiting   int `json:"waiting"`
		Failed    int `json:"failed"`
	} `json:"lastDay"`
}

// delivery is one message of a notifier.
type delivery struct {
	ID        string     `json:"id"`
	Type      string     `json:"type"`
	Summary   string     `json:"summary"`
	State     string     `json:"state"`
	Attempts  int        `json:"attempts"`
	CreatedAt time.Time  `json:"createdAt"`
	NextAt    *time.Time `json:"nextAt"`
	Request   string     `json:"request"`
	Response  string     `json:"response"`
	Log       []struct {
		At     time.Time `json:"at"`
		Class  *string   `json:"class"`
		Status int       `json:"status"`
		Error  string    `json:"error"`
	} `json:"log"`
}

const (
	notifierFields = `id name kind url addresses kinds minSeverity applicationIds groupIds digest quietFrom quietUntil timezone enabled disabledBecause
  sentAt failingSince lastError lastDay { total delivered waiting failed }`
	deliveryFields = `id type summary state attempts createdAt nextAt request response log { at class status error }`
)

// receiver names where a notifier sends.
func (n *notifier) receiver() string {
	if n.Kind == "MAIL" {
		return strings.Join(n.Addresses, ", ")
	}
	return n.URL
}

func webhooksCommand(t Terminal) *cobra.Command {
	list := t.command("list", "list the notifiers of your teams", "", "  coreroller webhook list\n  coreroller webhook list -o json",
		func(ctx context.Context, s *session, _ []string) error { return s.listNotifiers(ctx) })
	test := t.command("test NAME", "send a test message and show the answer", "", "  coreroller webhook test ops-channel",
		func(ctx context.Context, s *session, args []string) error { return s.testNotifier(ctx, args[0]) })
	return parent("webhook", "send messages about activities to webhooks, Slack, Alertmanager and mail",
		list, createNotifierCommand(t), test, deliveriesCommand(t), redeliverCommand(t), deleteNotifierCommand(t))
}

func (s *session) notifiers(ctx context.Context) ([]notifier, error) {
	answer, err := read[struct{ Notifiers []notifier }](ctx, s, `{ notifiers { `+notifierFields+` } }`, nil)
	return answer.Notifiers, err
}

// findNotifier returns a notifier by its name or id.
func (s *session) findNotifier(ctx context.Context, name string) (*notifier, error) {
	all, err := s.notifiers(ctx)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(all))
	for i := range all {
		if all[i].ID == name || all[i].Name == name {
			return &all[i], nil
		}
		names[i] = all[i].Name
	}
	return nil, fmt.Errorf("there is no notifier %q; there are: %s", name, dash(strings.Join(names, ", ")))
}

func (s *session) listNotifiers(ctx context.Context) error {
	all, err := s.notifiers(ctx)
	if err != nil {
		return err
	}
	return s.show(all, func() {
		if len(all) == 0 {
			s.line("There are no notifiers. Make one with coreroller webhook create.")
			return
		}
		rows := make([][]any, len(all))
		for i, n := range all {
			state := ink{"working", green}
			switch {
			case !n.Enabled:
				state = ink{"disabled", yellow}
				if n.DisabledBecause != "" {
					state = ink{"disabled: " + n.DisabledBecause, red}
				}
			case n.FailingSince != nil:
				state = ink{"failing: " + n.LastError, red}
			}
			rows[i] = []any{n.Name, enum(n.Kind), n.receiver(), state, fmt.Sprintf("%d of %d", n.LastDay.Delivered, n.LastDay.Total), optional(n.SentAt)}
		}
		s.table([]string{"NAME", "KIND", "RECEIVER", "STATE", "DELIVERED, 24 H", "LAST"}, rows)
	})
}

// newNotifier are the flags of `coreroller webhook create`.
type newNotifier struct {
	kind, url, urlFile, authorizationFile, severity string
	addresses, activities, apps, groups             []string
	digest                                          time.Duration
	quietFrom, quietUntil, timezone, reason         string
}

func createNotifierCommand(t Terminal) *cobra.Command {
	var in newNotifier
	cmd := t.command("create NAME", "make a notifier", `
Makes a notifier and prints the secret of a webhook once. What is secret is read from
files, because other users of this machine can see a command line.`,
		"  coreroller webhook create tracker --url https://cmdb.example.com/hooks/roller\n"+
			"  coreroller webhook create ops --kind slack --url-file slack-url.txt --activity rollout-halted,rollout-stalled\n"+
			"  coreroller webhook create alerts --kind alertmanager --url http://alerts.example.com:9093\n"+
			"  coreroller webhook create mail --kind mail --to ops@example.com --digest 1h --quiet-from 22:00 --quiet-until 06:00 --timezone Europe/Lisbon",
		func(ctx context.Context, s *session, args []string) error { return s.createNotifier(ctx, args[0], in) })
	f := cmd.Flags()
	f.StringVar(&in.kind, "kind", "webhook", "webhook, slack, alertmanager or mail")
	f.StringVar(&in.url, "url", "", "URL of the receiver; of Alertmanager without /api/v2")
	f.StringVar(&in.urlFile, "url-file", "", "file with the URL instead, such as that of Slack, which is a secret")
	f.StringVar(&in.authorizationFile, "authorization-file", "", "file with the value of the Authorization header, such as \"Bearer …\"")
	f.StringSliceVar(&in.addresses, "to", nil, "recipients of mail")
	f.StringSliceVar(&in.activities, "activity", nil, "kinds of activity, such as rollout-halted; default: all but those of single machines")
	f.StringVar(&in.severity, "min-severity", "success", "success, info, warning or error")
	f.StringSliceVar(&in.apps, "app", nil, "only about these applications, by name or id")
	f.StringSliceVar(&in.groups, "group", nil, "only about these groups, by name or id")
	f.DurationVar(&in.digest, "digest", 0, "time between two messages with all that happened; halts and stalls are sent at once")
	f.StringVar(&in.quietFrom, "quiet-from", "", "time of day at which the quiet hours begin, such as 22:00")
	f.StringVar(&in.quietUntil, "quiet-until", "", "time of day at which they end, such as 06:00")
	f.StringVar(&in.timezone, "timezone", "UTC", "time zone of the quiet hours, such as Europe/Lisbon")
	reasonFlag(cmd, &in.reason)
	return cmd
}

func (s *session) createNotifier(ctx context.Context, name string, in newNotifier) error {
	input := map[string]any{
		"name": name, "kind": enumInput(in.kind), "url": in.url, "minSeverity": enumInput(in.severity), "digest": in.digest.String(),
		"quietFrom": in.quietFrom, "quietUntil": in.quietUntil, "timezone": in.timezone, "reason": in.reason,
	}
	for key, path := range map[string]string{"url": in.urlFile, "authorization": in.authorizationFile} {
		if path == "" {
			continue
		}
		text, err := os.ReadFile(path) //nolint:gosec // G304: the user names the file
		if err != nil {
			return err
		}
		input[key] = strings.TrimSpace(string(text))
	}
	if len(in.addresses) > 0 {
		input["addresses"] = in.addresses
	}
	if len(in.activities) > 0 {
		input["kinds"] = enumInputs(in.activities)
	}
	var apps, groups []string
	for _, name := range in.apps {
		app, err := s.findApplication(ctx, name)
		if err != nil {
			return err
		}
		apps = append(apps, app.ID)
	}
	for _, name := range in.groups {
		group, err := s.findGroup(ctx, name, scope{})
		if err != nil {
			return err
		}
		groups = append(groups, group.ID)
	}
	input["applicationIds"], input["groupIds"] = apps, groups
	answer, err := read[struct {
		CreateNotifier struct {
			Created struct {
				Secret   string   `json:"secret"`
				Notifier notifier `json:"notifier"`
			}
		}
	}](ctx, s, `mutation($input: CreateNotifierInput!) { createNotifier(input: $input) { created { secret notifier { `+notifierFields+` } } userErrors { code field message } } }`,
		map[string]any{"input": input})
	if err != nil {
		return err
	}
	made := answer.CreateNotifier.Created
	return s.show(made, func() {
		s.line("%s Notifier %s sends to %s.", ink{"✓", green}, made.Notifier.Name, made.Notifier.receiver())
		if made.Secret != "" {
			s.line("Secret   %s", made.Secret)
			s.line("It is not shown again: give it to the receiver, which verifies the signatures with it.")
		}
		s.line("Next     coreroller webhook test %s", made.Notifier.Name)
	})
}

func enumInputs(texts []string) []string {
	out := make([]string, len(texts))
	for i, text := range texts {
		out[i] = enumInput(text)
	}
	return out
}
