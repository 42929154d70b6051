package foreign

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// Configuration is all configuration of a database, in the order of creation.
type Configuration struct {
	Teams        []Team
	Users        []User
	Applications []Application
	Packages     []*Package
	Channels     []*Channel
	Groups       []*Group
}

// Team is a row of team.
type Team struct {
	ID        uuid.UUID
	Name      string
	CreatedAt time.Time
}

// User is a row of users, without its secret.
type User struct {
	Name   string
	TeamID uuid.UUID
}

// Application is a row of application.
type Application struct {
	ID, TeamID                   uuid.UUID
	Name, Description, ProductID string
	CreatedAt                    time.Time
}

// Package is a row of package with what belongs to it.
type Package struct {
	ID, ApplicationID uuid.UUID
	Type, Arch        int
	Version, URL      string
	Filename          string
	Description       string
	Size, Hash        string // as stored: see the columns of the same names
	CreatedAt         time.Time
	Actions           []Action // oldest first
	Files             []File
	Blacklist         []uuid.UUID // channels
}

// Action is a row of flatcar_action or coreos_action.
type Action struct {
	SHA256, ChromeOSVersion, MetadataSignatureRSA, MetadataSize, Deadline string

	NeedsAdmin, IsDelta, DisablePayloadBackoff bool
}

// File is a row of package_file.
type File struct{ Name, Size, Hash, SHA256 string }

// Channel is a row of channel with its floors.
type Channel struct {
	ID, ApplicationID uuid.UUID
	Name, Color       string
	Arch              int
	PackageID         uuid.UUID // zero: none
	Floors            []Floor
	CreatedAt         time.Time
}

// Floor is a row of channel_package_floors.
type Floor struct {
	PackageID uuid.UUID
	Reason    string
}

// Group is a row of groups with the policy in force.
type Group struct {
	ID, ApplicationID  uuid.UUID
	ChannelID          uuid.UUID // zero: none
	Name, Description  string
	Track              string // "" in databases without tracks
	CreatedAt          time.Time
	UpdatesEnabled     bool
	SafeMode           bool
	OfficeHours        bool
	Timezone           string
	MaxUpdates         int
	Period, Timeout    Interval
	LocalPolicy        bool // a value of this server replaces one of the policy
	RolledOutBefore    bool // an activity says that a rollout failed
	RolloutsInProgress bool
}

// Interval is a text that PostgreSQL may or may not read as an interval.
type Interval struct {
	Text   string
	Length time.Duration // 0 unless Valid
	Valid  bool
}

// Configuration reads all configuration.
func (s *Source) Configuration(ctx context.Context) (*Configuration, error) {
	c := &Configuration{}
	for _, part := range []struct {
		name string
		read func(context.Context, *Configuration) error
	}{
		{"team", s.readTeams}, {"users", s.readUsers}, {"application", s.readApplications}, {"package", s.readPackages},
		{"the actions of packages", s.readActions}, {"package_file", s.readFiles}, {"package_channel_blacklist", s.readBlacklist},
		{"channel", s.readChannels}, {"channel_package_floors", s.readFloors}, {"groups", s.readGroups}, {"intervals", s.readIntervals},
	} {
		if err := part.read(ctx, c); err != nil {
			return nil, fmt.Errorf("read %s: %w", part.name, err)
		}
	}
	return c, nil
}

func (s *Source) readTeams(ctx context.Context, c *Configuration) error {
	rows, err := s.tx.QueryContext(ctx, "SELECT id, name, created_ts FROM team ORDER BY created_ts, id")
	if err != nil {
		return err
	}
	return each(rows, func() error {
		var t Team
		err := rows.Scan(&t.ID, &t.Name, &t.CreatedAt)
		c.Teams = append(c.Teams, t)
		return err
	})
}

func (s *Source) readUsers(ctx context.Context, c *Configuration) error {
	if !s.columns["users.username"] {
		return nil
	}
	rows, err := s.tx.QueryContext(ctx, "SELECT username, team_id FROM users ORDER BY created_ts, id")
	if err != nil {
		return err
	}
	return each(rows, func() error {
		var u User
		err := rows.Scan(&u.Name, &u.TeamID)
		c.Users = append(c.Users, u)
		return err
	})
}

