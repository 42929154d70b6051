package updater

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"os"
	"sync"
	"time"
)

// Updater updates one program. Confirm, Version and MachineID can be called from any
// goroutine; the other methods from one at a time.
type Updater struct {
	o      Options
	server *http.Client // without redirects
	boot   string       // identifies this process: a server sees that a download was interrupted
	unlock func() error

	mu        sync.Mutex // guards state
	state     state
	sending   sync.Mutex // keeps events in order
	confirmed chan struct{}

	now   func() time.Time
	sleep func(ctx context.Context, d time.Duration) error
}

// New reads the state of Options.Dir and finishes what a crash interrupted. A program
// that updates itself must call it before anything that can fail, because New counts the
// starts of a version on trial: after too many it puts the old version back and returns
// ErrRestart. Call Close at the end.
func New(o Options) (*Updater, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("updater: Dir: %w", err)
	}
	unlock, err := lock(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("updater: Dir: %w", err)
	}
	u := &Updater{o: o, unlock: unlock, boot: randomID(), confirmed: make(chan struct{}, 1), now: time.Now, sleep: sleep}
	server := *o.HTTPClient
	server.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	u.server = &server
	if err := u.open(); err != nil {
		return nil, errors.Join(err, u.Close())
	}
	return u, nil
}

// open loads the state and continues a trial.
func (u *Updater) open() error {
	if err := u.state.load(u.o.Dir); err != nil {
		return fmt.Errorf("updater: %w", err)
	}
	switch {
	case u.o.MachineID != "":
		u.state.MachineID = u.o.MachineID
	case u.state.MachineID == "":
		u.state.MachineID = randomID()
	}
	if u.state.Version == "" || u.own() || u.replacedByHand() {
		u.state.Version, u.state.SHA256 = u.o.Version, ""
	}
	if err := u.change(func(*state) {}); err != nil {
		return fmt.Errorf("updater: %w", err)
	}
	return u.resume()
}

// Close releases Options.Dir. It does not stop Run; cancel its context for that.
func (u *Updater) Close() error { return u.unlock() }

// Version returns the version of the program: of this process, or of Options.File.
func (u *Updater) Version() string {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.state.Version
}

// Installed returns the version in place, which is the new one during a trial.
func (u *Updater) Installed() string {
	if t := u.trial(); t != nil {
		return t.Version
	}
	return u.Version()
}

// MachineID returns the id under which the server lists the machine.
func (u *Updater) MachineID() string {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.state.MachineID
}

// own reports whether the program is this process.
func (u *Updater) own() bool { return u.o.Restart == nil }

// replacedByHand reports whether the file is another than the one that was confirmed, and
// not one on trial.
func (u *Updater) replacedByHand() bool {
	if u.state.SHA256 == "" || u.state.Trial != nil {
		return false
	}
	sum, err := sha256Of(u.o.File)
	return err == nil && sum != u.state.SHA256
}

// change changes the state and stores it. If it cannot be stored, nothing changes.
func (u *Updater) change(f func(*state)) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	before := u.state
	if before.Trial != nil {
		copied := *before.Trial
		before.Trial = &copied
	}
	f(&u.state)
	if err := u.state.save(u.o.Dir); err != nil {
		u.state = before
		return fmt.Errorf("store the state: %w", err)
	}
	return nil
}

// trial returns a copy of the trial, nil without one.
func (u *Updater) trial() *trial {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.state.Trial == nil {
		return nil
	}
	t := *u.state.Trial
	return &t
}

// pending returns the update whose download a restart interrupted, nil without one.
func (u *Updater) pending() *Update {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.state.Pending == nil {
		return nil
	}
	up := *u.state.Pending
	up.updater = u
	return &up
}

func (u *Updater) progress(p Progress) { u.o.OnProgress(p) }

// randomID returns 32 hex digits.
func randomID() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
