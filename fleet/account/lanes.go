package account

import (
	"context"
	"crypto/sha256"
	"errors"
	"sync/atomic"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/fleet/fault"
)

// lane runs a bounded number of password hashes at once.
type lane struct {
	slots   chan struct{} // one for each that runs
	waiting atomic.Int32
}

func newLane(slots int) *lane { return &lane{slots: make(chan struct{}, slots)} }

// lane returns the lane of a caller. Known ones have their own, so that a right sign-in
// waits for no guess.
func (s *Service) lane(ctx context.Context) *lane {
	_, signedIn := auth.From(ctx)
	if signedIn || auth.Known(ctx) {
		return s.knownLane
	}
	return s.openLane
}

// run runs f in a slot of the lane. It is Unavailable if too many wait.
func (l *lane) run(ctx context.Context, f func() error) error {
	busy := fault.Errorf(fault.Unavailable, "", "too many sign-ins at the same time; try again")
	defer l.waiting.Add(-1)
	if l.waiting.Add(1) > maxWaiting {
		return busy
	}
	select {
	case l.slots <- struct{}{}:
	case <-ctx.Done():
		return errors.Join(busy, ctx.Err())
	}
	defer func() { <-l.slots }()
	return f()
}

// DeviceKey returns the secret that signs the device cookies of a user. It follows from the
// hash of the password, so that a new password ends them, and every process has the same.
func (s *Service) DeviceKey(ctx context.Context, username string) ([]byte, error) {
	row, err := s.named(ctx, username)
	if err != nil || row == nil || row.PasswordHash == "" {
		return nil, err
	}
	key := sha256.Sum256([]byte("device cookies " + row.PasswordHash))
	return key[:], nil
}
