package account

import (
	"testing"
	"testing/synctest"

	"github.com/coreroller/coreroller/fleet/fault"
)

// The hashes that run and wait are bounded, and those of known callers do not wait for
// others.
func TestLanesAreBoundedAndApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		open, known := newLane(maxHashing), newLane(maxHashingKnown)
		release, done, running := make(chan struct{}), make(chan error, maxWaiting), make(chan struct{}, maxWaiting)
		for range maxWaiting {
			go func() {
				done <- open.run(t.Context(), func() error {
					running <- struct{}{}
					<-release
					return nil
				})
			}()
		}
		synctest.Wait()
		if len(running) != maxHashing {
			t.Errorf("%d hashes run, want %d", len(running), maxHashing)
		}
		nothing := func() error { return nil }
		if err := open.run(t.Context(), nothing); fault.CodeOf(err) != fault.Unavailable {
			t.Errorf("one more waits: %v", err)
		}
		if err := known.run(t.Context(), nothing); err != nil {
			t.Errorf("a known caller: %v", err)
		}
		close(release)
		for range maxWaiting {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		if err := open.run(t.Context(), nothing); err != nil {
			t.Errorf("afterwards: %v", err)
		}
	})
}
