// Package disk watches the free space of the disks that the server writes to. Below one
// bound it warns. Below a lower one, what can wait is refused, so that people and known
// machines can go on: new machines here, and uploads in package storage.
package disk

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/coreroller/coreroller/fleet/fault"
)

// A bound is at most this part of a disk, so that a small disk is not always too full.
const (
	warnPart    = 5 // a fifth
	reservePart = 10
)

// Bounds are numbers of free bytes; 0 is no bound.
type Bounds struct {
	Warn    int64 // below it people are warned
	Reserve int64 // below it new machines and uploads are refused
}

// Of returns the bounds of a disk of a size in bytes: a fifth and a tenth of it at most.
func (b Bounds) Of(total int64) Bounds {
	return Bounds{Warn: min(b.Warn, total/warnPart), Reserve: min(b.Reserve, total/reservePart)}
}

// Folder is a folder that the server writes to.
type Folder struct {
	Name     string // a label of metrics, such as "data"
	Dir      string
	Machines bool // the database is there
	Uploads  bool // files of packages arrive there
}

// refused is what the server refuses when the disk is nearly full.
func (f *Folder) refused() string {
	switch {
	case f.Machines && f.Uploads:
		return "new machines and uploads"
	case f.Machines:
		return "new machines"
	}
	return "uploads"
}

// answerWithin is how long a disk may take to answer. One behind a network can take
// forever, and the other background work must not wait for it.
const answerWithin = time.Second

// Options are what a Watch needs.
type Options struct {
	Folders []Folder
	Bounds  Bounds
	// Space returns the free bytes and the size of the disk of a folder; false: not known.
	Space func(dir string) (free, total int64, known bool)
	Log   *slog.Logger
}

// State is what was seen of a folder.
type State struct {
	Folder
	Known       bool
	Free, Total int64
	Bounds      Bounds // of this disk
}

// Low reports whether people are warned.
func (s *State) Low() bool { return s.Known && s.Free < s.Bounds.Warn || s.Tight() }

// Tight reports whether new machines and uploads are refused.
func (s *State) Tight() bool { return s.Known && s.Free < s.Bounds.Reserve }

// Sentence says how full the disk is, and what follows from it.
func (s *State) Sentence() string {
	text := fmt.Sprintf("the disk of the folder %s has %s free of %s", s.Dir, Bytes(s.Free), Bytes(s.Total))
	if s.Tight() {
		return text + ": " + s.refused() + " are refused until there is more"
	}
	return text + fmt.Sprintf(": below %s %s are refused", Bytes(s.Bounds.Reserve), s.refused())
}

// Watch knows the free space of some folders. It is safe for concurrent use. A nil Watch
// watches nothing and refuses nothing.
type Watch struct {
	o       Options
	asking  []chan struct{} // of each folder: full while the system is asked
	states  atomic.Pointer[[]State]
	refused atomic.Int64
}

// New makes a Watch that has looked once.
func New(o Options) *Watch {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	w := &Watch{o: o}
	for range o.Folders {
		w.asking = append(w.asking, make(chan struct{}, 1))
	}
	w.states.Store(new(make([]State, len(o.Folders))))
	_ = w.Look(context.Background())
	return w
}

// Look asks the system. It logs when a bound is crossed. What does not answer stays as it
// was.
func (w *Watch) Look(ctx context.Context) error {
	if w == nil {
		return nil
	}
	before, now := w.States(), make([]State, len(w.o.Folders))
	var errs []error
	for i, f := range w.o.Folders {
		s, ok := w.ask(ctx, i)
		switch {
		case !ok:
			errs = append(errs, fmt.Errorf("the disk of %s does not answer", f.Dir))
			s, s.Folder = before[i], f
		case !s.Known:
			errs = append(errs, fmt.Errorf("the free space of %s is not known", f.Dir))
		}
		w.report(&before[i], &s)
		now[i] = s
	}
	w.states.Store(&now)
	return errors.Join(errs...)
}

// ask returns the state of a folder; false if the system does not answer in time.
func (w *Watch) ask(ctx context.Context, i int) (State, bool) {
	select {
	case w.asking[i] <- struct{}{}:
	default: // the last question waits still
		return State{}, false
	}
	answer := make(chan State, 1)
	go func() {
		defer func() { <-w.asking[i] }()
		s := State{Folder: w.o.Folders[i]}
		s.Free, s.Total, s.Known = w.o.Space(s.Dir)
		s.Bounds = w.o.Bounds.Of(s.Total)
		answer <- s
	}()
	late := time.NewTimer(answerWithin)
	defer late.Stop()
	select {
	case s := <-answer:
		return s, true
	case <-late.C:
	case <-ctx.Done():
	}
	return State{}, false
}

func (w *Watch) report(was, is *State) {
	log := w.o.Log.With("folder", is.Dir, "free", Bytes(is.Free), "of", Bytes(is.Total))
	switch {
	case is.Tight() && !was.Tight():
		log.Error("the disk is nearly full", "refused", is.refused())
	case is.Low() && !was.Low():
		log.Warn("the disk has little room left")
	case was.Tight() && !is.Tight():
		log.Info("the disk has room again: nothing is refused")
	}
}

// States returns what was seen last.
func (w *Watch) States() []State {
	if w == nil {
		return nil
	}
	return *w.states.Load()
}

// RefusesMachines reports whether the disk of the database has no room for new machines.
func (w *Watch) RefusesMachines() bool {
	for _, s := range w.States() {
		if s.Machines && s.Tight() {
			return true
		}
	}
	return false
}

// Refuse counts a new machine that is refused, and returns the error for it.
func (w *Watch) Refuse() error {
	w.refused.Add(1)
	return fault.Errorf(fault.Unavailable, "", "the disk of the server is nearly full, and new machines wait until there is room: try again later")
}

// Refused returns how many new machines were refused since the start.
func (w *Watch) Refused() int64 {
	if w == nil {
		return 0
	}
	return w.refused.Load()
}

// Bytes returns a number of bytes for people, such as "1.5 GiB".
func Bytes(n int64) string {
	const unit = 1 << 10
	if n < unit {
		return fmt.Sprintf("%d B", n)
	}
	value, i := float64(n)/unit, 0
	for ; value >= unit && i < 3; i++ {
		value /= unit
	}
	return fmt.Sprintf("%.1f %ciB", value, "KMGT"[i])
}
