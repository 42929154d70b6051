package view

import (
	"context"
	"fmt"
	"strconv"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/refusal"
	"github.com/coreroller/coreroller/fleet/quota"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/rollout/phrase"
	"github.com/coreroller/coreroller/store"
)

// maxRefusals limits the refusals that are read for the list.
const maxRefusals = 2 * maxAttention

// addRefusals adds what clients without credentials sent and the server refused in
// the last day.
func (s *Service) addRefusals(ctx context.Context, groups map[uuid.UUID]*db.Group, out *attentions) error {
	rows, err := s.db().Refusal.Query().Where(refusal.LastAtGT(s.now().Add(-s.store.Keep(store.KeepRefusals)))).
		Order(db.Desc(refusal.FieldRefused)).Limit(maxRefusals).All(ctx)
	if err != nil {
		return fmt.Errorf("read refusals: %w", err)
	}
	for _, row := range rows {
		id, _ := uuid.Parse(row.GroupID) // "" is none
		g := groups[id]
		if g == nil && row.GroupID != "" {
			continue // the group was deleted
		}
		kind := AttentionRefusals
		if quota.Kind(row.Kind) == quota.FailedCheck {
			kind = AttentionFailedChecks
		}
		out.add(g, kind, rollout.SeverityWarning, &row.FirstAt, refusedSentence(quota.Kind(row.Kind), row.Refused))
	}
	return nil
}

func refusedSentence(k quota.Kind, n int) string {
	switch k {
	case quota.CrossSite:
		return phrase.Count(n, "request") + " of a page of another site refused: a visitor's browser was used to act as a machine"
	case quota.NewMachine:
		return phrase.Count(n, "check") + " of new machines refused: more machines registered in a minute than the quota allows"
	case quota.History:
		return counted(n, "history entry was", "history entries were") + " not stored: machines report more changes in an hour than the quota allows"
	case quota.Version:
		return counted(n, "version was", "versions were") + " stored as " + quota.OtherVersion + ": machines report more versions than the quota allows"
	case quota.Platform:
		return counted(n, "platform was", "platforms were") + " stored as " + quota.Other + ": machines report more platforms than the quota allows"
	case quota.FailedCheck:
		return phrase.Count(n, "failed update check") + " reported by machines within minutes: the update address, or a proxy before it, does not answer as it should"
	case quota.Mirror:
		return phrase.Count(n, "check") + " of mirrors that --mirrors does not list answered like those of machines"
	}
	return phrase.Count(n, "request") + " refused"
}

func counted(n int, one, many string) string { return strconv.Itoa(n) + " " + either(n, one, many) }
