package client

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// application is an application with the names of what it contains.
type application struct {
	ID        string  `json:"id"`
	Name      string  `json:"name"`
	ProductID string  `json:"productId,omitempty"`
	Groups    []place `json:"groups,omitempty"`
	Channels  []place `json:"channels,omitempty"`
}

// place is a group or a channel.
type place struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Arch    string `json:"arch"`
	Channel *struct {
		ID string `json:"id"`
	} `json:"channel,omitempty"`

	kind string // group or channel
	app  *application
}

// path is the name with the application.
func (p place) path() string { return p.app.Name + "/" + p.Name }

// scope narrows names to an application and an architecture.
type scope struct{ app, arch string }

func (c *scope) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&c.app, "app", "", "name, product id or id of the application, when several have the name")
	cmd.Flags().StringVar(&c.arch, "arch", "", "amd64 or arm64, when both have the name")
}

const directoryDocument = `{ applications { id name productId
  groups { id name arch channel { id } } channels { id name arch } } }`

// directory reads the applications with their groups and channels.
func (s *session) directory(ctx context.Context) ([]application, error) {
	answer, err := read[struct{ Applications []application }](ctx, s, directoryDocument, nil)
	for i := range answer.Applications {
		app := &answer.Applications[i]
		for j := range app.Groups {
			app.Groups[j].kind, app.Groups[j].app = "group", app
		}
		for j := range app.Channels {
			app.Channels[j].kind, app.Channels[j].app = "channel", app
		}
	}
	return answer.Applications, err
}

// is reports whether a name means the application.
func (a *application) is(name string) bool {
	return strings.EqualFold(name, a.ID) || strings.EqualFold(name, a.Name) || a.ProductID != "" && strings.EqualFold(name, a.ProductID)
}

// findApplication returns the application that a name means.
func (s *session) findApplication(ctx context.Context, name string) (*application, error) {
	all, err := s.directory(ctx)
	if err != nil {
		return nil, err
	}
	return pickApplication(all, name)
}

// pickApplication returns the application that a name means. Without a name the only one.
func pickApplication(all []application, name string) (*application, error) {
	var names []string
	var found []*application
	for i := range all {
		names = append(names, all[i].Name)
		if name == "" || all[i].is(name) {
			found = append(found, &all[i])
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case name == "" && len(all) > 0:
		return nil, usage("name the application by --app: %s", strings.Join(names, ", "))
	case len(found) > 1:
		return nil, usage("%d applications are called %q: name one by its id", len(found), name)
	case len(all) == 0:
		return nil, fmt.Errorf("the server has no application that you may read")
	default:
		return nil, fmt.Errorf("there is no application %q; there are: %s", name, strings.Join(names, ", "))
	}
}

// findGroup returns the group that a name or id means.
func (s *session) findGroup(ctx context.Context, name string, c scope) (place, error) {
	all, err := s.directory(ctx)
	if err != nil {
		return place{}, err
	}
	return pick(all, name, c, "group")
}

// findChannel returns the channel that a name or id means.
func (s *session) findChannel(ctx context.Context, name string, c scope) (place, error) {
	all, err := s.directory(ctx)
	if err != nil {
		return place{}, err
	}
	return pick(all, name, c, "channel")
}

// pick returns the only place of the kinds that a name means: its id, its name, or
// application/name. Exact names win over names in another case.
func pick(all []application, name string, c scope, kinds ...string) (place, error) {
	if c.app != "" {
		app, err := pickApplication(all, c.app)
		if err != nil {
			return place{}, err
		}
		all = []application{*app}
	}
	var places []place
	for i := range all {
		places = append(places, all[i].Groups...)
		places = append(places, all[i].Channels...)
	}
	places = slices.DeleteFunc(places, func(p place) bool {
		return !slices.Contains(kinds, p.kind) || c.arch != "" && p.Arch != c.arch
	})
	found := matching(places, func(text string) bool { return text == name })
	if len(found) == 0 {
		found = matching(places, func(text string) bool { return strings.EqualFold(text, name) })
	}
	what := strings.Join(kinds, " or ")
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return place{}, fmt.Errorf("there is no %s %q; there are:%s", what, name, candidates(places))
	default:
		return place{}, usage("%q can be %d of these: add --app or --arch, or use the id:%s", name, len(found), candidates(found))
	}
}

func matching(places []place, same func(string) bool) []place {
	var found []place
	for _, p := range places {
		if slices.ContainsFunc([]string{p.ID, p.Name, p.path(), p.app.ProductID + "/" + p.Name, p.app.ID + "/" + p.Name}, same) {
			found = append(found, p)
		}
	}
	return found
}

// mostCandidates keeps an error shorter than a screen.
const mostCandidates = 20

// candidates lists places in an error, each on a line.
func candidates(places []place) string {
	if len(places) == 0 {
		return " none"
	}
	var b strings.Builder
	for i, p := range places {
		if i == mostCandidates {
			_, _ = fmt.Fprintf(&b, "\n  and %d more: see coreroller %ss", len(places)-i, p.kind)
			break
		}
		_, _ = fmt.Fprintf(&b, "\n  %s %s (%s) %s", p.kind, clean(p.path()), p.Arch, p.ID)
	}
	return b.String()
}

// findPackage returns the id of a version in an application.
func (s *session) findPackage(ctx context.Context, app *application, arch, version string) (string, error) {
	type answer struct {
		Application *struct {
			Packages struct {
				Nodes []struct{ ID, Version string }
			}
		}
	}
	found, err := read[answer](ctx, s, `query($id: ID!, $filter: PackageFilter!) {
  application(id: $id) { packages(filter: $filter, first: 500) { nodes { id version } } } }`,
		map[string]any{"id": app.ID, "filter": map[string]any{"arch": arch, "version": version}})
	if err != nil {
		return "", err
	}
	if found.Application != nil {
		for _, p := range found.Application.Packages.Nodes {
			if p.Version == version {
				return p.ID, nil
			}
		}
	}
	return "", fmt.Errorf("%s has no package %s for %s; coreroller package list --app %q shows them", app.Name, version, arch, app.Name)
}
