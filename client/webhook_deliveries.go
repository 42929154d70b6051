package client

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

func (s *session) testNotifier(ctx context.Context, name string) error {
	n, err := s.findNotifier(ctx, name)
	if err != nil {
		return err
	}
	answer, err := read[struct{ TestNotifier struct{ Delivery delivery } }](ctx, s,
		`mutation($input: TestNotifierInput!) { testNotifier(input: $input) { delivery { `+deliveryFields+` } userErrors { code field message } } }`,
		map[string]any{"input": map[string]any{"id": n.ID}})
	if err != nil {
		return err
	}
	d := answer.TestNotifier.Delivery
	if err := s.show(d, func() { s.describeDelivery(&d) }); err != nil {
		return err
	}
	if d.State != "DELIVERED" {
		return fmt.Errorf("the receiver of %s did not accept the test message", n.Name)
	}
	return nil
}

// describeDelivery prints the last request and its answer.
func (s *session) describeDelivery(d *delivery) {
	s.line("%s", ink{d.Summary, bold})
	for text := range strings.SplitSeq(d.Request, "\n") {
		s.line("> %s", text)
	}
	for text := range strings.SplitSeq(d.Response, "\n") {
		s.line("< %s", text)
	}
	if n := len(d.Log); n > 0 && d.Log[n-1].Error != "" {
		s.line("%s  %s", ink{"Failed", red}, d.Log[n-1].Error)
	}
}

func deliveriesCommand(t Terminal) *cobra.Command {
	var states []string
	var limit int
	cmd := t.command("deliveries NAME", "list what a notifier sent, newest first", "",
		"  coreroller webhook deliveries tracker --state failed\n  coreroller webhook deliveries tracker --limit 1 -o json",
		func(ctx context.Context, s *session, args []string) error {
			n, err := s.findNotifier(ctx, args[0])
			if err != nil {
				return err
			}
			answer, err := read[struct {
				Notifier *struct{ Deliveries struct{ Nodes []delivery } }
			}](ctx, s, `query($id: ID!, $states: [DeliveryState!], $first: Int!) { notifier(id: $id) { deliveries(states: $states, first: $first) { nodes { `+deliveryFields+` } } } }`,
				map[string]any{"id": n.ID, "states": enumInputs(states), "first": limit})
			if err != nil {
				return err
			}
			var all []delivery
			if answer.Notifier != nil {
				all = answer.Notifier.Deliveries.Nodes
			}
			return s.show(all, func() { s.listDeliveries(all) })
		})
	cmd.Flags().StringSliceVar(&states, "state", nil, "held, pending, delivered, failed or bundled")
	limitFlag(cmd, &limit)
	return cmd
}

func (s *session) listDeliveries(all []delivery) {
	if len(all) == 0 {
		s.line("There is no such delivery.")
		return
	}
	rows := make([][]any, len(all))
	for i, d := range all {
		answer := "–"
		if n := len(d.Log); n > 0 {
			last := d.Log[n-1]
			if answer = last.Error; answer == "" {
				answer = fmt.Sprint(last.Status)
			}
		}
		rows[i] = []any{d.ID, clock(d.CreatedAt), d.Type, enum(d.State), d.Attempts, answer, optional(d.NextAt)}
	}
	s.table([]string{"ID", "MADE", "TYPE", "STATE", "ATTEMPTS", "ANSWER", "NEXT"}, rows)
}

func redeliverCommand(t Terminal) *cobra.Command {
	var ids []string
	var reason string
	cmd := t.command("redeliver NAME", "send messages again that were given up", `
Sends messages again, with the same ids, so that a receiver can drop those it has.`,
		"  coreroller webhook redeliver tracker\n  coreroller webhook redeliver tracker --id 0193e0c2-…",
		func(ctx context.Context, s *session, args []string) error {
			n, err := s.findNotifier(ctx, args[0])
			if err != nil {
				return err
			}
			answer, err := read[struct {
				RedeliverMessages struct {
					Redelivered struct {
						Messages int `json:"messages"`
					}
				}
			}](ctx, s, `mutation($input: RedeliverMessagesInput!) { redeliverMessages(input: $input) { redelivered { messages } userErrors { code field message } } }`,
				map[string]any{"input": map[string]any{"notifierId": n.ID, "deliveryIds": ids, "reason": reason}})
			if err != nil {
				return err
			}
			sent := answer.RedeliverMessages.Redelivered
			return s.show(sent, func() { s.line("%s %d messages are sent again.", ink{"✓", green}, sent.Messages) })
		})
	cmd.Flags().StringSliceVar(&ids, "id", nil, "id of a delivery, also of one that was delivered; default: all that were given up")
	reasonFlag(cmd, &reason)
	return cmd
}

func deleteNotifierCommand(t Terminal) *cobra.Command {
	var reason string
	cmd := t.command("delete NAME", "delete a notifier with the log of its deliveries", "", "  coreroller webhook delete tracker --reason \"replaced by alerts\"",
		func(ctx context.Context, s *session, args []string) error {
			n, err := s.findNotifier(ctx, args[0])
			if err != nil {
				return err
			}
			return s.make(ctx, change{
				mutation: "deleteNotifier", input: map[string]any{"id": n.ID, "reason": reason}, done: fmt.Sprintf("Notifier %s was deleted.", n.Name),
			}, proposing{})
		})
	reasonFlag(cmd, &reason)
	return cmd
}
