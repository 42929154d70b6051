package account

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/store"
)

const (
	// failedEvery is the least time between two entries for the same name and address.
	failedEvery = time.Minute
	// maxFailed limits the names and addresses with an entry of their own in failedEvery.
	// The entries of a process then take 15 MB a day at most.
	maxFailed = 20
	// maxFailedName is the number of bytes that are kept of a name.
	maxFailedName = 64
)

// failedSignIn is what failed sign-ins have in common. The zero value stands for all
// beyond maxFailed.
type failedSignIn struct {
	name, address string
	user          uuid.UUID // zero: no user has the name
	credential    auth.Credential
	reason        string // "" for a wrong name or password
}

// failedSignIns counts failed sign-ins, so that guessing passwords does not fill the
// audit: the first of a name and address is written at once, the others of the same
// minute as one number after it.
type failedSignIns struct {
	mu     sync.Mutex
	minute time.Time
	counts map[failedSignIn]int // not written yet
}

// add counts n failures and returns those that are due to be written.
func (f *failedSignIns) add(now time.Time, who failedSignIn, n int) map[failedSignIn]int {
	f.mu.Lock()
	defer f.mu.Unlock()
	due := f.takeOld(now)
	if _, known := f.counts[who]; !known && len(f.counts) >= maxFailed {
		who = failedSignIn{}
	}
	if _, known := f.counts[who]; known || who == (failedSignIn{}) {
		f.counts[who] += n
		return due
	}
	f.counts[who] = 0
	due[who] = n
	return due
}

// take returns what is due without a new failure; all for the end of the process.
func (f *failedSignIns) take(now time.Time, all bool) map[failedSignIn]int {
	f.mu.Lock()
	defer f.mu.Unlock()
	if all {
		f.minute = time.Time{}
	}
	return f.takeOld(now)
}

// takeOld begins a new minute if the last one is over, and returns its counts. What it
// returns has its entry of the new minute.
func (f *failedSignIns) takeOld(now time.Time) map[failedSignIn]int {
	due := map[failedSignIn]int{}
	minute := now.Truncate(failedEvery)
	if f.counts != nil && minute.Equal(f.minute) {
		return due
	}
	before := f.counts
	f.minute, f.counts = minute, map[failedSignIn]int{}
	for who, n := range before {
		if n > 0 {
			due[who], f.counts[who] = n, 0
		}
	}
	return due
}

// putBack counts failures again that could not be written.
func (f *failedSignIns) putBack(due map[failedSignIn]int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for who, n := range due {
		f.counts[who] += n
	}
}

// signInFailed records that a name and password were wrong. An entry that cannot be
// written is tried again later: the caller gets the same answer.
func (s *Service) signInFailed(ctx context.Context, name string, user uuid.UUID) {
	s.countFailed(ctx, failedSignIn{name: cleanName(name), address: auth.Address(ctx), user: user, credential: auth.CredentialBasic})
}

// Throttled records a sign-in attempt that came too soon after others. The password was
// not checked.
func (s *Service) Throttled(ctx context.Context, name string) {
	s.countFailed(ctx, failedSignIn{
		name: cleanName(name), address: auth.Address(ctx), credential: auth.CredentialBasic, reason: "too many attempts: the password was not checked",
	})
}

func (s *Service) countFailed(ctx context.Context, who failedSignIn) {
	ctx = context.WithoutCancel(ctx)
	if err := s.writeFailed(ctx, s.failed.add(s.now(), who, 1)); err != nil {
		s.log.ErrorContext(ctx, "could not record failed sign-ins", "error", err)
	}
}

// FlushSignIns writes the failed sign-ins of earlier minutes; all also those of
// this one.
func (s *Service) FlushSignIns(ctx context.Context, all bool) error {
	return s.writeFailed(ctx, s.failed.take(s.now(), all))
}

func (s *Service) writeFailed(ctx context.Context, due map[failedSignIn]int) error {
	if len(due) == 0 {
		return nil
	}
	entries := make([]store.Audit, 0, len(due))
	for who, n := range due {
		a := store.Audit{
			Actor: who.name, Credential: string(cmp.Or(who.credential, auth.CredentialBasic)), Address: who.address,
			Verb: "signInFailed", Object: "user", ObjectID: who.user, Reason: who.reason,
			After: struct {
				Username string `json:"username"`
				Attempts int    `json:"attempts"`
			}{who.name, n},
		}
		if who == (failedSignIn{}) {
			a.Reason = "more names and addresses than are listed in a minute"
		}
		entries = append(entries, a)
	}
	if err := s.changes.Audit(ctx, entries); err != nil {
		s.failed.putBack(due)
		return fmt.Errorf("record failed sign-ins: %w", err)
	}
	for who, n := range due {
		s.log.WarnContext(ctx, "sign-in failed", "name", who.name, "address", who.address, "attempts", n)
	}
	return nil
}

// cleanName returns a name that a client sent as text that is safe to store and show.
func cleanName(name string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return utf8.RuneError
		}
		return r
	}, strings.ToValidUTF8(name[:min(len(name), maxFailedName)], string(utf8.RuneError)))
}
