package fleet

import (
	"context"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/upstream"
	"github.com/coreroller/coreroller/event"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/change"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/input"
	"github.com/coreroller/coreroller/fleet/view"
	"github.com/coreroller/coreroller/remote/mirror"
	"github.com/coreroller/coreroller/rollout/phrase"
	"github.com/coreroller/coreroller/store"
)

// FlatcarURL is the public update server of Flatcar.
const FlatcarURL = "https://public.update.flatcar-linux.net/v1/update/"

// Limits of upstreams. The public server serves everyone, so it is asked rarely.
const (
	minInterval       = time.Minute
	minPublicInterval = 10 * time.Minute
	maxInterval       = 7 * 24 * time.Hour
	maxUpstreams      = 50  // of one application
	maxPatterns       = 100 // of the files that a channel keeps
	maxFollowed       = 100 // channels of one upstream
	maxCA             = 64 << 10
)

// FromUpstream is the template of URLs with which machines fetch from where the upstream
// says.
const FromUpstream = "{{UPSTREAM}}"

// CreateUpstream is the input of Service.CreateUpstream.
type CreateUpstream struct {
	ApplicationID uuid.UUID
	Name          string
	Kind          view.UpstreamKind
	URL           string // "" for FLATCAR = FlatcarURL
	RemoteAppID   string // application id that the upstream knows; "" = that of the application
	Interval      time.Duration
	Enabled       *bool // nil = true
	URLTemplate   string
	CA            string // PEM
}

// CreateUpstream names another update server. It is asked once channels are added.
func (s *Service) CreateUpstream(ctx context.Context, in CreateUpstream) (*db.Upstream, error) {
	var p input.Problems
	in.check(&p)
	v := change.Verb{Name: "createUpstream", App: in.ApplicationID, Object: "upstream", ID: store.NewID(s.now()), Unique: "name", Invalid: p.Err()}
	err := s.operateUpstream(ctx, v, func(c *change.Change) error {
		n, err := c.Tx.Client().Upstream.Query().Where(upstream.ApplicationID(c.App)).Count(ctx)
		if err != nil {
			return err
		}
		if n >= maxUpstreams {
			return fault.Errorf(fault.Conflict, "", "the application has %d mirrors, which is the most: delete one first", n)
		}
		row, err := c.Tx.Client().Upstream.Create().SetID(c.ID).SetApplicationID(c.App).SetName(in.Name).SetKind(string(in.Kind)).SetURL(in.URL).
			SetRemoteAppID(in.RemoteAppID).SetInterval(int(in.Interval / time.Second)).SetEnabled(input.Or(in.Enabled, true)).
			SetURLTemplate(in.URLTemplate).SetCa(in.CA).SetCreatedBy(c.By.Name).SetCreatedAt(c.Now).Save(ctx)
		return c.Saved(row, err)
	})
	if err != nil {
		return nil, err
	}
	return s.View.Upstream(ctx, v.ID, nil)
}

func (in *CreateUpstream) check(p *input.Problems) {
	in.Name = p.Name("name", in.Name, input.MaxName)
	switch in.Kind {
	case view.UpstreamFlatcar:
		if in.URL == "" {
			in.URL = FlatcarURL
		}
	case view.UpstreamOmaha:
	default:
		p.Add("kind", "must be FLATCAR or OMAHA")
	}
	if in.Interval == 0 {
		in.Interval = time.Hour
	}
	if in.URLTemplate == "" {
		in.URLTemplate = FromUpstream
	}
	in.URL, in.URLTemplate = strings.TrimSpace(in.URL), strings.TrimSpace(in.URLTemplate)
	p.Exact("url", in.URL, maxURL)
	if err := mirror.CheckURL(in.URL); err != nil {
		p.Add("url", "%s", err)
	}
	in.RemoteAppID = p.Line("remoteAppId", in.RemoteAppID, input.MaxName)
	checkInterval(p, in.URL, in.Interval)
	checkTemplate(p, in.URLTemplate)
	if _, err := mirror.ParseCA(in.CA); err != nil || len(in.CA) > maxCA {
		p.Add("ca", "must be certificates in PEM, at most %d bytes", maxCA)
	}
}

func checkInterval(p *input.Problems, address string, interval time.Duration) {
	least := minInterval
	if isPublic(address) {
		least = minPublicInterval
	}
	if interval < least || interval > maxInterval || interval%time.Second != 0 {
		p.Add("interval", "must be whole seconds, from %s to 7 days", phrase.Count(int(least/time.Minute), "minute"))
	}
}

// isPublic reports whether an address is that of the public Flatcar server.
func isPublic(address string) bool {
	u, err := url.Parse(address)
	public, _ := url.Parse(FlatcarURL)
	return err == nil && strings.EqualFold(strings.TrimSuffix(u.Hostname(), "."), public.Hostname())
}

var placeholder = regexp.MustCompile(`\{\{[^}]*\}?\}?`)

