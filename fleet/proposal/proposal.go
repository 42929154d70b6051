// Package proposal knows the states of a proposed change, and when what it concerns has
// changed since.
package proposal

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/grouprollout"
	"github.com/coreroller/coreroller/ent/db/release"
)

// State is the state of a proposal.
type State string

// The states of a proposal.
const (
	Open      State = "OPEN"
	Approved  State = "APPROVED" // the change was made with the approval
	Refused   State = "REFUSED"
	Withdrawn State = "WITHDRAWN" // by the person who proposed it
	Expired   State = "EXPIRED"
)

const (
	// Lifetime is how long a proposal is open unless its author says otherwise.
	Lifetime = 12 * time.Hour
	// MinLifetime is the least that the author may say.
	MinLifetime = 5 * time.Minute
	// MaxLifetime is the most that the author may say.
	MaxLifetime = 7 * 24 * time.Hour
)

// StateOf returns the state of a proposal at a time: one that has expired is still stored
// as open for some seconds.
func StateOf(row *db.Proposal, now time.Time) State {
	if s := State(row.State); s != Open || row.ExpiresAt.After(now) {
		return s
	}
	return Expired
}

// Basis returns a text that differs if anything has changed on which the decision about a
// proposal rests: channel, group, package, the group of the machine, and the rollout if
// the verb steers it. It reads a few rows by their ids.
func Basis(ctx context.Context, client *db.Client, row *db.Proposal) (string, error) {
	var parts []any
	add := func(part any, err error) error {
		if db.IsNotFound(err) {
			part, err = nil, nil // deleted: the basis differs
		}
		parts = append(parts, part)
		return err
	}
	if row.ChannelID != nil {
		ch, err := client.Channel.Get(ctx, *row.ChannelID)
		if err := add(channelPart(ch), err); err != nil {
			return "", err
		}
	}
	if row.GroupID != nil {
		g, err := client.Group.Get(ctx, *row.GroupID)
		if err := add(groupPart(g), err); err != nil {
			return "", err
		}
	}
	if row.PackageID != nil {
		if err := add(client.Release.Query().Where(release.ID(*row.PackageID)).WithAction().WithFiles().Only(ctx)); err != nil {
			return "", err
		}
	}
	if row.InstanceID != nil {
		m, err := client.Instance.Get(ctx, *row.InstanceID)
		if err := add(machinePart(m), err); err != nil {
			return "", err
		}
	}
	if part := steered[row.Verb]; part != nil && row.GroupID != nil {
		r, err := client.GroupRollout.Query().Where(grouprollout.GroupID(*row.GroupID), grouprollout.ReplacedAtIsNil()).Only(ctx)
		if err := add(part(r), err); err != nil {
			return "", err
		}
	}
	text, err := json.Marshal(parts)
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), err
}

// steered are the verbs that depend on the rollout, with what of it. A halt fits as long
// as the rollout is the same, however far it is.
var steered = map[string]func(*db.GroupRollout) any{
	"resumeUpdates": rolloutPart, "advanceWave": rolloutPart, "haltRollout": rolloutID,
}

func channelPart(ch *db.Channel) any {
	if ch == nil {
		return nil
	}
	return []any{ch.ID, ch.Revision, ch.RequireApproval}
}

func groupPart(g *db.Group) any {
	if g == nil || g.DeletedAt != nil {
		return nil
	}
	return []any{g.ID, g.Revision, g.ChannelID}
}

func machinePart(m *db.Instance) any {
	if m == nil {
		return nil
	}
	return []any{m.ID, m.GroupID}
}

func rolloutID(r *db.GroupRollout) any {
	if r == nil {
		return nil
	}
	return r.ID
}

func rolloutPart(r *db.GroupRollout) any {
	if r == nil {
		return nil
	}
	return []any{r.ID, r.State, r.Epoch, r.Wave}
}
