package main

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"
)

const (
	// sampleEvery is how often the same warning or error is written. A database that is
	// lost, or a full disk, would else fill the log with the lines of every request.
	sampleEvery = time.Minute
	// sampleKinds bounds how many different lines are remembered.
	sampleKinds = 1000
)

// sampler writes the same warning or error at most once in sampleEvery, and then how many
// lines were left out. Lines are the same if their message and the beginning of their
// error are: numbers in it do not count.
type sampler struct {
	slog.Handler
	now  func() time.Time
	seen *sampled
}

type sampled struct {
	mu  sync.Mutex
	all map[string]*repeated
}

type repeated struct {
	at   time.Time // of the last line that was written
	more int       // lines that were left out since
}

func newSampler(next slog.Handler, now func() time.Time) *sampler {
	return &sampler{Handler: next, now: now, seen: &sampled{all: map[string]*repeated{}}}
}

// Handle implements slog.Handler.
func (s *sampler) Handle(ctx context.Context, r slog.Record) error {
	if r.Level < slog.LevelWarn {
		return s.Handler.Handle(ctx, r)
	}
	more, write := s.seen.note(kindOf(&r), s.now())
	if !write {
		return nil
	}
	if more > 0 {
		r = r.Clone()
		r.AddAttrs(slog.Int("left_out", more))
	}
	return s.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (s *sampler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &sampler{s.Handler.WithAttrs(attrs), s.now, s.seen}
}

// WithGroup implements slog.Handler.
func (s *sampler) WithGroup(name string) slog.Handler {
	return &sampler{s.Handler.WithGroup(name), s.now, s.seen}
}

// kindOf is what lines that count as the same have in common.
func kindOf(r *slog.Record) string {
	kind := r.Message
	r.Attrs(func(a slog.Attr) bool {
		if err, ok := a.Value.Any().(error); ok {
			kind += "\n" + withoutNumbers(err.Error())
		}
		return true
	})
	return kind
}

func withoutNumbers(text string) string {
	const most = 100
	return strings.Map(func(c rune) rune {
		if c >= '0' && c <= '9' {
			return -1
		}
		return c
	}, text[:min(len(text), most)])
}

// note counts a line and reports whether to write it, with the number that was left out.
func (s *sampled) note(kind string, now time.Time) (more int, write bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.all[kind]
	if r == nil {
		if len(s.all) >= sampleKinds {
			clear(s.all)
		}
		s.all[kind] = &repeated{at: now}
		return 0, true
	}
	if now.Sub(r.at).Abs() < sampleEvery {
		r.more++
		return 0, false
	}
	more, r.at, r.more = r.more, now, 0
	return more, true
}