func (s *Source) readApplications(ctx context.Context, c *Configuration) error {
	rows, err := s.tx.QueryContext(ctx, "SELECT a.id, a.team_id, a.name, left(COALESCE(a.description, ''), 20000), COALESCE("+ //nolint:gosec // G202: names of columns, from this package
		s.optional("a", "application", "product_id", "NULL")+", ''), a.created_ts FROM application a ORDER BY a.created_ts, a.id")
	if err != nil {
		return err
	}
	return each(rows, func() error {
		var a Application
		err := rows.Scan(&a.ID, &a.TeamID, &a.Name, &a.Description, &a.ProductID, &a.CreatedAt)
		c.Applications = append(c.Applications, a)
		return err
	})
}

func (s *Source) readPackages(ctx context.Context, c *Configuration) error {
	//nolint:gosec // G202: names of columns, from this package
	rows, err := s.tx.QueryContext(ctx, "SELECT p.id, p.application_id, p.type, "+s.optional("p", "package", "arch", "1")+`, p.version, p.url,
		COALESCE(p.filename, ''), left(COALESCE(p.description, ''), 20000), COALESCE(p.size, ''), COALESCE(p.hash, ''), p.created_ts
		FROM package p ORDER BY p.created_ts, p.id`)
	if err != nil {
		return err
	}
	return each(rows, func() error {
		p := &Package{}
		err := rows.Scan(&p.ID, &p.ApplicationID, &p.Type, &p.Arch, &p.Version, &p.URL, &p.Filename, &p.Description, &p.Size, &p.Hash, &p.CreatedAt)
		c.Packages = append(c.Packages, p)
		return err
	})
}

func (c *Configuration) packages() map[uuid.UUID]*Package {
	all := make(map[uuid.UUID]*Package, len(c.Packages))
	for _, p := range c.Packages {
		all[p.ID] = p
	}
	return all
}

func (s *Source) readActions(ctx context.Context, c *Configuration) error {
	table := "flatcar_action"
	if !s.columns["flatcar_action.id"] {
		table = "coreos_action"
	}
	rows, err := s.tx.QueryContext(ctx, `SELECT package_id, COALESCE(sha256, ''), COALESCE(chromeos_version, ''), COALESCE(metadata_signature_rsa, ''),
		COALESCE(metadata_size, ''), COALESCE(deadline, ''), needs_admin, is_delta, disable_payload_backoff FROM `+table+" ORDER BY created_ts, id")
	if err != nil {
		return err
	}
	packages := c.packages()
	return each(rows, func() error {
		var id uuid.UUID
		var a Action
		err := rows.Scan(&id, &a.SHA256, &a.ChromeOSVersion, &a.MetadataSignatureRSA, &a.MetadataSize, &a.Deadline, &a.NeedsAdmin, &a.IsDelta, &a.DisablePayloadBackoff)
		if p := packages[id]; p != nil {
			p.Actions = append(p.Actions, a)
		}
		return err
	})
}

func (s *Source) readFiles(ctx context.Context, c *Configuration) error {
	if !s.columns["package_file.id"] {
		return nil
	}
	rows, err := s.tx.QueryContext(ctx, "SELECT f.package_id, f.name, COALESCE(f.size, ''), COALESCE(f.hash, ''), COALESCE("+ //nolint:gosec // G202: names of columns, from this package
		s.optional("f", "package_file", "hash256", "NULL")+", '') FROM package_file f ORDER BY f.id")
	if err != nil {
		return err
	}
	packages := c.packages()
	return each(rows, func() error {
		var id uuid.UUID
		var f File
		err := rows.Scan(&id, &f.Name, &f.Size, &f.Hash, &f.SHA256)
		if p := packages[id]; p != nil {
			p.Files = append(p.Files, f)
		}
		return err
	})
}

func (s *Source) readBlacklist(ctx context.Context, c *Configuration) error {
	if !s.columns["package_channel_blacklist.package_id"] {
		return nil
	}
	rows, err := s.tx.QueryContext(ctx, "SELECT package_id, channel_id FROM package_channel_blacklist ORDER BY package_id, channel_id")
	if err != nil {
		return err
	}
	packages := c.packages()
	return each(rows, func() error {
		var id, channel uuid.UUID
		err := rows.Scan(&id, &channel)
		if p := packages[id]; p != nil {
			p.Blacklist = append(p.Blacklist, channel)
		}
		return err
	})
}

