package rest

import (
	"context"
	"errors"
	"net/http"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/fleet/account"
	"github.com/coreroller/coreroller/fleet/fault"
)

// changePassword changes the caller's own password. With a session or token,
// current_password must prove that the caller is the user.
func (h *Handler) changePassword(w http.ResponseWriter, r *http.Request) (any, error) {
	b, err := h.ReadBody(w, r)
	if err != nil {
		return nil, err
	}
	in := account.ChangePassword{New: b.Text("password"), Current: b.Text("current_password")}
	if err := b.Err(); err != nil {
		return nil, err
	}
	who, _ := auth.From(r.Context())
	err = h.Guard.Try(r.Context(), who.Name, func(ctx context.Context) error { return h.Fleet.Accounts.ChangePassword(ctx, in) })
	if many, ok := errors.AsType[*auth.TooManyTries](err); ok {
		return nil, fault.Errorf(fault.RateLimited, "current_password", "%s", many)
	}
	if err != nil {
		return nil, err
	}
	h.Guard.Forget()
	return nil, nil
}
