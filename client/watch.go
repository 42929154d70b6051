package client

import (
	"context"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

func watchCommand(t Terminal) *cobra.Command {
	var where scope
	cmd := t.command("watch GROUP", "follow the rollout of a group live", `
Shows the rollout of a group and its latest activity, and redraws them after every change, until it
is interrupted. The keys p, n and h pause the group, open its next wave and halt the rollout: each
asks for a reason and a confirmation; o shows the page, q quits. When the output is no terminal it prints a line for each change; -o json prints the whole state on each line.`,
		"  coreroller watch production\n  coreroller watch production -o json | jq .numbers.onTarget",
		func(ctx context.Context, s *session, args []string) error {
			group, err := s.findGroup(ctx, args[0], where)
			if err != nil {
				return err
			}
			if s.format != "table" || !isTerminal(t.Stdout) {
				return untilInterrupted(ctx, s.watchLines(ctx, group))
			}
			s.line("%s", ink{s.page("apps", group.app.ID, "groups", group.ID), dim})
			return untilInterrupted(ctx, s.watchPanel(ctx, group))
		})
	where.flags(cmd)
	return cmd
}

// watchLines prints a line, or a value, for each change that it shows.
func (s *session) watchLines(ctx context.Context, group place) error {
	last := ""
	return s.follow(ctx, group, func(g *progress) error {
		shown := fmt.Sprint(g.State, g.waveText(), g.target(), g.Numbers.counts)
		if s.format == "table" && shown == last {
			return nil
		}
		last = shown
		return s.followed(g, func() { s.progressLine(g) })
	})
}

// defaultWidth and defaultHeight are the size of a terminal that has none.
const (
	defaultWidth  = 80
	defaultHeight = 24
)

func terminalSize(t Terminal) (width, height int) {
	width, height, err := term.GetSize(int(t.Stdout.Fd()))
	if err != nil || width < 1 || height < 1 {
		return defaultWidth, defaultHeight
	}
	return width, height
}

// screen redraws a text in place.
type screen struct {
	out   io.Writer
	size  func() (width, height int)
	lines int // of the last text
}

// draw replaces the last text. A line that wraps would make the next text begin too low,
// so lines are cut, and a text that is higher than the terminal too.
func (s *screen) draw(text string) error {
	width, height := s.size()
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	lines = lines[:min(len(lines), height-1)]
	var b strings.Builder
	if s.lines > 0 {
		_, _ = fmt.Fprintf(&b, "\x1b[%dA\r\x1b[J", s.lines)
	}
	for _, line := range lines {
		b.WriteString(cut(line, width) + "\n")
	}
	s.lines = len(lines)
	_, err := io.WriteString(s.out, b.String())
	return err
}

// cut shortens a line to a width. Escape sequences have no width.
func cut(line string, width int) string {
	var b strings.Builder
	escape := false
	for _, r := range line {
		switch {
		case r == '\x1b':
			escape = true
		case escape:
			escape = r != 'm'
		case width == 0:
			continue
		default:
			width--
		}
		b.WriteRune(r)
	}
	return b.String()
}

// board prints everything about a rollout, as the page of the group does.
func (s *session) board(g *progress, width int, now time.Time) {
	channel := "no channel"
	if g.Channel != nil {
		channel = g.Channel.Name
	}
	s.line("%s %s  %s", ink{g.Name, bold}, ink{"· " + g.Application.Name + " · " + channel + " · " + g.Arch, dim}, ink{now.Format("15:04:05 MST"), dim})
	state := enum(g.State)
	if text := g.waveText(); text != "" {
		state += ", " + text
	}
	s.line("%s  %s", ink{"→ " + g.target(), bold}, ink{"● " + state, stateStyles[g.State]})
	s.line("")
	s.bar(g, width)
	s.versions(g)
	s.line("")
	s.boardNumbers(g)
	s.boardWaves(g)
	s.boardHolds(g, width)
}

// bar draws machines by how far they are: done, in flight, failed, the rest.
func (s *session) bar(g *progress, width int) {
	length := max(10, min(width-10, 80))
	done, all := g.updated()
	parts := []struct {
		machines int
		style    string
		sign     string
	}{
		{done, green, "█"}, {g.Numbers.InFlight, blue, "▓"}, {g.Numbers.Failed + g.Numbers.Quarantined, red, "▒"},
	}
	var b strings.Builder
	used := 0
	for _, p := range parts {
		n := 0
		if all > 0 {
			n = int(math.Floor(float64(p.machines) * float64(length) / float64(all)))
		}
		if p.machines > 0 {
			n = max(n, 1)
		}
		n = min(n, length-used)
		used += n
		b.WriteString(s.paint(p.style, strings.Repeat(p.sign, n)))
	}
	b.WriteString(s.paint(dim, strings.Repeat("░", length-used)))
	_, _ = fmt.Fprintf(s.out, "%s %s\n", b.String(), s.paint(bold, percent(g.share())))
}

// mostVersions keeps the list of versions in one line.
const mostVersions = 5

var standingStyles = map[string]string{"ON_TARGET": green, "ABOVE_TARGET": green, "BAD": red}

func (s *session) versions(g *progress) {
	var parts []string
	for i, v := range g.Numbers.ByVersion {
		if i == mostVersions {
			parts = append(parts, s.paint(dim, fmt.Sprintf("and %d more", len(g.Numbers.ByVersion)-i)))
			break
		}
		parts = append(parts, s.paint(standingStyles[v.Standing], "■")+" "+s.paint("", dash(v.Version))+" "+s.paint(bold, count(v.Machines)))
	}
	_, _ = fmt.Fprintln(s.out, strings.Join(parts, "   "))
}

func (s *session) boardNumbers(g *progress) {
	done, all := g.updated()
	n := g.Numbers
	failed := ink{text: count(n.Failed)}
	if n.Failed > 0 {
		failed.style = red
	}
	label := func(text string) ink { return ink{text, dim} }
	ends := "–"
	if g.Rollout != nil {
		ends = optional(g.Rollout.ProjectedEnd)
	}
	s.table(nil, [][]any{
		{label("On target"), count(done) + " of " + count(all), label("In flight"), count(n.InFlight) + " of " + count(n.ConcurrencyLimit)},
		{label("Waiting"), count(n.Waiting), label("Failed"), failed},
		{label("Done about"), ends, label("Quarantined"), count(n.Quarantined)},
		{label("Silent"), count(n.Silent), label("Held by a person"), count(n.Overridden)},
	})
	if g.Pause != nil {
		s.line("%s by %s: %s", ink{"Paused", yellow}, g.Pause.By, dash(g.Pause.Reason))
	}
	if g.Rollout != nil && g.Rollout.Halt != nil {
		s.line("%s: %s", ink{"Halted", red}, g.Rollout.Halt.Sentence)
	}
	if g.Rollout != nil && g.Rollout.Stall != nil {
		s.line("%s: %s %s", ink{"No progress", yellow}, g.Rollout.Stall.Cause, g.Rollout.Stall.Action)
	}
}

var waveSigns = map[string]ink{"DONE": {"✓", green}, "CURRENT": {"●", blue}, "PENDING": {"○", dim}}

func (s *session) boardWaves(g *progress) {
	if g.waveText() == "" {
		return
	}
	rows := make([][]any, len(g.Rollout.Waves))
	for i, w := range g.Rollout.Waves {
		size := percent(w.Share)
		if len(w.Canaries) > 0 {
			size += fmt.Sprintf(" and %d named", len(w.Canaries))
		}
		if w.Expression != "" {
			size += " and by expression"
		}
		rows[i] = []any{
			waveSigns[w.State], w.Position, size, enum(w.State), count(w.Attempts.Granted),
			count(w.Attempts.Succeeded), count(w.Attempts.Failed),
		}
	}
	s.line("")
	s.table([]string{"", "WAVE", "SHARE", "STATE", "GRANTED", "SUCCEEDED", "FAILED"}, rows)
}

func (s *session) boardHolds(g *progress, width int) {
	if len(g.Numbers.HeldByReason) == 0 {
		return
	}
	const longest = 30
	most := g.Numbers.HeldByReason[0].Machines // the largest is first
	rows := make([][]any, len(g.Numbers.HeldByReason))
	for i, h := range g.Numbers.HeldByReason {
		length := 1 + h.Machines*min(longest, width/3)/max(most, 1)
		rows[i] = []any{enum(h.Reason), count(h.Machines), ink{strings.Repeat("█", length), dim}}
	}
	s.line("")
	s.table([]string{"HELD BECAUSE", "MACHINES", ""}, rows)
	if g.CurrentHold != nil {
		s.line("%s", ink{g.CurrentHold.Sentence, dim})
	}
}