func checkTemplate(p *input.Problems, template string) {
	p.Exact("urlTemplate", template, maxURL)
	if template == FromUpstream {
		return
	}
	for _, name := range placeholder.FindAllString(template, -1) {
		if name != "{{ARCH}}" && name != "{{VERSION}}" {
			p.Add("urlTemplate", "%q is no placeholder: use {{ARCH}} and {{VERSION}}, or %s alone", name, FromUpstream)
			return
		}
	}
	filled := fillTemplate(template, "amd64", "1.0.0", "")
	if err := mirror.CheckURL(filled); err != nil {
		p.Add("urlTemplate", "must be %s, or a URL such as https://example.com/flatcar/{{ARCH}}/{{VERSION}}/", FromUpstream)
	} else if strings.ContainsAny(filled, "?# \t") {
		p.Add("urlTemplate", "must have no query, no fragment and no blanks")
	} else if !strings.Contains(template, "{{VERSION}}") {
		p.Add("urlTemplate", "must contain {{VERSION}}: the files of all versions have the same names")
	}
}

// fillTemplate returns the URL of a package, which ends with a slash.
func fillTemplate(template, arch, version, codebase string) string {
	if template == FromUpstream {
		return codebase
	}
	filled := strings.NewReplacer("{{ARCH}}", url.PathEscape(arch), "{{VERSION}}", url.PathEscape(version)).Replace(template)
	return strings.TrimSuffix(filled, "/") + "/"
}

// UpdateUpstream is the input of Service.UpdateUpstream; nil leaves a field as it is.
type UpdateUpstream struct {
	ID          uuid.UUID
	Name        *string
	URL         *string
	RemoteAppID *string
	Interval    *time.Duration
	Enabled     *bool
	URLTemplate *string
	CA          *string
	Reason      string
}

// UpdateUpstream changes an upstream. Packages that were imported keep their URL.
func (s *Service) UpdateUpstream(ctx context.Context, in UpdateUpstream) (*db.Upstream, error) {
	var given input.Problems
	texts := CreateUpstream{ // what is given, with valid texts in place of the rest
		Name: input.Or(in.Name, "x"), Kind: view.UpstreamOmaha, URL: input.Or(in.URL, "https://example.com/"), RemoteAppID: input.Or(in.RemoteAppID, ""),
		Interval: input.Or(in.Interval, time.Hour), URLTemplate: input.Or(in.URLTemplate, ""), CA: input.Or(in.CA, ""),
	}
	texts.check(&given)
	v := change.Verb{Name: "updateUpstream", Reason: in.Reason, Unique: "name", Invalid: given.Err()}
	return s.changeUpstream(ctx, v, in.ID, func(c *change.Change, row *db.Upstream) error {
		all := CreateUpstream{
			Name: input.Or(in.Name, row.Name), Kind: view.UpstreamKind(row.Kind), URL: input.Or(in.URL, row.URL),
			RemoteAppID: input.Or(in.RemoteAppID, row.RemoteAppID), Interval: input.Or(in.Interval, time.Duration(row.Interval)*time.Second),
			URLTemplate: input.Or(in.URLTemplate, row.URLTemplate), CA: input.Or(in.CA, row.Ca),
		}
		var p input.Problems
		if all.check(&p); p.Err() != nil {
			return p.Err()
		}
		row, err := row.Update().SetName(all.Name).SetURL(all.URL).SetRemoteAppID(all.RemoteAppID).SetInterval(int(all.Interval / time.Second)).
			SetEnabled(input.Or(in.Enabled, row.Enabled)).SetURLTemplate(all.URLTemplate).SetCa(all.CA).Save(ctx)
		return c.Saved(row, err)
	})
}

// DeleteUpstream is the input of Service.DeleteUpstream.
type DeleteUpstream struct {
	ID     uuid.UUID
	Reason string
}

// DeleteUpstream ends a mirror. What it imported stays.
func (s *Service) DeleteUpstream(ctx context.Context, in DeleteUpstream) error {
	v := change.Verb{Name: "deleteUpstream", Reason: in.Reason}
	_, err := s.changeUpstream(ctx, v, in.ID, func(c *change.Change, row *db.Upstream) error {
		return c.Tx.Client().Upstream.DeleteOne(row).Exec(ctx)
	})
	return err
}

// changeUpstream runs a verb on the upstream with an id. It returns the changed row, nil
// after a deletion.
func (s *Service) changeUpstream(ctx context.Context, v change.Verb, id uuid.UUID, f func(*change.Change, *db.Upstream) error) (*db.Upstream, error) {
	if err := begin(ctx, &v); err != nil {
		return nil, err
	}
	row, err := s.store.Reader().Upstream.Get(ctx, id)
	if err != nil {
		return nil, v.Expected(fault.Missing(err, "id", "mirror"))
	}
	v.App, v.Object, v.ID = row.ApplicationID, "upstream", id
	err = s.operateUpstream(ctx, v, func(c *change.Change) error {
		row, err := c.Tx.Client().Upstream.Get(ctx, id)
		if err != nil {
			return fault.Missing(err, "id", "mirror")
		}
		c.Before = row
		return f(c, row)
	})
	if err != nil || v.Name == "deleteUpstream" {
		return nil, err
	}
	return s.View.Upstream(ctx, id, nil)
}

