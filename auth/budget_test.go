package auth

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
)

func TestBudgetsLimitTimeAndBytesOfEachCaller(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	b := NewBudgets(Budget{Time: 10 * time.Second, Bytes: 1000}, Budget{Time: time.Second, Bytes: 100}, func() time.Time { return now })
	user := func() context.Context { return With(t.Context(), Principal{UserID: uuid.New()}) }
	from := func(address string) context.Context { return withRequest(t.Context(), requestInfo{address: address}) }
	use := func(ctx context.Context, d time.Duration, bytes int) {
		t.Helper()
		s, err := b.Begin(ctx)
		if err != nil {
			t.Fatal(err)
		}
		now = now.Add(d)
		s.End(bytes)
	}
	refused := func(ctx context.Context) (wait time.Duration) {
		s, err := b.Begin(ctx)
		if over, ok := errors.AsType[*OverBudget](err); ok {
			return over.Wait
		}
		s.End(0)
		return 0
	}
	ana, ben := user(), user()
	use(ana, 0, 999)
	use(ana, 0, 500)
	wait := refused(ana)
	if wait < 30*time.Second || wait > 40*time.Second {
		t.Errorf("half a budget of bytes over the limit waits %v", wait)
	}
	if refused(ben) != 0 {
		t.Error("another user is refused")
	}
	now = now.Add(wait)
	if refused(ana) != 0 {
		t.Errorf("refused after the wait")
	}
	use(ben, 9*time.Second, 0)
	use(ben, 9*time.Second, 0)
	if refused(ben) == 0 {
		t.Error("18 s within a minute are not refused")
	}
	now = now.Add(10 * time.Minute)

	// Requests that run count before they end.
	carl := user()
	for range 3 {
		if _, err := b.Begin(carl); err != nil {
			t.Fatal(err)
		}
	}
	now = now.Add(5 * time.Second)
	if refused(carl) == 0 {
		t.Error("three requests that run for 5 s are not refused")
	}

	// Callers without credentials share a budget by address, in IPv6 by network.
	use(from("2001:db8::1"), 0, 100)
	if refused(from("2001:db8::2")) == 0 || refused(from("2001:db8:0:1::1")) != 0 || refused(from("192.0.2.1")) != 0 {
		t.Error("the budget is not counted by the network of 64 bits")
	}
	use(from("192.0.2.1"), 0, 100)
	if refused(from("192.0.2.1")) == 0 || refused(from("192.0.2.2")) != 0 {
		t.Error("the budget is not counted by address")
	}

	// A caller owes at most a minute.
	use(ben, time.Hour, 1<<30)
	if wait := refused(ben); wait > 70*time.Second {
		t.Errorf("waits %v", wait)
	}
}
