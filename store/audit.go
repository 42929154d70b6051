package store

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"
)

// Audit is one row of audits. The transaction sets its id and time.
type Audit struct {
	TeamID        uuid.UUID
	Actor         string
	Credential    string
	Verb          string // as in the API, such as pauseUpdates
	Object        string // such as group
	ObjectID      uuid.UUID
	ApplicationID uuid.UUID // zero: none
	Before, After any       // stored as JSON; nil: empty
	Reason        string
}

// Audit records a change of the configuration in audits.
func (tx *Tx) Audit(ctx context.Context, a Audit) error {
	before, err := auditJSON(a.Before)
	if err != nil {
		return err
	}
	after, err := auditJSON(a.After)
	if err != nil {
		return err
	}
	c := tx.Client().Audit.Create().SetID(NewID(tx.now)).SetAt(tx.now).SetTeamID(a.TeamID).
		SetActor(a.Actor).SetCredential(a.Credential).SetVerb(a.Verb).SetObject(a.Object).SetObjectID(a.ObjectID).
		SetBefore(before).SetAfter(after).SetReason(a.Reason)
	if a.ApplicationID != uuid.Nil {
		c.SetApplicationID(a.ApplicationID)
	}
	if err := c.Exec(ctx); err != nil {
		return fmt.Errorf("audit %s: %w", a.Verb, err)
	}
	return nil
}

func auditJSON(v any) (string, error) {
	if v == nil {
		return "", nil
	}
	b, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("audit: %w", err)
	}
	return string(b), nil
}
