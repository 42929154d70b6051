package client

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"golang.org/x/term"

	"github.com/coreroller/coreroller/client/api"
)

// latestEntries caps the entries of the activity in the panel.
const latestEntries = 4

// longestReason is the most that the server accepts, so that typing stops there.
const longestReason = 1000

// panel is the live view of a group in a terminal: its state, the latest activity, and
// keys that change the rollout.
type panel struct {
	*session
	group  place
	screen *screen

	mu     sync.Mutex
	state  *progress // nil: not received yet
	latest []activity
	asking *verb // the change whose reason is typed
	sure   bool  // the reason is complete: y makes the change
	reason []rune
	note   string
}

// keys are the changes by key.
func keys() map[rune]*verb {
	return map[rune]*verb{'p': new(pauseVerb()), 'n': new(advanceVerb()), 'h': new(haltVerb())}
}

// watchPanel shows the panel until it is interrupted or q is pressed. Keys need standard
// input that is a terminal too.
func (s *session) watchPanel(ctx context.Context, group place) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	t := s.terminal
	p := &panel{session: s, group: group, screen: &screen{out: t.Stdout, size: func() (int, int) { return terminalSize(t) }}}
	if isTerminal(t.Stdin) {
		before, err := term.MakeRaw(int(t.Stdin.Fd()))
		if err != nil {
			return err
		}
		defer func() { _ = term.Restore(int(t.Stdin.Fd()), before) }()
		p.screen.out = returning{t.Stdout}
		p.note = "p pause   n next wave   h halt   o page   q quit"
		go func() { // it ends with the program: a read of a terminal cannot be interrupted
			p.read(ctx, t.Stdin)
			cancel()
		}()
	}
	var waiting sync.WaitGroup
	waiting.Go(func() { p.followLatest(ctx) })
	defer waiting.Wait()
	defer cancel()
	if err := s.followQuietly(ctx, group, p.lost, p.receive); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil // interrupted, or q
}

// returning writes lines to a terminal in raw mode, where a line feed does not return.
type returning struct{ io.Writer }

// Write implements io.Writer.
func (r returning) Write(text []byte) (int, error) {
	_, err := r.Writer.Write(bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n")))
	return len(text), err
}

func (p *panel) receive(g *progress) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state = g
	return p.draw()
}

func (p *panel) lost(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.note = clock(time.Now()) + " connection lost, trying again: " + err.Error()
	_ = p.draw()
}

// followLatest shows the latest activity of the group. Without it the rest goes on.
func (p *panel) followLatest(ctx context.Context) {
	filter := map[string]any{"groupId": p.group.ID}
	answer, err := read[struct{ Activities struct{ Nodes []activity } }](ctx, p.session,
		`query($filter: ActivityFilter!, $first: Int!) { activities(filter: $filter, first: $first) { nodes { `+activityFields+` } } }`,
		map[string]any{"filter": filter, "first": latestEntries})
	if err != nil {
		p.lost(err)
		return
	}
	for _, a := range slices.Backward(answer.Activities.Nodes) {
		p.add(a)
	}
	if err := p.eachActivity(ctx, filter, p.lost, func(a activity) error { p.add(a); return nil }); err != nil && ctx.Err() == nil {
		p.lost(err)
	}
}

func (p *panel) add(a activity) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if slices.ContainsFunc(p.latest, func(known activity) bool { return known.ID == a.ID }) {
		return
	}
	p.latest = append(p.latest, a)
	p.latest = p.latest[max(0, len(p.latest)-latestEntries):]
	_ = p.draw()
}

// draw shows everything; the lock must be held.
func (p *panel) draw() error {
	if p.state == nil {
		return nil
	}
	var text bytes.Buffer
	width, _ := p.screen.size()
	s := &session{Server: p.Server, printer: &printer{out: &text, format: p.format, colour: p.colour}}
	s.board(p.state, width, time.Now())
	if len(p.latest) > 0 {
		s.line("")
		s.line("%s", ink{"LATEST", dim})
		for _, a := range slices.Backward(p.latest) {
			s.activity(a)
		}
	}
	s.line("")
	switch {
	case p.asking == nil:
		s.line("%s", ink{p.note, dim})
	case p.sure:
		s.line("%s Press y.", ink{strings.ToUpper(p.asking.short[:1]) + p.asking.short[1:] + ", because " + string(p.reason) + "?", bold})
	default:
		s.line("%s %s", ink{"Reason to " + p.asking.short + ", then Enter; Esc leaves:", bold}, string(p.reason))
	}
	return p.screen.draw(text.String())
}

// The keys with another meaning than their letter.
const (
	keyInterrupt = 3 // Ctrl-C: raw mode sends it as a key
	keyEnd       = 4
	keyEscape    = 27
	keyDelete    = 127
)

// read handles keys until one ends the panel.
func (p *panel) read(ctx context.Context, in io.Reader) {
	r := bufio.NewReader(in)
	for ctx.Err() == nil {
		key, _, err := r.ReadRune()
		if err != nil || key == keyInterrupt || key == keyEnd {
			return
		}
		if quit := p.press(ctx, key); quit {
			return
		}
	}
}

// press handles one key and reports whether it ends the panel. A change needs a reason and
// a confirmation.
func (p *panel) press(ctx context.Context, key rune) (quit bool) {
	p.mu.Lock()
	var run *verb
	switch {
	case p.asking == nil && key == 'q':
		quit = true
	case p.asking == nil && key == 'o':
		p.note = p.page("apps", p.group.app.ID, "groups", p.group.ID)
	case p.asking == nil:
		p.asking, p.reason, p.sure = keys()[key], nil, false
	case key == keyEscape || p.sure && key != 'y':
		p.asking, p.note = nil, "Nothing was changed."
	case p.sure:
		run, p.asking, p.note = p.asking, nil, "…"
	case key == '\r' || key == '\n':
		p.sure = strings.TrimSpace(string(p.reason)) != ""
	case key == keyDelete || key == '\b':
		p.reason = p.reason[:max(0, len(p.reason)-1)]
	case unicode.IsPrint(key) && len(p.reason) < longestReason:
		p.reason = append(p.reason, key)
	}
	reason := string(p.reason)
	_ = p.draw()
	p.mu.Unlock()
	if run != nil {
		p.change(ctx, run, reason)
	}
	return quit
}

func (p *panel) change(ctx context.Context, v *verb, reason string) {
	note := "✓ Group " + p.group.path() + " (" + p.group.Arch + ") " + v.done + "."
	if err := p.mutate(ctx, change{mutation: v.mutation, input: map[string]any{"groupId": p.group.ID, "reason": reason}}); err != nil {
		note = "✗ " + err.Error()
		if api.Code(err) == api.ApprovalRequired {
			note += ": propose it with the command"
		}
		if errors.Is(err, context.Canceled) {
			note = "Interrupted."
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.note = note
	_ = p.draw()
}
