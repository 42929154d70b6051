package client

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"
)

// fleetFile is the configuration of a server as `coreroller export` writes it and
// `coreroller apply` reads it. Objects are known by their names, so that a file fits
// more than one server.
type fleetFile struct {
	Applications []fileApplication `json:"applications"`
}

// fileApplication is an application. The other fields of the file have the names of the API.
type fileApplication struct {
	ID                string        `json:"-"`
	Name              string        `json:"name"`
	ProductID         string        `json:"productId,omitempty"`
	Description       string        `json:"description"`
	Versioning        string        `json:"versioning"`
	RequestAttributes []string      `json:"requestAttributes"`
	Packages          []filePackage `json:"packages"`
	Channels          []fileChannel `json:"channels"`
	Groups            []fileGroup   `json:"groups"`
}

// filePackage is known by version and architecture. The postinstall action of an
// operating system is not part of it: the server makes it from the digest.
type filePackage struct {
	ID          string `json:"-"`
	Version     string `json:"version"`
	Arch        string `json:"arch"`
	Type        string `json:"type"`
	URL         string `json:"url"`
	Filename    string `json:"filename"`
	Size        int64  `json:"size"`
	SHA1        string `json:"sha1"`
	SHA256      string `json:"sha256"`
	Description string `json:"description"`
	Files       []struct {
		Name   string `json:"name"`
		Size   int64  `json:"size"`
		SHA1   string `json:"sha1"`
		SHA256 string `json:"sha256"`
	} `json:"files,omitempty"`
}

// fileChannel is known by name and architecture.
type fileChannel struct {
	ID              string             `json:"-"`
	Name            string             `json:"name"`
	Arch            string             `json:"arch"`
	Color           string             `json:"color"`
	Package         string             `json:"package"` // version, "" for none
	RequireApproval bool               `json:"requireApproval"`
	Floors          []fileFloor        `json:"floors"`
	Blacklistings   []fileBlacklisting `json:"blacklistings"`
}

// fileFloor is known by the version of its package. The reason is sent once.
type fileFloor struct {
	Package string `json:"package"` // version
	Reason  string `json:"reason"`
}

// fileBlacklisting is known by the version of its package. The reason is sent once.
type fileBlacklisting struct {
	Package   string `json:"package"` // version
	Reason    string `json:"reason"`
	Downgrade string `json:"downgrade"`
}

// fileGroup is known by name and architecture.
type fileGroup struct {
	ID              string          `json:"-"`
	Name            string          `json:"name"`
	Arch            string          `json:"arch"`
	Track           string          `json:"track"`
	Aliases         []string        `json:"aliases"`
	Description     string          `json:"description"`
	Channel         string          `json:"channel"` // name, "" for none
	RequireApproval bool            `json:"requireApproval"`
	Expression      string          `json:"expression"` // "" for none
	Priority        int             `json:"priority"`
	Policy          json.RawMessage `json:"policy"`
}

// policyFields are all of PolicyInput but the pause, which is no configuration.
const policyFields = `safeMode maxUpdatesPerPeriod periodInterval maxConcurrentUpdates updateTimeout rebootTimeout lostAfter
  evidenceAge enrolledOnly timezone officeHours windows { days start end } freezes { from until reason }
  waves { share canaries expression soak minFinished minSuccessShare approval } haltFailureShare haltMinAttempts maxAttempts onDemand pollInterval
  rebootSlots rebootWindows { days start end } rebootOverdueAfter rebootReleaseAfter rebootOverdueLimit`

const fleetDocument = `{ applications { id name productId description versioning requestAttributes
  channels { id name arch color requireApproval package { version } }
  groups { id name arch track aliases description requireApproval expression priority channel { name } policy { ` + policyFields + ` } } } }`

const packagesDocument = `query($id: ID!, $after: String) { application(id: $id) { packages(first: 500, after: $after) {
  nodes { id version arch type url filename size sha1 sha256 description files { name size sha1 sha256 } }
  pageInfo { hasNextPage endCursor } } } }`

// readFleet reads the configuration of the server.
func (s *session) readFleet(ctx context.Context) (*fleetFile, error) {
	type channel struct {
		ID string
		fileChannel
		Package *version `json:"package"`
	}
	type group struct {
		ID string
		fileGroup
		Channel *named `json:"channel"`
	}
	answer, err := read[struct {
		Applications []struct {
			ID string
			fileApplication
			Channels []channel `json:"channels"`
			Groups   []group   `json:"groups"`
		}
	}](ctx, s, fleetDocument, nil)
	if err != nil {
		return nil, err
	}
	file := &fleetFile{Applications: []fileApplication{}}
	for _, a := range answer.Applications {
		app := a.fileApplication
		app.ID, app.Channels, app.Groups = a.ID, []fileChannel{}, []fileGroup{}
		for _, c := range a.Channels {
			c.fileChannel.ID = c.ID
			if c.Package != nil {
				c.fileChannel.Package = c.Package.Version
			}
			app.Channels = append(app.Channels, c.fileChannel)
		}
		for _, g := range a.Groups {
			g.fileGroup.ID = g.ID
			if g.Channel != nil {
				g.fileGroup.Channel = g.Channel.Name
			}
			app.Groups = append(app.Groups, g.fileGroup)
		}
		if app.Packages, err = s.readPackages(ctx, app.ID); err != nil {
			return nil, err
		}
		if err := s.readLists(ctx, &app); err != nil {
			return nil, err
		}
		file.Applications = append(file.Applications, app)
	}
	return file, nil
}

