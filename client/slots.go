package client

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"
)

// rebootSlots are the reboot slots of a group.
type rebootSlots struct {
	Limit        int          `json:"limit"`
	Held         []rebootSlot `json:"held"`
	Waiting      []rebootSlot `json:"waiting"`
	WaitingCount int          `json:"waitingCount"`
	Hold         string       `json:"hold"`
	HoldUntil    *time.Time   `json:"holdUntil"`
}

// rebootSlot is a machine that holds a slot or waits for one.
type rebootSlot struct {
	ClientID string `json:"clientId"`
	Instance *struct {
		ID        string `json:"id"`
		MachineID string `json:"machineId"`
		Alias     string `json:"alias"`
	} `json:"instance"`
	State      string     `json:"state"`
	Sentence   string     `json:"sentence"`
	Address    string     `json:"address"`
	AskedAt    time.Time  `json:"askedAt"`
	RenewedAt  time.Time  `json:"renewedAt"`
	TakenAt    *time.Time `json:"takenAt"`
	ExpectedAt *time.Time `json:"expectedAt"`
}

const rebootSlotFields = `clientId instance { id machineId alias } state sentence address askedAt renewedAt takenAt expectedAt`

// name is what people call the machine of a slot.
func (r *rebootSlot) name() string {
	switch {
	case r.Instance == nil:
		return r.ClientID
	case r.Instance.Alias != "":
		return r.Instance.Alias
	}
	return r.Instance.MachineID
}

func slotCommand(t Terminal) *cobra.Command {
	return parent("slot", "reboot slots of machines that use FleetLock", slotListCommand(t), slotReleaseCommand(t))
}

func slotListCommand(t Terminal) *cobra.Command {
	var where scope
	cmd := t.command("list GROUP", "list which machines hold a reboot slot and which wait", "",
		"  coreroller slot list production\n  coreroller slot list production -o json",
		func(ctx context.Context, s *session, args []string) error {
			group, err := s.findGroup(ctx, args[0], where)
			if err != nil {
				return err
			}
			answer, err := read[struct {
				Group *struct{ RebootSlots rebootSlots }
			}](ctx, s, `query($id: ID!) { group(id: $id) { rebootSlots { limit held { `+rebootSlotFields+` } waiting { `+rebootSlotFields+` } waitingCount hold holdUntil } } }`,
				map[string]any{"id": group.ID})
			if err != nil {
				return err
			}
			if answer.Group == nil {
				return fmt.Errorf("group %s was deleted meanwhile", group.path())
			}
			slots := &answer.Group.RebootSlots
			return s.show(slots, func() { s.listSlots(group, slots) })
		})
	where.flags(cmd)
	return cmd
}

func (s *session) listSlots(group place, slots *rebootSlots) {
	if slots.Limit == 0 && len(slots.Held) == 0 {
		s.line("Group %s coordinates no reboots: set rebootSlots in its policy.", group.path())
		return
	}
	held := 0
	rows := make([][]any, 0, len(slots.Held)+len(slots.Waiting))
	for _, all := range [][]rebootSlot{slots.Held, slots.Waiting} {
		for i := range all {
			r := &all[i]
			style := ""
			switch r.State {
			case "OVERDUE", "LOST":
				style = yellow
			case "HELD":
				style = blue
			}
			since := r.AskedAt
			if r.TakenAt != nil {
				since = *r.TakenAt
				held++
			}
			rows = append(rows, []any{r.name(), ink{enum(r.State), style}, clock(since), optional(r.ExpectedAt), dash(r.Address)})
		}
	}
	s.line("%d of %d reboot slots of %s are held, %s wait.", held, slots.Limit, group.path(), count(slots.WaitingCount))
	if slots.Hold != "" {
		s.line("The next machine waits: %s.", slots.Hold)
	}
	if len(rows) > 0 {
		s.table([]string{"MACHINE", "STATE", "SINCE", "EXPECTED", "ADDRESS"}, rows)
	}
}

func slotReleaseCommand(t Terminal) *cobra.Command {
	var where scope
	var group, reason string
	cmd := t.command("release MACHINE", "release the reboot slot of a machine that does not give it back", `
Releases the slot, so that another machine can reboot. Do it when the machine will not come back, or
is back and its client did not say so. With --group the machine may also be the id that its FleetLock
client sends, which slot list shows.`,
		"  coreroller slot release web-0412 --reason \"disk replaced\"\n  coreroller slot release e71b09c4 --group production --reason \"scrapped\"",
		func(ctx context.Context, s *session, args []string) error {
			if err := needsReason(reason); err != nil {
				return err
			}
			input, err := s.slotOf(ctx, args[0], group, where)
			if err != nil {
				return err
			}
			input["reason"] = reason
			return s.make(ctx, change{mutation: "releaseRebootSlot", input: input, done: "The reboot slot of " + args[0] + " is released."}, proposing{})
		})
	where.flags(cmd)
	cmd.Flags().StringVar(&group, "group", "", "name or id of the group, when the machine is not known or has another id")
	reasonFlag(cmd, &reason)
	return cmd
}

// slotOf names the slot of a machine.
func (s *session) slotOf(ctx context.Context, name, group string, where scope) (map[string]any, error) {
	if group != "" {
		g, err := s.findGroup(ctx, group, where)
		return map[string]any{"groupId": g.ID, "id": name}, err
	}
	id, err := s.findMachine(ctx, name, where.app)
	if err != nil {
		return nil, fmt.Errorf("%w\nIf only its FleetLock client is known, add --group", err)
	}
	answer, err := read[struct {
		Instance *struct {
			RebootSlot *struct {
				ClientID string
				Group    *named
			}
		}
	}](ctx, s, `query($id: ID!) { instance(id: $id) { rebootSlot { clientId group { id name } } } }`, map[string]any{"id": id})
	if err != nil {
		return nil, err
	}
	if m := answer.Instance; m != nil && m.RebootSlot != nil && m.RebootSlot.Group != nil {
		return map[string]any{"groupId": m.RebootSlot.Group.ID, "id": m.RebootSlot.ClientID}, nil
	}
	return nil, fmt.Errorf("%s holds no reboot slot; coreroller slot list shows those of a group", name)
}
