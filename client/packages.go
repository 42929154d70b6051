package client

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"
)

// PackageCommands returns the subcommands of package.
func PackageCommands(t Terminal) []*cobra.Command {
	return []*cobra.Command{
		listPackagesCommand(t), createPackageCommand(t), pushCommand(t), packageFilesCommand(t), promoteCommand(t),
		blacklistCommand(t), unblacklistCommand(t),
	}
}

// packageRow is a package in a list.
type packageRow struct {
	ID        string    `json:"id"`
	Version   string    `json:"version"`
	Arch      string    `json:"arch"`
	Type      string    `json:"type"`
	URL       string    `json:"url"`
	Filename  string    `json:"filename"`
	Size      int64     `json:"size"`
	SHA256    string    `json:"sha256"`
	CreatedAt time.Time `json:"createdAt"`
	Channels  []named   `json:"channels"`

	Blacklistings []struct {
		Channel named `json:"channel"`
	} `json:"blacklistings"`
}

func listPackagesCommand(t Terminal) *cobra.Command {
	var where scope
	var version string
	var limit int
	cmd := t.command("list", "list the packages of an application, newest first", "",
		"  coreroller package list --app \"Flatcar Container Linux\" --arch arm64\n  coreroller package list --app io.example.agent --version 3. -o json",
		func(ctx context.Context, s *session, _ []string) error {
			app, err := s.findApplication(ctx, where.app)
			if err != nil {
				return err
			}
			filter := map[string]any{}
			put(filter, "arch", where.arch)
			put(filter, "version", version)
			answer, err := read[struct {
				Application struct{ Packages struct{ Nodes []packageRow } }
			}](ctx, s, `query($id: ID!, $filter: PackageFilter!, $first: Int!) { application(id: $id) { packages(filter: $filter, first: $first) { nodes {
  id version arch type url filename size sha256 createdAt channels { id name } blacklistings { channel { id name } } } } } }`,
				map[string]any{"id": app.ID, "filter": filter, "first": limit})
			if err != nil {
				return err
			}
			all := answer.Application.Packages.Nodes
			return s.show(all, func() {
				rows := make([][]any, len(all))
				for i, p := range all {
					rows[i] = []any{p.Version, p.Arch, enum(p.Type), clock(p.CreatedAt), p.places(), p.ID}
				}
				s.table([]string{"VERSION", "ARCH", "TYPE", "CREATED", "CHANNELS", "ID"}, rows)
			})
		})
	where.flags(cmd)
	cmd.Flags().StringVar(&version, "version", "", "only versions that begin with this text")
	limitFlag(cmd, &limit)
	return cmd
}

// places are the channels of a package, and those on which it is forbidden.
func (p packageRow) places() string {
	text := ""
	add := func(name string) {
		if text != "" {
			text += ", "
		}
		text += name
	}
	for _, c := range p.Channels {
		add(c.Name)
	}
	for _, b := range p.Blacklistings {
		add("not " + b.Channel.Name)
	}
	return dash(text)
}

// limitFlag is the length of a list.
func limitFlag(cmd *cobra.Command, limit *int) {
	cmd.Flags().IntVar(limit, "limit", 50, "most entries, up to 500")
}

// put adds a condition if it is set.
func put(filter map[string]any, name, value string) {
	if value != "" {
		filter[name] = value
	}
}

func createPackageCommand(t Terminal) *cobra.Command {
	var where scope
	var kind, url, filename, sha1, sha256, description string
	var size int64
	cmd := t.command("create VERSION", "create a package from known facts; see also add", `
Creates a package whose size and digests are known, such as from a build. "coreroller package add"
computes them from the file instead.`,
		`  coreroller package create 3.8.0 --app io.example.agent --url https://dl.example.com/agent/3.8.0/ \
    --filename agent.tar.gz --size 1048576 --sha256 5891b5b5…`,
		func(ctx context.Context, s *session, args []string) error {
			if url == "" {
				return usage("--url is missing: the folder from which machines download")
			}
			app, err := s.findApplication(ctx, where.app)
			if err != nil {
				return err
			}
			return s.make(ctx, change{
				mutation: "createPackage", done: fmt.Sprintf("Package %s of %s was created.", args[0], app.Name),
				input: map[string]any{
					"applicationId": app.ID, "version": args[0], "type": enumInput(kind), "arch": where.arch, "url": url, "filename": filename,
					"size": size, "sha1": sha1, "sha256": sha256, "description": description,
				},
			}, proposing{})
		})
	where.flags(cmd)
	f := cmd.Flags()
	f.StringVar(&kind, "type", "other", "operating-system, docker, rkt or other")
	f.StringVar(&url, "url", "", "URL of the folder from which machines download")
	f.StringVar(&filename, "filename", "", "name of the file in the folder")
	f.Int64Var(&size, "size", 0, "size of the file in bytes")
	f.StringVar(&sha1, "sha1", "", "SHA-1 of the file, base64 with padding")
	f.StringVar(&sha256, "sha256", "", "SHA-256 of the file, hex")
	f.StringVar(&description, "description", "", "description")
	return cmd
}