const listsDocument = `query($id: ID!) { application(id: $id) { channels { id
  floors { reason package { version } } blacklistings { reason recalled package { version } } } } }`

// readLists reads the floors and blacklistings of an application's channels. In one query
// for all applications they would cost more than the server permits.
func (s *session) readLists(ctx context.Context, app *fileApplication) error {
	answer, err := read[struct {
		Application struct {
			Channels []struct {
				ID     string
				Floors []struct {
					Package version
					Reason  string
				}
				Blacklistings []struct {
					Package  version
					Reason   string
					Recalled bool
				}
			}
		}
	}](ctx, s, listsDocument, map[string]any{"id": app.ID})
	if err != nil {
		return err
	}
	for i := range app.Channels {
		c := &app.Channels[i]
		c.Floors, c.Blacklistings = []fileFloor{}, []fileBlacklisting{}
		for _, have := range answer.Application.Channels {
			if have.ID != c.ID {
				continue
			}
			for _, f := range have.Floors {
				c.Floors = append(c.Floors, fileFloor{f.Package.Version, f.Reason})
			}
			for _, b := range have.Blacklistings {
				downgrade := map[bool]string{false: "NEVER", true: "MACHINES_ON_BLACKLISTED"}[b.Recalled]
				c.Blacklistings = append(c.Blacklistings, fileBlacklisting{b.Package.Version, b.Reason, downgrade})
			}
		}
		slices.SortFunc(c.Blacklistings, func(a, b fileBlacklisting) int { return strings.Compare(a.Package, b.Package) })
	}
	return nil
}

// readPackages reads all packages of an application.
func (s *session) readPackages(ctx context.Context, app string) ([]filePackage, error) {
	type node struct {
		ID string
		filePackage
	}
	all, variables := []filePackage{}, map[string]any{"id": app}
	for {
		answer, err := read[struct {
			Application struct {
				Packages struct {
					Nodes    []node
					PageInfo struct {
						HasNextPage bool
						EndCursor   string
					}
				}
			}
		}](ctx, s, packagesDocument, variables)
		if err != nil {
			return nil, err
		}
		page := answer.Application.Packages
		for _, n := range page.Nodes {
			n.filePackage.ID = n.ID
			all = append(all, n.filePackage)
		}
		if !page.PageInfo.HasNextPage {
			// The same configuration is the same file, whenever its packages were made.
			slices.SortFunc(all, func(a, b filePackage) int {
				return cmp.Or(strings.Compare(a.Version, b.Version), strings.Compare(a.Arch, b.Arch))
			})
			return all, nil
		}
		variables["after"] = page.PageInfo.EndCursor
	}
}

func exportCommand(t Terminal) *cobra.Command {
	var app string
	cmd := t.command("export", "print the configuration of the server as a file for apply", `
Prints applications with their packages, channels, groups and policies, as YAML or with -o json.
Machines, rollouts, pauses, users and secrets are not part of it.`,
		"  coreroller export > fleet.yaml\n  coreroller export --app io.example.agent > agent.yaml",
		func(ctx context.Context, s *session, _ []string) error {
			file, err := s.readFleet(ctx)
			if err != nil {
				return err
			}
			if app != "" {
				one, err := s.findApplication(ctx, app)
				if err != nil {
					return err
				}
				for _, a := range file.Applications {
					if a.ID == one.ID {
						file = &fleetFile{Applications: []fileApplication{a}}
						break
					}
				}
			}
			if s.format == "table" {
				s.format = "yaml"
			}
			return s.show(file, nil)
		})
	cmd.Flags().StringVar(&app, "app", "", "name, product id or id of the only application to export; default: all")
	return cmd
}

// object is an object of a file as its fields, so that those that are missing are known.
type object = map[string]any

// readFleetFile reads a file, and checks its form: fields and types.
func readFleetFile(in io.Reader, name string) ([]object, error) {
	text, err := io.ReadAll(in)
	if err != nil {
		return nil, err
	}
	data, err := yaml.YAMLToJSON(text)
	if err != nil {
		return nil, usage("%s is no YAML: %v", name, err)
	}
	check := json.NewDecoder(bytes.NewReader(data))
	check.DisallowUnknownFields()
	if err := check.Decode(new(fleetFile)); err != nil {
		return nil, usage("%s: %v; coreroller export prints a file with all fields", name, err)
	}
	var file struct{ Applications []object }
	if err := decodeNumbers(data, &file); err != nil {
		return nil, err
	}
	if len(file.Applications) == 0 {
		return nil, usage("%s has no applications", name)
	}
	return file.Applications, nil
}

// decodeNumbers decodes JSON without rounding numbers.
func decodeNumbers(data []byte, out any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	return d.Decode(out)
}

// fieldsOf returns an object of the server in the form of the file.
func fieldsOf(value any) (object, error) {
	data, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	var fields object
	return fields, decodeNumbers(data, &fields)
}

// openFile opens the file of a flag, - for standard input.
func (t Terminal) openFile(name string) (*os.File, error) {
	switch name {
	case "":
		return nil, usage("-f is missing: the file to apply; coreroller export prints one")
	case "-":
		return t.Stdin, nil
	}
	f, err := os.Open(name) //nolint:gosec // G304: the user names the file
	if errors.Is(err, os.ErrNotExist) {
		return nil, usage("-f %s: there is no such file", name)
	}
	if err != nil {
		return nil, fmt.Errorf("-f: %w", err)
	}
	return f, nil
}