// operateUpstream runs a verb that changes upstreams of an application, which need no
// lock: check-ins do not depend on them.
func (s *Service) operateUpstream(ctx context.Context, v change.Verb, f func(*change.Change) error) error {
	if err := begin(ctx, &v); err != nil {
		return err
	}
	return s.changes.Operate(ctx, v, func(c *change.Change) error {
		c.Publish(event.UpstreamChanged)
		return f(c)
	})
}

// FollowFlatcar is the input of Service.FollowFlatcar.
type FollowFlatcar struct {
	Tracks      []string // nil = stable, beta, alpha
	Archs       []string // nil = amd64, arm64
	Mode        view.MirrorMode
	Interval    time.Duration
	URLTemplate string
}

// FollowFlatcar mirrors channels of the public Flatcar server. It creates what is missing
// and can be repeated. Channels that follow an upstream already are left as they are.
func (s *Service) FollowFlatcar(ctx context.Context, in FollowFlatcar) (*db.Upstream, error) {
	if _, err := fault.RequireVerb(ctx, "followFlatcar"); err != nil {
		return nil, err
	}
	if in.Tracks == nil {
		in.Tracks = []string{"stable", "beta", "alpha"}
	}
	if in.Archs == nil {
		in.Archs = []string{"amd64", "arm64"}
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	up, err := s.flatcarUpstream(ctx, in)
	if err != nil {
		return nil, err
	}
	for _, arch := range in.Archs {
		for _, track := range in.Tracks {
			if err := s.followTrack(ctx, up, track, catalog.Arch("", arch), in.Mode); err != nil {
				return nil, err
			}
		}
	}
	return s.View.Upstream(ctx, up.ID, nil)
}

func (in *FollowFlatcar) check() error {
	var p input.Problems
	if len(in.Tracks)*len(in.Archs) > maxFollowed {
		p.Add("tracks", "at most %d channels", maxFollowed)
	}
	for i, track := range in.Tracks {
		in.Tracks[i] = p.Name(fmt.Sprintf("tracks[%d]", i), track, input.MaxName)
	}
	for i, arch := range in.Archs {
		in.Archs[i] = p.Arch(fmt.Sprintf("archs[%d]", i), arch)
	}
	if in.Interval != 0 {
		checkInterval(&p, FlatcarURL, in.Interval)
	}
	if in.URLTemplate = strings.TrimSpace(in.URLTemplate); in.URLTemplate != "" {
		checkTemplate(&p, in.URLTemplate)
	}
	return p.Err()
}

// flatcarUpstream returns the upstream of the public server, which it creates if needed.
func (s *Service) flatcarUpstream(ctx context.Context, in FollowFlatcar) (*db.Upstream, error) {
	find := s.store.Reader().Upstream.Query().Where(upstream.ApplicationID(catalog.FlatcarID()), upstream.Kind(string(view.UpstreamFlatcar))).Order(upstream.ByID())
	up, err := find.Clone().First(ctx)
	if !db.IsNotFound(err) {
		return up, err
	}
	up, err = s.CreateUpstream(ctx, CreateUpstream{
		ApplicationID: catalog.FlatcarID(), Name: "Flatcar", Kind: view.UpstreamFlatcar, Interval: in.Interval, URLTemplate: in.URLTemplate,
	})
	if fault.CodeOf(err) == fault.Conflict { // another process created it meanwhile
		if other, second := find.First(ctx); second == nil {
			return other, nil
		}
	}
	return up, err
}

func (s *Service) followTrack(ctx context.Context, up *db.Upstream, track, arch string, mode view.MirrorMode) error {
	app := s.Catalog().App(up.ApplicationID)
	if app == nil {
		return fault.Errorf(fault.NotFound, "", "there is no application for Flatcar")
	}
	var id uuid.UUID
	for _, ch := range app.Channels {
		if ch.Arch == arch && strings.EqualFold(ch.Name, track) {
			id = ch.ID
		}
	}
	if id == uuid.Nil {
		ch, err := s.CreateChannel(ctx, CreateChannel{ApplicationID: app.ID, Name: track, Arch: arch})
		if err != nil {
			return fmt.Errorf("create the channel %s: %w", track, err)
		}
		id = ch.ID
	}
	_, err := s.AddUpstreamChannel(ctx, AddUpstreamChannel{UpstreamID: up.ID, ChannelID: id, Track: track, Mode: mode})
	if fault.CodeOf(err) == fault.Conflict {
		return nil // it is mirrored already
	}
	return err
}

// FollowFlatcarOnce mirrors the public Flatcar server unless an upstream for it exists,
// so that a start with --mirror-flatcar does not undo what a person changed.
func (s *Service) FollowFlatcarOnce(ctx context.Context) error {
	if _, err := fault.RequireVerb(ctx, "followFlatcar"); err != nil {
		return err
	}
	exists, err := s.store.Reader().Upstream.Query().Where(upstream.Kind(string(view.UpstreamFlatcar))).Exist(ctx)
	if exists || err != nil {
		return err
	}
	_, err = s.FollowFlatcar(ctx, FollowFlatcar{})
	return err
}