// onChannel is a command that concerns a package and a channel.
type onChannel struct {
	where           scope
	channel, reason string
}

func (o *onChannel) flags(cmd *cobra.Command) {
	o.where.flags(cmd)
	cmd.Flags().StringVar(&o.channel, "channel", "", "name or id of the channel")
	reasonFlag(cmd, &o.reason)
}

// find returns the channel and the id of the version.
func (o *onChannel) find(ctx context.Context, s *session, version string) (channel place, id string, err error) {
	if o.channel == "" {
		return channel, "", usage("--channel is missing: name the channel; coreroller channels lists them")
	}
	if channel, err = s.findChannel(ctx, o.channel, o.where); err != nil {
		return channel, "", err
	}
	id, err = s.findPackage(ctx, channel.app, channel.Arch, version)
	return channel, id, err
}

// input is what all mutations of a package and a channel have.
func (o *onChannel) input(channel place, id string) map[string]any {
	return map[string]any{"channelId": channel.ID, "packageId": id, "reason": o.reason}
}

func promoteCommand(t Terminal) *cobra.Command {
	var o onChannel
	var p proposing
	var dryRun bool
	cmd := t.command("promote VERSION", "point a channel to a package, so that its groups update",
		"Points a channel to a package. Every group of the channel starts a rollout under its policy.",
		"  coreroller package promote 4459.2.1 --channel stable --arch amd64 --dry-run\n"+
			"  coreroller package promote 4459.2.1 --channel stable --arch amd64 --reason \"beta ran a week\"\n"+
			"  coreroller package promote 4459.2.1 --channel stable --arch amd64 --propose --reason \"beta ran a week\"",
		func(ctx context.Context, s *session, args []string) error {
			channel, id, err := o.find(ctx, s, args[0])
			if err != nil {
				return err
			}
			if dryRun {
				answer, err := read[struct{ Impact impact }](ctx, s,
					`query($channel: ID!, $package: ID!) { impact: promotionImpact(channelId: $channel, packageId: $package) { `+impactFields+` } }`,
					map[string]any{"channel": channel.ID, "package": id})
				if err != nil {
					return err
				}
				return s.preview(answer.Impact)
			}
			return s.make(ctx, change{
				mutation: "promotePackage", input: o.input(channel, id),
				done: fmt.Sprintf("Channel %s (%s) offers %s.", channel.path(), channel.Arch, args[0]),
			}, p)
		})
	o.flags(cmd)
	p.flags(cmd)
	dryRunFlag(cmd, &dryRun)
	return cmd
}

func blacklistCommand(t Terminal) *cobra.Command {
	var o onChannel
	var downgrade bool
	cmd := t.command("blacklist VERSION", "forbid a package on a channel",
		"Forbids a package on a channel. The package that the channel offers cannot be forbidden: roll back instead.",
		"  coreroller package blacklist 4459.2.0 --channel stable --arch amd64 --reason \"loses its network\"",
		func(ctx context.Context, s *session, args []string) error {
			channel, id, err := o.find(ctx, s, args[0])
			if err != nil {
				return err
			}
			input := o.input(channel, id)
			if downgrade {
				input["downgrade"] = "MACHINES_ON_BLACKLISTED"
			}
			return s.make(ctx, change{
				mutation: "blacklistPackage", input: input,
				done: fmt.Sprintf("%s is forbidden on channel %s (%s).", args[0], channel.path(), channel.Arch),
			}, proposing{})
		})
	o.flags(cmd)
	downgradeFlag(cmd, &downgrade)
	return cmd
}

func downgradeFlag(cmd *cobra.Command, downgrade *bool) {
	cmd.Flags().BoolVar(downgrade, "downgrade", false, "offer the channel's lower version to machines that run the forbidden one")
}

func unblacklistCommand(t Terminal) *cobra.Command {
	var o onChannel
	cmd := t.command("unblacklist VERSION", "permit a package on a channel again", "",
		"  coreroller package unblacklist 4459.2.0 --channel stable --arch amd64 --reason \"was a bad switch\"",
		func(ctx context.Context, s *session, args []string) error {
			channel, id, err := o.find(ctx, s, args[0])
			if err != nil {
				return err
			}
			return s.make(ctx, change{
				mutation: "unblacklistPackage", input: o.input(channel, id),
				done: fmt.Sprintf("%s is permitted on channel %s (%s).", args[0], channel.path(), channel.Arch),
			}, proposing{})
		})
	o.flags(cmd)
	return cmd
}
