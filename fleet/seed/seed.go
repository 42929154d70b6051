// Package seed fills a new database with what deployed machines expect:
// Flatcar Container Linux with its channels and groups.
package seed

import (
	"context"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/change"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/rollout/policy"
)

// Preinstall creates the default team, and Flatcar Container Linux with a channel
// and a group for each track and architecture. It changes nothing in a database
// that already has a team.
func Preinstall(ctx context.Context, changes *change.Writer) error {
	who, err := fault.Require(ctx, auth.Owner)
	if err != nil {
		return err
	}
	v := change.Verb{Name: "preinstall", By: who, Object: "application", ID: catalog.FlatcarID(), Unique: "name"}
	return changes.Configure(ctx, v, func(c *change.Change) error {
		old, err := c.Tx.Client().Team.Query().Exist(ctx)
		if err != nil {
			return err
		}
		if old {
			return change.ErrUnchanged
		}
		if err := c.Tx.Client().Team.Create().SetID(catalog.DefaultTeamID()).SetName("default").SetCreatedAt(c.Now).Exec(ctx); err != nil {
			return err
		}
		row, err := c.Tx.Client().Application.Create().SetID(catalog.FlatcarID()).SetTeamID(catalog.DefaultTeamID()).SetCreatedAt(c.Now).
			SetName("Flatcar Container Linux").SetDescription("An operating system for containers").Save(ctx)
		if err != nil {
			return err
		}
		c.App = catalog.FlatcarID()
		for _, k := range catalog.WellKnownGroups() {
			if err := preinstall(c, k); err != nil {
				return err
			}
		}
		return c.Saved(row, nil)
	})
}

func preinstall(c *change.Change, k catalog.WellKnown) error {
	channel := uuid.MustParse(k.Channel)
	err := c.Tx.Client().Channel.Create().SetID(channel).SetApplicationID(catalog.FlatcarID()).SetCreatedAt(c.Now).
		SetName(k.Track).SetColor(color(k)).SetArch(k.Arch).Exec(c.Ctx)
	if err != nil {
		return err
	}
	return c.Tx.Client().Group.Create().SetID(uuid.MustParse(k.Group)).SetApplicationID(catalog.FlatcarID()).SetCreatedAt(c.Now).
		SetName(name(k)).SetTrack(k.Track).SetArch(k.Arch).SetChannelID(channel).SetPolicy(policyOf(k)).Exec(c.Ctx)
}

// name returns the group's name; those of amd64 are the names of CoreRoller 1.0.
func name(k catalog.WellKnown) string {
	name := strings.ToUpper(k.Track[:1]) + k.Track[1:]
	if k.Arch == "arm64" {
		name += " (ARM64)"
	}
	return name
}

func color(k catalog.WellKnown) string {
	return map[string]string{"stable": "#14b9d6", "beta": "#fc7f33", "alpha": "#1fbb86", "edge": "#f4ab3b"}[k.Track]
}

func policyOf(k catalog.WellKnown) rollout.Policy {
	p := policy.Default()
	p.PeriodInterval = 15 * time.Minute
	p.MaxUpdatesPerPeriod, p.UpdateTimeout = 2, time.Hour
	if k.Track == "alpha" || k.Track == "edge" {
		p.MaxUpdatesPerPeriod, p.UpdateTimeout = 1, 30*time.Minute
	}
	p.MaxConcurrentUpdates = p.MaxUpdatesPerPeriod
	return p
}
