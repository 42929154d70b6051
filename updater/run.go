package updater

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

// firstBackoff is the wait after the first failure.
const firstBackoff = 30 * time.Second

// backoff returns the wait after the n-th failure in a row: it doubles from first to
// most, and its second half is random, so that machines that failed together do not
// return together.
func backoff(n int, first, most time.Duration) time.Duration {
	d := first
	for ; n > 1 && d < most; n-- {
		d *= 2
	}
	d = min(d, most)
	return d/2 + rand.N(d/2+1) //nolint:gosec // G404: spreads load
}

// around returns a time within 10 % of d.
func around(d time.Duration) time.Duration {
	return d - d/10 + rand.N(d/5+1) //nolint:gosec // G404: spreads load
}

// Run checks for updates until ctx ends, and downloads and installs what the server
// offers. It waits Interval, or what the server asks for, between checks; after failures
// it waits longer each time, at least as long as Retry-After. Failures are no end:
// Options.OnProgress gets them. Run returns the error of ctx, or ErrRestart.
func (u *Updater) Run(ctx context.Context) error {
	for {
		if wait := u.retryAt().Sub(u.now()); wait > 0 && !u.OnTrial() {
			_ = u.Flush(ctx) // kept, and sent before the next check
			if err := u.sleep(ctx, min(wait, u.o.MaxBackoff)); err != nil {
				return err
			}
		}
		wait, err := u.step(ctx)
		if fatal(ctx, err) {
			return err
		}
		if err := u.sleep(ctx, wait); err != nil {
			return err
		}
	}
}

// Once is one round of Run: it finishes a trial, checks, and installs what is offered.
// For programs that are started by a timer.
func (u *Updater) Once(ctx context.Context) error {
	_, err := u.round(ctx)
	return err
}

// fatal reports whether Run must end.
func fatal(ctx context.Context, err error) bool {
	return err != nil && ctx.Err() != nil || errors.Is(err, ErrRestart)
}

// finishTrial continues the trial that was running when the process ended.
func (u *Updater) finishTrial(ctx context.Context) error {
	t := u.trial()
	if t == nil {
		return nil
	}
	if !t.Installed {
		if err := u.installed(ctx); err != nil {
			return err
		}
	}
	if u.own() {
		return u.settle(ctx)
	}
	return u.try(ctx)
}

// step is one round, counted: it returns the time until the next.
func (u *Updater) step(ctx context.Context) (time.Duration, error) {
	r, err := u.round(ctx)
	if err == nil {
		if u.failures() > 0 {
			err = u.change(func(s *state) { s.Failures, s.RetryAt = 0, time.Time{} })
		}
		if r.PollInterval > 0 {
			return around(r.PollInterval), err
		}
		return around(u.o.Interval), err
	}
	if fatal(ctx, err) {
		return 0, err
	}
	p := Progress{Step: StepFailed, Err: err}
	if r.Update != nil {
		p.Version = r.Update.Version
	}
	u.progress(p)
	if _, counted := errors.AsType[*RollbackError](err); !counted { // undo counts it
		if stored := u.change(func(s *state) { s.Failures++ }); stored != nil {
			u.progress(Progress{Step: StepFailed, Err: stored})
		}
	}
	wait := backoff(max(u.failures(), 1), firstBackoff, u.o.MaxBackoff)
	if status, ok := errors.AsType[*StatusError](err); ok {
		wait = max(wait, status.RetryAfter)
	}
	return wait, nil
}

func (u *Updater) round(ctx context.Context) (Result, error) {
	if err := u.finishTrial(ctx); err != nil {
		return Result{}, err
	}
	_ = u.Flush(ctx) // kept, and sent before the next check
	r, err := u.Check(ctx)
	if err != nil || r.Update == nil {
		return r, err
	}
	if err := r.Update.Download(ctx); err != nil {
		return r, err
	}
	return r, r.Update.Install(ctx)
}

func (u *Updater) failures() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.state.Failures
}

func (u *Updater) retryAt() time.Time {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.state.RetryAt
}
