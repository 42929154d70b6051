package rest

import (
	"net/http"

	"github.com/coreroller/coreroller/fleet/account"
)

// changePassword changes the caller's own password. With a session or token,
// current_password must prove that the caller is the user.
func (h *Handler) changePassword(w http.ResponseWriter, r *http.Request) (any, error) {
	b, err := readBody(w, r)
	if err != nil {
		return nil, err
	}
	in := account.ChangePassword{New: b.text("password"), Current: b.text("current_password")}
	if err := b.err(); err != nil {
		return nil, err
	}
	if err := h.Fleet.Accounts.ChangePassword(r.Context(), in); err != nil {
		return nil, err
	}
	h.Guard.Forget()
	return nil, nil
}
