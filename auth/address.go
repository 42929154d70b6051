package auth

import "context"

// Address returns the address of the client whose request the context belongs to, ""
// without a request.
func Address(ctx context.Context) string { return requestOf(ctx).address }
