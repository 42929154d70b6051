package client

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/coreroller/coreroller/client/api"
)

// lineInterval is the shortest time between two lines of a wait that show only other numbers.
const lineInterval = time.Minute

// waiting is the command line of `coreroller wait`.
type waiting struct {
	where   scope
	until   string
	version string
	timeout time.Duration
	wave    int // of --until wave:N

	rollout string // id of the rollout that is waited for
	printed time.Time
	last    string // state and wave of the last line
}

func waitCommand(t Terminal) *cobra.Command {
	var w waiting
	cmd := t.command("wait GROUP", "wait until the rollout of a group is completed", `
Waits until the current rollout of a group is completed, or until a wave is open. It prints a line
when the state changes, and at most one a minute otherwise. With --version it first waits for
the rollout of that version, such as before a proposal is approved.

Exit code 1 also means that the rollout was halted or replaced by another, and 4 that --timeout ended.
A paused rollout is waited for.`,
		"  coreroller wait production --until completed --timeout 2h\n  coreroller wait production --version 4459.2.1 --until wave:2",
		func(ctx context.Context, s *session, args []string) error {
			if err := w.parse(); err != nil {
				return err
			}
			group, err := s.findGroup(ctx, args[0], w.where)
			if err != nil {
				return err
			}
			return w.run(ctx, s, group)
		})
	w.where.flags(cmd)
	f := cmd.Flags()
	f.StringVar(&w.until, "until", "completed", "completed, or wave:N")
	f.StringVar(&w.version, "version", "", "wait for the rollout of this version")
	f.DurationVar(&w.timeout, "timeout", 0, "give up after this time, such as 2h; 0 waits forever")
	return cmd
}

func (w *waiting) parse() error {
	if w.until == "completed" {
		return nil
	}
	number, ok := strings.CutPrefix(w.until, "wave:")
	wave, err := strconv.Atoi(number)
	if !ok || err != nil || wave < 1 {
		return usage("--until is %q: use completed, or a wave such as wave:2", w.until)
	}
	w.wave = wave
	return nil
}

// errTimeout is the cause of the end of the wait's context.
var errTimeout = errors.New("timeout")

func (w *waiting) run(ctx context.Context, s *session, group place) error {
	waitCtx := ctx
	if w.timeout > 0 {
		var cancel context.CancelFunc
		waitCtx, cancel = context.WithTimeoutCause(ctx, w.timeout, errTimeout)
		defer cancel()
	}
	var last *progress
	err := s.follow(waitCtx, group, func(g *progress) error {
		last = g
		return w.look(s, g)
	})
	if errors.Is(context.Cause(waitCtx), errTimeout) && err != nil {
		text := "no answer yet"
		if last != nil {
			done, all := last.updated()
			text = fmt.Sprintf("%s, %s of %s machines run %s", enum(last.State), count(done), count(all), last.target())
		}
		return &Exit{exitTimeout, fmt.Errorf("group %s did not get there within %s: %s; see %s", group.path(), w.timeout, text, w.page(s, group))}
	}
	return err
}

func (w *waiting) page(s *session, group place) string {
	return s.page("apps", group.app.ID, "groups", group.ID)
}

// look decides about one state of the group.
func (w *waiting) look(s *session, g *progress) error {
	r := g.Rollout
	switch {
	case r == nil && w.version == "":
		return fmt.Errorf("group %s has no rollout: its channel has no package", g.Name)
	case r == nil || w.rollout == "" && w.version != "" && r.Version != w.version:
		w.line(s, g, "the rollout of "+w.version+" has not begun; the group is at "+g.target())
		return nil
	case w.rollout == "":
		w.rollout = r.ID
		if w.wave > len(r.Waves) {
			return usage("--until %s: the rollout of %s has %d waves", w.until, r.Version, len(r.Waves))
		}
	case w.rollout != r.ID:
		return fmt.Errorf("the rollout was replaced: group %s now goes to %s", g.Name, r.Version)
	}
	done, all := g.updated()
	switch {
	case r.State == "COMPLETED", w.wave > 0 && r.CurrentWave >= w.wave:
		if err := s.followed(g, func() {
			s.line("%s %s: %s of %s machines run %s or higher, %s failed.", ink{"✓", green}, w.reached(r), count(done), count(all), r.Version, count(g.Numbers.Failed))
		}); err != nil {
			return err
		}
		return api.ErrEnd
	case r.Halt != nil:
		return fmt.Errorf("the rollout of %s is halted: %s\n%s of %s machines run it\nRoll back:  coreroller rollback %s --to VERSION --reason \"…\"\nPage:       %s",
			r.Version, r.Halt.Sentence, count(done), count(all), g.ID, s.page("apps", g.Application.ID, "groups", g.ID))
	}
	w.line(s, g, "")
	return nil
}

func (w *waiting) reached(r *rollout) string {
	switch {
	case r.State != "COMPLETED":
		return fmt.Sprintf("Wave %d is open", r.CurrentWave)
	case r.CreatedAt != nil && r.EndedAt != nil:
		return "Completed in " + r.EndedAt.Sub(*r.CreatedAt).Round(time.Second).String()
	default:
		return "Completed"
	}
}

// line prints a line when the state changed, or after a while.
func (w *waiting) line(s *session, g *progress, text string) {
	state := g.State + g.waveText() + text
	if s.format != "table" || state == w.last && time.Since(w.printed) < lineInterval {
		return
	}
	w.last, w.printed = state, time.Now()
	if text != "" {
		s.line("%s  %s", ink{w.printed.Format(time.TimeOnly), dim}, text)
		return
	}
	s.progressLine(g)
}
