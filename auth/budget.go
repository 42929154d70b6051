package auth

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// Budget is what one caller may use of the APIs per minute, and at once. Zero is no
// limit.
type Budget struct {
	Time  time.Duration // in which the server works for the caller
	Bytes int64         // of answers
}

// AnonymousBudget is the budget of all callers without credentials at one address. They
// can only sign in and read the version.
func AnonymousBudget() Budget { return Budget{Time: 30 * time.Second, Bytes: 4 << 20} }

// maxAccounts caps the callers whose use is remembered, about 2 MB of memory.
const maxAccounts = 8192

// Budgets limits what each caller uses, in the whole process. It is safe for
// concurrent use. A nil Budgets limits nothing.
type Budgets struct {
	users, anonymous Budget
	now              func() time.Time

	mu       sync.Mutex
	accounts *simplelru.LRU[string, *spent]
}

// spent is the use of one caller.
type spent struct {
	at      time.Time // when time and bytes were brought up to date
	time    time.Duration
	bytes   int64
	running int
}

// NewBudgets returns Budgets. Callers without credentials share one by address.
func NewBudgets(users, anonymous Budget, now func() time.Time) *Budgets {
	return &Budgets{users: users, anonymous: anonymous, now: now, accounts: newLRU[string, *spent](maxAccounts)}
}

// OverBudget is the error of a caller who used more than the budget.
type OverBudget struct {
	Wait   time.Duration
	reason string
}

func (e *OverBudget) Error() string {
	return fmt.Sprintf("%s: wait %d s", e.reason, e.Seconds())
}

// Seconds is how long to wait, at least 1. It is the value of Retry-After.
func (e *OverBudget) Seconds() int { return int((e.Wait + time.Second - 1) / time.Second) }

// Spending is one request in progress.
type Spending struct {
	budgets *Budgets
	budget  Budget
	account *spent
}

// Begin starts the work for the caller of a context, or returns OverBudget. End must be
// called when the work is done.
func (b *Budgets) Begin(ctx context.Context) (*Spending, error) {
	if b == nil {
		return nil, nil
	}
	key, budget := b.caller(ctx)
	now := b.now()
	b.mu.Lock()
	defer b.mu.Unlock()
	a, ok := b.accounts.Get(key)
	if !ok {
		a = &spent{at: now}
		b.accounts.Add(key, a)
	}
	a.update(budget, now)
	switch {
	case budget.Time > 0 && a.time >= budget.Time:
		return nil, &OverBudget{refill(float64(a.time-budget.Time), float64(budget.Time)),
			fmt.Sprintf("you used more than %s of the server's time within a minute", budget.Time)}
	case budget.Bytes > 0 && a.bytes >= budget.Bytes:
		return nil, &OverBudget{refill(float64(a.bytes-budget.Bytes), float64(budget.Bytes)),
			fmt.Sprintf("you received more than %d MB of answers within a minute", budget.Bytes>>20)}
	}
	a.running++
	return &Spending{b, budget, a}, nil
}

// refill is the time until a caller who is over a budget may continue. A tenth of the
// budget is free again then, so that the next request is not the only one.
func refill(over, budget float64) time.Duration {
	return time.Duration((over/budget + 0.1) * float64(time.Minute))
}

// update lets the budget of the time since the last update grow back, and counts the
// time of running requests. A caller owes at most what grows back in a minute.
func (a *spent) update(budget Budget, now time.Time) {
	passed := max(now.Sub(a.at), 0)
	a.at = now
	share := min(passed.Minutes(), 2)
	a.time = min(max(a.time-time.Duration(share*float64(budget.Time)), 0)+time.Duration(a.running)*passed, 2*budget.Time)
	a.bytes = min(max(a.bytes-int64(share*float64(budget.Bytes)), 0), 2*budget.Bytes)
}

// Left is what remains of a budget.
type Left struct {
	Seconds float64 `json:"secondsLeft"`
	Bytes   int64   `json:"bytesLeft"`
}

// End counts the answer, of so many bytes, and returns what is left.
func (s *Spending) End(bytes int) Left {
	if s == nil {
		return Left{}
	}
	s.budgets.mu.Lock()
	defer s.budgets.mu.Unlock()
	s.account.update(s.budget, s.budgets.now())
	s.account.running--
	s.account.bytes += int64(bytes)
	return Left{Seconds: max(s.budget.Time-s.account.time, 0).Seconds(), Bytes: max(s.budget.Bytes-s.account.bytes, 0)}
}

// caller returns the key of the account and its budget.
func (b *Budgets) caller(ctx context.Context) (string, Budget) {
	if p, ok := From(ctx); ok {
		return "user " + p.UserID.String(), b.users
	}
	return "address " + AddressBlock(requestOf(ctx).address), b.anonymous
}

// AddressBlock is the address that one client is counted by: in IPv6 its network of 64
// bits, of which a client can use every address.
func AddressBlock(address string) string {
	a, err := netip.ParseAddr(address)
	if err != nil || a.Unmap().Is4() {
		return strings.TrimPrefix(address, "::ffff:")
	}
	block, err := a.WithZone("").Prefix(64)
	if err != nil {
		return address
	}
	return block.String()
}

// Refuse begins the response to a caller who is over the budget with 429. It does
// nothing on a connection whose response has begun.
func (e *OverBudget) Refuse(ctx context.Context) {
	if w, err := requestOf(ctx).cookieWriter(); err == nil {
		w.Header().Set("Retry-After", strconv.Itoa(e.Seconds()))
		w.WriteHeader(http.StatusTooManyRequests)
	}
}

// Limit is a middleware for an API behind Guard.Require: it refuses callers who are over
// the budget and counts the others. size returns the bytes that were written to a
// response writer.
func (b *Budgets) Limit(next http.Handler, refusal Refusal, size func(http.ResponseWriter) int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		spending, err := b.Begin(r.Context())
		if over, ok := err.(*OverBudget); ok { //nolint:errorlint // Begin returns no other
			w.Header().Set("Retry-After", strconv.Itoa(over.Seconds()))
			w.Header().Set("Cache-Control", "no-store")
			refusal(w, r, http.StatusTooManyRequests, "RATE_LIMITED", over.Error())
			return
		}
		defer func() { spending.End(size(w)) }()
		next.ServeHTTP(w, r)
	})
}
