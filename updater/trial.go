package updater

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
)

// Confirm ends the trial of the new version: it works and stays. The server counts the
// update as a success. Without a trial Confirm does nothing.
func (u *Updater) Confirm(ctx context.Context) error {
	var t *trial
	err := u.change(func(s *state) {
		if s.Trial == nil || s.Trial.Undo {
			return
		}
		t = s.Trial
		s.Trial, s.Failures, s.RetryAt = nil, 0, time.Time{}
		s.Version, s.SHA256 = t.Version, t.SHA256
		u.queue(report{Type: eventUpdate, Result: resultRuns, Version: t.Version, Previous: t.Previous})
	})
	if err != nil || t == nil {
		return err
	}
	select {
	case u.confirmed <- struct{}{}:
	default:
	}
	u.progress(Progress{Step: StepConfirmed, Version: t.Version})
	_ = u.Flush(ctx) // kept, and sent before the next check
	return nil
}

// OnTrial reports whether the version in place is not confirmed yet.
func (u *Updater) OnTrial() bool { return u.trial() != nil }

// resume finds out what a stop of the process left of a trial.
func (u *Updater) resume() error {
	t := u.trial()
	if t == nil {
		return nil
	}
	if t.Undo {
		return u.restartAfter(u.undo())
	}
	sum, err := sha256Of(u.o.File)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("updater: %w", err)
	}
	switch {
	case sum != t.SHA256:
		return u.forget(t)
	case !u.own():
		return nil // Run restarts the program and continues
	case u.o.Version != t.Version:
		// The file contains another version than the server announced. Without this it would
		// be offered and installed forever.
		return u.restartAfter(u.undo())
	}
	if err := u.change(func(s *state) { s.Trial.Starts++ }); err != nil {
		return err
	}
	if t.Starts >= u.o.TrialStarts {
		return u.restartAfter(u.undo())
	}
	return nil
}

// forget ends a trial whose file is not in place: a crash came before the rename, or a
// person replaced the file afterwards.
func (u *Updater) forget(t *trial) error {
	return u.change(func(s *state) {
		s.Trial = nil
		if t.Installed {
			u.queue(report{Type: eventUpdate, Result: resultError, Code: codeRolledBack, Version: t.Previous})
		}
	})
}

// restartAfter returns ErrRestart if the program is this process and the old version was
// put back.
func (u *Updater) restartAfter(err error) error {
	if err == nil && u.own() {
		return ErrRestart
	}
	return err
}

// undo puts the old version back and queues the report. It continues where a crash
// interrupted it.
func (u *Updater) undo() error {
	err := u.change(func(s *state) {
		if s.Trial != nil {
			s.Trial.Undo = true
		}
	})
	t, file := u.trial(), u.o.File
	if err != nil || t == nil {
		return err
	}
	sum, err := sha256Of(file)
	switch {
	case err != nil && !errors.Is(err, os.ErrNotExist):
		return err
	case sum != t.SHA256: // done before a crash
	case t.HadOld:
		if err := rename(file+oldSuffix, file); err != nil {
			return fmt.Errorf("put the old version back: %w", err)
		}
	default:
		if err := os.Remove(file); err != nil {
			return fmt.Errorf("remove the new version: %w", err)
		}
	}
	err = u.change(func(s *state) {
		s.Trial, s.Pending = nil, nil
		s.Failures++
		s.RetryAt = u.now().Add(backoff(s.Failures, firstBackoff, u.o.MaxBackoff))
		u.queue(report{Type: eventUpdate, Result: resultError, Code: codeRolledBack, Version: t.Previous})
	})
	if err != nil {
		return err
	}
	u.progress(Progress{Step: StepRolledBack, Version: t.Version})
	return nil
}

// try restarts another program and waits for the end of the trial.
func (u *Updater) try(ctx context.Context) error {
	if err := u.o.Restart(ctx); err != nil {
		return u.putBack(ctx, fmt.Errorf("restart: %w", err))
	}
	return u.settle(ctx)
}

// settle waits for the end of a trial: it confirms the new version, or puts the old one
// back.
func (u *Updater) settle(ctx context.Context) error {
	if u.o.ConfirmAfter == 0 && u.own() {
		err := u.await(ctx, u.o.ConfirmWithin)
		if err == nil && u.OnTrial() {
			err = fmt.Errorf("it did not confirm within %s", u.o.ConfirmWithin)
			return u.putBack(ctx, err)
		}
		return err
	}
	if err := u.await(ctx, u.o.ConfirmAfter); err != nil || !u.OnTrial() {
		return err
	}
	if u.o.Healthy != nil {
		if err := u.o.Healthy(ctx); err != nil {
			return u.putBack(ctx, fmt.Errorf("health check: %w", err))
		}
	}
	return u.Confirm(ctx)
}

// await waits for Confirm, at most for a time.
func (u *Updater) await(ctx context.Context, most time.Duration) error {
	select {
	case <-u.confirmed: // of an earlier trial
	default:
	}
	if !u.OnTrial() {
		return nil
	}
	waiting, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-u.confirmed:
			cancel()
		case <-waiting.Done():
		}
	}()
	if err := u.sleep(waiting, most); err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return nil
}

// putBack puts the old version back and starts it.
func (u *Updater) putBack(ctx context.Context, cause error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	t := u.trial()
	if t == nil { // confirmed meanwhile
		return nil
	}
	if err := u.undo(); err != nil {
		return errors.Join(cause, err)
	}
	_ = u.Flush(ctx) // kept, and sent before the next check
	if u.own() {
		return fmt.Errorf("%w: %w", ErrRestart, &RollbackError{t.Version, cause})
	}
	if t.HadOld {
		if err := u.o.Restart(ctx); err != nil {
			cause = errors.Join(cause, fmt.Errorf("restart of the old version: %w", err))
		}
	}
	return &RollbackError{t.Version, cause}
}
