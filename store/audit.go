package store

import "github.com/google/uuid"

// Audit is one row of audits; At, id and team come from the transaction.
type Audit struct {
	TeamID        uuid.UUID
	Actor         string
	Credential    string
	Verb          string // as in the API, such as pauseUpdates
	Object        string // such as group
	ObjectID      uuid.UUID
	ApplicationID uuid.UUID // zero: none
	Before, After any       // marshalled to JSON; nil: empty
	Reason        string
}