func (s *Source) readChannels(ctx context.Context, c *Configuration) error {
	rows, err := s.tx.QueryContext(ctx, "SELECT c.id, c.application_id, c.name, c.color, "+s.optional("c", "channel", "arch", "1")+ //nolint:gosec // G202: names of columns, from this package
		", COALESCE(c.package_id, '00000000-0000-0000-0000-000000000000'), c.created_ts FROM channel c ORDER BY c.created_ts, c.id")
	if err != nil {
		return err
	}
	return each(rows, func() error {
		ch := &Channel{}
		err := rows.Scan(&ch.ID, &ch.ApplicationID, &ch.Name, &ch.Color, &ch.Arch, &ch.PackageID, &ch.CreatedAt)
		c.Channels = append(c.Channels, ch)
		return err
	})
}

func (s *Source) readFloors(ctx context.Context, c *Configuration) error {
	if !s.columns["channel_package_floors.package_id"] {
		return nil
	}
	channels := make(map[uuid.UUID]*Channel, len(c.Channels))
	for _, ch := range c.Channels {
		channels[ch.ID] = ch
	}
	rows, err := s.tx.QueryContext(ctx, "SELECT channel_id, package_id, left(COALESCE(floor_reason, ''), 2000) FROM channel_package_floors ORDER BY channel_id, package_id")
	if err != nil {
		return err
	}
	return each(rows, func() error {
		var id uuid.UUID
		var f Floor
		err := rows.Scan(&id, &f.PackageID, &f.Reason)
		if ch := channels[id]; ch != nil {
			ch.Floors = append(ch.Floors, f)
		}
		return err
	})
}

// overrides are the columns of group_local and of groups that they replace.
var overrides = []string{
	"policy_updates_enabled", "policy_safe_mode", "policy_office_hours", "policy_timezone", "policy_period_interval",
	"policy_max_updates_per_period", "policy_update_timeout",
}

func (s *Source) readGroups(ctx context.Context, c *Configuration) error {
	values, join, local := map[string]string{}, "", "false"
	for _, column := range overrides {
		values[column] = "g." + column
		if s.columns["group_local."+column+"_override"] {
			values[column] = "COALESCE(l." + column + "_override, g." + column + ")"
			local += " OR l." + column + "_override IS NOT NULL"
		}
	}
	running := s.optional("g", "groups", "rollout_in_progress", "false")
	if s.columns["group_local.group_id"] {
		join, running = " LEFT JOIN group_local l ON l.group_id = g.id", "COALESCE("+s.optional("l", "group_local", "rollout_in_progress", "false")+", false)"
	}
	//nolint:gosec // G202: names of columns, from this package
	rows, err := s.tx.QueryContext(ctx, `SELECT g.id, g.application_id, COALESCE(g.channel_id, '00000000-0000-0000-0000-000000000000'), g.name,
		left(COALESCE(g.description, ''), 20000), `+s.optional("g", "groups", "track", "''")+`, g.created_ts, `+
		values["policy_updates_enabled"]+", "+values["policy_safe_mode"]+", "+values["policy_office_hours"]+", COALESCE("+values["policy_timezone"]+", ''), "+
		values["policy_period_interval"]+", "+values["policy_max_updates_per_period"]+", "+values["policy_update_timeout"]+", ("+local+"), "+running+`,
		EXISTS (SELECT 1 FROM activity a WHERE a.group_id = g.id AND a.class = 4)
		FROM groups g`+join+" ORDER BY g.created_ts, g.id")
	if err != nil {
		return err
	}
	return each(rows, func() error {
		g := &Group{}
		err := rows.Scan(&g.ID, &g.ApplicationID, &g.ChannelID, &g.Name, &g.Description, &g.Track, &g.CreatedAt, &g.UpdatesEnabled, &g.SafeMode, &g.OfficeHours,
			&g.Timezone, &g.Period.Text, &g.MaxUpdates, &g.Timeout.Text, &g.LocalPolicy, &g.RolloutsInProgress, &g.RolledOutBefore)
		c.Groups = append(c.Groups, g)
		return err
	})
}

// readIntervals lets PostgreSQL read the intervals of the groups, each text once.
func (s *Source) readIntervals(ctx context.Context, c *Configuration) error {
	known := map[string]Interval{}
	for _, g := range c.Groups {
		for _, i := range []*Interval{&g.Period, &g.Timeout} {
			found, ok := known[i.Text]
			if !ok {
				length, valid, err := s.seconds(ctx, i.Text)
				if err != nil {
					return err
				}
				found = Interval{Text: i.Text}
				const most = float64(100 * 365 * 24 * time.Hour / time.Second) // a Duration holds 292 years
				if valid && length > 0 && length < most {
					found.Length, found.Valid = time.Duration(length*float64(time.Second)).Truncate(time.Millisecond), true
				}
				known[i.Text] = found
			}
			*i = found
		}
	}
	return nil
}
