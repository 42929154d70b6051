package server

import (
	"net/http"

	"github.com/coreroller/coreroller/auth"
)

// budgetGuard counts what callers use of an API behind the guard. GraphQL counts its
// operations itself, because a websocket has many.
type budgetGuard struct {
	*auth.Guard
	budgets *auth.Budgets
}

// Require is Guard.Require with a budget for each caller.
func (g budgetGuard) Require(next http.Handler, refusal auth.Refusal) http.Handler {
	return g.Guard.Require(g.budgets.Limit(next, refusal, written), refusal)
}

// written is the number of bytes that were written to a response.
func written(w http.ResponseWriter) int {
	if rec, ok := w.(*recorder); ok { // see metrics.count
		return int(rec.bytes)
	}
	return 0
}
