package fleet

import (
	"context"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/rollout"
)

// DefaultTeamID is the team of a new database, as it was in CoreRoller 1.0.
func DefaultTeamID() uuid.UUID { return uuid.MustParse("d89342dc-9214-441d-a4af-bdd837a3b239") }

// FlatcarID is the application of a new database; machines in the field have
// it built in.
func FlatcarID() uuid.UUID { return uuid.MustParse("e96281a6-d1af-4bde-9a0a-97b76e56dc57") }

// wellKnown is a group and channel of the pre-installed application.
type wellKnown struct {
	track, arch    string
	group, channel string // ids
}

func wellKnownGroups() []wellKnown {
	return []wellKnown{
		{"stable", "amd64", "9a2deb70-37be-4026-853f-bfdd6b347bbe", "e06064ad-4414-4904-9a6e-fd465593d1b2"},
		{"beta", "amd64", "3fe10490-dd73-4b49-b72a-28ac19acfcdc", "128b8c29-5058-4643-8e67-a1a0e3c641c9"},
		{"alpha", "amd64", "5b810680-e36a-4879-b98a-4f989e80b899", "a87a03ad-4984-47a1-8dc4-3507bae91ee1"},
		{"edge", "amd64", "72834a2b-ad86-4d6d-b498-e08a19ebe54e", "72834a2b-ad86-4d6d-b498-e08a19ebe54e"},
		{"stable", "arm64", "11a585f6-9418-4df0-8863-78b2fd3240f8", "5dfe7b12-c94a-470d-a2b6-2eae78c5c9f5"},
		{"beta", "arm64", "d112ec01-ba34-4a9e-9d4b-9814a685f266", "cf20698b-1f19-43d6-b6f6-d15c796cb217"},
		{"alpha", "arm64", "e641708d-fb48-4260-8bdf-ba2074a1147a", "def12ce0-3ba4-4649-b290-8843f3b455eb"},
		{"edge", "arm64", "b4b2fa22-c1ea-498c-a8ac-c1dc0b1d7c17", "30b6ffa6-e6dc-4a01-bea6-9ce7f1a5bb34"},
	}
}

// wellKnownTrack is the track a pre-installed group id stands for, "" for any
// other id: machines keep naming it after the group was replaced by another.
func wellKnownTrack(id uuid.UUID) string {
	text := id.String()
	for _, k := range wellKnownGroups() {
		if k.group == text {
			return k.track
		}
	}
	return ""
}

// Preinstall fills a new database: the default team, and Flatcar Container
// Linux with a channel and a group for each track and architecture. It leaves
// a database alone that has a team already.
func (s *Service) Preinstall(ctx context.Context) error {
	who, err := require(ctx, auth.Own)
	if err != nil {
		return err
	}
	v := verb{name: "preinstall", by: who, object: "application", id: FlatcarID(), unique: "name"}
	return s.configure(ctx, v, func(c *change) error {
		old, err := c.tx.Client().Team.Query().Exist(ctx)
		if err != nil {
			return err
		}
		if old {
			return errUnchanged
		}
		if err := c.tx.Client().Team.Create().SetID(DefaultTeamID()).SetName("default").SetCreatedAt(c.now).Exec(ctx); err != nil {
			return err
		}
		row, err := c.tx.Client().Application.Create().SetID(FlatcarID()).SetTeamID(DefaultTeamID()).SetCreatedAt(c.now).
			SetName("Flatcar Container Linux").SetDescription("An operating system for containers").Save(ctx)
		if err != nil {
			return err
		}
		c.verb.app = FlatcarID()
		for _, k := range wellKnownGroups() {
			if err := c.preinstall(k); err != nil {
				return err
			}
		}
		return c.saved(row, nil)
	})
}

func (c *change) preinstall(k wellKnown) error {
	channel := uuid.MustParse(k.channel)
	err := c.tx.Client().Channel.Create().SetID(channel).SetApplicationID(FlatcarID()).SetCreatedAt(c.now).
		SetName(k.track).SetColor(k.color()).SetArch(k.arch).Exec(c.ctx)
	if err != nil {
		return err
	}
	return c.tx.Client().Group.Create().SetID(uuid.MustParse(k.group)).SetApplicationID(FlatcarID()).SetCreatedAt(c.now).
		SetName(k.name()).SetTrack(k.track).SetArch(k.arch).SetChannelID(channel).SetPolicy(k.policy()).Exec(c.ctx)
}

// name is what the group was called before there was a second architecture.
func (k wellKnown) name() string {
	name := strings.ToUpper(k.track[:1]) + k.track[1:]
	if k.arch == "arm64" {
		name += " (ARM64)"
	}
	return name
}

func (k wellKnown) color() string {
	return map[string]string{"stable": "#14b9d6", "beta": "#fc7f33", "alpha": "#1fbb86", "edge": "#f4ab3b"}[k.track]
}

func (k wellKnown) policy() rollout.Policy {
	p := rollout.DefaultPolicy()
	p.PeriodInterval = 15 * time.Minute
	p.MaxUpdatesPerPeriod, p.UpdateTimeout = 2, time.Hour
	if k.track == "alpha" || k.track == "edge" {
		p.MaxUpdatesPerPeriod, p.UpdateTimeout = 1, 30*time.Minute
	}
	p.MaxConcurrentUpdates = p.MaxUpdatesPerPeriod
	return p
}
