package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/coreroller/coreroller/client"
	"github.com/coreroller/coreroller/fleet/catalog"
)

// addPackage is the command line of `coreroller package add`.
type addPackage struct {
	client  signedIn
	app     string // id or product id
	folder  string
	channel string
	reason  string
	dryRun  bool
	input   packageInput
	files   []string
}

// packageInput is the input of the mutation createPackage.
type packageInput struct {
	ApplicationID string     `json:"applicationId,omitempty"`
	Type          string     `json:"type"`
	Arch          string     `json:"arch"`
	Version       string     `json:"version"`
	URL           string     `json:"url"`
	Filename      string     `json:"filename"`
	Size          int64      `json:"size"`
	SHA1          string     `json:"sha1"`
	SHA256        string     `json:"sha256"`
	Description   string     `json:"description"`
	Files         []fileFact `json:"files,omitempty"`
}

// fileFact is an additional file in packageInput.
type fileFact struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	SHA1   string `json:"sha1"`
	SHA256 string `json:"sha256"`
}

func packageCommand(p process) *cobra.Command {
	cmd := &cobra.Command{Use: "package", Short: "manage packages of a running server", Args: cobra.NoArgs, GroupID: client.GroupID}
	cmd.AddCommand(addPackageCommand(p))
	cmd.AddCommand(client.PackageCommands(p.terminal())...)
	return cmd
}

func addPackageCommand(p process) *cobra.Command {
	var a addPackage
	cmd := command("add URL|FILE", "add a package: compute size and digests of its file", `
Reads the file at a URL, or a local file, computes its size, SHA-1 and SHA-256, and
adds a package to a running server. Machines download it from the URL. A local file
is not uploaded: --folder is where machines find it.

Sign in with `+envPrefix+secretToken+`, a token of `+"`coreroller user token`"+`, or with --user and
`+envPrefix+secretPassword+`. Without them the password is read from the terminal or from the first line
of standard input.`,
		func(cmd *cobra.Command) error { return a.run(cmd.Context(), p, cmd.Flags().Arg(0)) })
	cmd.Args = func(_ *cobra.Command, args []string) error {
		if len(args) != 1 {
			return errors.New("expected one argument, the URL or the name of the file")
		}
		return nil
	}
	f := cmd.Flags()
	a.client.flags(f)
	f.StringVar(&a.app, "app", catalog.FlatcarID().String(), "application id or product id; default: Flatcar Container Linux")
	f.StringVar(&a.input.Version, "version", "", "version; default: the folder in the URL that is one, such as 4152.2.0")
	f.StringVar(&a.input.Arch, "arch", "", "amd64 or arm64; default: arm64 below a folder arm64-usr, else amd64")
	f.StringVar(&a.input.Type, "type", "", "operating-system, docker, rkt or other; default: operating-system for Flatcar Container Linux, else other")
	f.StringVar(&a.folder, "folder", "", "URL of the folder from which machines download; default: that of the URL")
	f.StringArrayVar(&a.files, "file", nil, "name of an additional file beside the first, such as oem-ami.gz; may be repeated")
	f.StringVar(&a.input.Description, "description", "", "description")
	f.StringVar(&a.channel, "channel", "", "name or id of a channel to promote the package to")
	f.StringVar(&a.reason, "reason", "", "reason of the promotion")
	f.BoolVar(&a.dryRun, "dry-run", false, "print the package as JSON, the input of createPackage, and do not add it")
	return cmd
}

func (a *addPackage) run(ctx context.Context, p process, source string) error {
	first, err := a.complete(source)
	if err != nil {
		return err
	}
	var channel uuid.UUID
	if !a.dryRun {
		if err := a.client.signIn(ctx, p); err != nil {
			return err
		}
		// Before the file is read, which may take minutes.
		if channel, err = a.find(ctx); err != nil {
			return err
		}
	}
	if err := a.read(ctx, p, first); err != nil {
		if ctx.Err() != nil {
			return errors.New("interrupted: no package was added")
		}
		return err
	}
	if a.dryRun {
		out := json.NewEncoder(p.Stdout)
		out.SetIndent("", "  ")
		return out.Encode(a.input)
	}
	id, err := a.create(ctx)
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(p.Stdout, "package %s (%s) was added, id %s\n", a.input.Version, a.input.Arch, id)
	if a.channel == "" {
		return nil
	}
	if err := a.promote(ctx, channel, id); err != nil {
		return fmt.Errorf("the package was added, but not promoted: %w", err)
	}
	_, err = fmt.Fprintf(p.Stdout, "channel %s offers it\n", a.channel)
	return err
}

// find sets the application and returns the channel. It rejects a version that
// exists.
func (a *addPackage) find(ctx context.Context) (channel uuid.UUID, err error) {
	var all struct {
		Applications []struct {
			ID, ProductID string
			Channels      []struct {
				ID         uuid.UUID
				Name, Arch string
			}
		}
	}
	err = a.client.send(ctx, `{ applications { id productId channels { id name arch } } }`, nil, &all)
	if err != nil {
		return channel, err
	}
	for _, app := range all.Applications {
		if !strings.EqualFold(app.ID, a.app) && (a.app == "" || !strings.EqualFold(app.ProductID, a.app)) {
			continue
		}
		a.input.ApplicationID = app.ID
		for _, ch := range app.Channels {
			if ch.Arch == a.input.Arch && (ch.Name == a.channel || ch.ID.String() == a.channel) {
				channel = ch.ID
			}
		}
	}
	switch {
	case a.input.ApplicationID == "":
		return channel, fmt.Errorf("--app %s: the server has no such application", a.app)
	case a.channel != "" && channel == uuid.Nil:
		return channel, fmt.Errorf("--channel %s: the application has no such channel for %s", a.channel, a.input.Arch)
	}
	return channel, a.unknown(ctx)
}

// unknown returns an error if the application has the version.
func (a *addPackage) unknown(ctx context.Context) error {
	var one struct {
		Application struct {
			Packages struct{ Nodes []struct{ Version string } }
		}
	}
	err := a.client.send(ctx, `query($id: ID!, $filter: PackageFilter!) { application(id: $id) { packages(filter: $filter, first: 500) { nodes { version } } } }`,
		map[string]any{"id": a.input.ApplicationID, "filter": map[string]any{"arch": a.input.Arch, "version": a.input.Version}}, &one)
	for _, row := range one.Application.Packages.Nodes {
		if row.Version == a.input.Version {
			return fmt.Errorf("the application has package %s (%s) already", row.Version, a.input.Arch)
		}
	}
	return err
}

func (a *addPackage) create(ctx context.Context) (uuid.UUID, error) {
	var made struct {
		CreatePackage struct {
			Package struct{ ID uuid.UUID }
		}
	}
	err := a.client.send(ctx, `mutation($input: CreatePackageInput!) { createPackage(input: $input) { package { id } userErrors { code field message } } }`,
		map[string]any{"input": a.input}, &made)
	return made.CreatePackage.Package.ID, err
}

func (a *addPackage) promote(ctx context.Context, channel, id uuid.UUID) error {
	return a.client.send(ctx, `mutation($input: PromotePackageInput!) { promotePackage(input: $input) { userErrors { code field message } } }`,
		map[string]any{"input": map[string]any{"channelId": channel, "packageId": id, "reason": a.reason}}, nil)
}
