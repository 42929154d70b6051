package importing

import (
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/input"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/rollout/policy"
	"github.com/coreroller/coreroller/rollout/version"
	"github.com/coreroller/coreroller/store/foreign"
)

// The reasons of groups that arrive paused.
const (
	pauseReview   = "imported, not yet reviewed"
	pauseDisabled = "imported: updates were disabled"
	pauseFailed   = "imported: updates were disabled after a rollout that failed"
)

// unlimited is the least number that means "no limit" in Nebraska.
const unlimited = 900_000

// mapper turns rows there into objects here. It needs no database.
type mapper struct {
	options Options
	report  *Report
	apps    map[uuid.UUID]*application
	list    []*application
	pkgs    map[uuid.UUID]*pkg // of all applications
	chans   map[uuid.UUID]*channel
}

func mapAll(c *foreign.Configuration, o Options, r *Report) []*application {
	m := &mapper{options: o, report: r, apps: map[uuid.UUID]*application{}, pkgs: map[uuid.UUID]*pkg{}, chans: map[uuid.UUID]*channel{}}
	for _, row := range c.Applications {
		if len(o.Applications) == 0 || slices.Contains(o.Applications, row.ID) {
			m.application(row)
		}
	}
	m.versionings(c)
	for _, row := range c.Packages {
		if a := m.apps[row.ApplicationID]; a != nil {
			m.pkg(a, row)
		}
	}
	for _, row := range c.Channels {
		if a := m.apps[row.ApplicationID]; a != nil {
			m.channel(a, row)
		}
	}
	for _, row := range c.Packages {
		m.blacklist(row)
	}
	tracks := map[[3]string]bool{}
	for _, row := range c.Groups {
		if a := m.apps[row.ApplicationID]; a != nil {
			m.group(a, row, tracks)
		}
	}
	return m.list
}

func (m *mapper) application(row foreign.Application) {
	a := &application{ID: row.ID, TeamID: row.TeamID, Description: prose(row.Description), CreatedAt: row.CreatedAt.UTC(), Versioning: version.Semantic}
	var same bool
	if a.Name, same = name(row.Name, input.MaxName, "imported "+row.ID.String()[:8]); !same {
		m.report.note(KindApplications, row.ID.String(), row.Name, "is called %q here", a.Name)
	}
	var p input.Problems
	if a.ProductID = p.ProductID("productId", row.ProductID); p.Err() != nil {
		m.report.note(KindApplications, row.ID.String(), row.Name, "the product id %q is not taken: %s", row.ProductID, p.Err())
		a.ProductID = ""
	}
	m.apps[a.ID], m.list = a, append(m.list, a)
}

// versionings finds the applications whose packages have numeric versions.
func (m *mapper) versionings(c *foreign.Configuration) {
	type seen struct{ semantic, numeric, system bool }
	all := map[uuid.UUID]seen{}
	for _, row := range c.Packages {
		s, known := all[row.ApplicationID]
		if !known {
			s = seen{semantic: true, numeric: true}
		}
		_, semantic := version.Semantic.Parse(row.Version)
		_, numeric := version.Numeric.Parse(row.Version)
		all[row.ApplicationID] = seen{s.semantic && semantic, s.numeric && numeric, s.system || row.Type == int(catalog.PackageFlatcar)}
	}
	for id, s := range all {
		if a := m.apps[id]; a != nil && !s.semantic && s.numeric && !s.system {
			a.Versioning = version.Numeric
		}
	}
}

func (m *mapper) pkg(a *application, row *foreign.Package) {
	id := row.ID.String()
	drop := func(format string, args ...any) { m.report.drop(KindPackages, id, row.Version, format, args...) }
	note := func(format string, args ...any) { m.report.note(KindPackages, id, row.Version, format, args...) }
	arch, known := parseArch(row.Arch)
	text := strings.TrimSpace(row.Version)
	_, valid := a.Versioning.Parse(text)
	switch {
	case row.Type < int(catalog.PackageFlatcar) || row.Type > int(catalog.PackageOther):
		drop("its type %d is not known", row.Type)
		return
	case !known:
		drop("its architecture %d is not known", row.Arch)
		return
	case !valid:
		drop("%q is not %s", row.Version, a.Versioning.Describe())
		return
	case !isURL(strings.TrimSpace(row.URL)):
		drop("%q is not an http or https URL", row.URL)
		return
	case slices.ContainsFunc(a.packages, func(p *pkg) bool { return p.Version == text && p.Arch == arch }):
		drop("there is another package of this version for %s", arch)
		return
	}
	if row.Arch == 0 {
		note("is for all architectures there, and for %s here", arch)
	}
	p := &pkg{ID: row.ID, Type: int8(row.Type), Arch: arch, Version: text, URL: strings.TrimSpace(row.URL),
		Filename: strings.TrimSpace(row.Filename), Description: prose(row.Description), CreatedAt: row.CreatedAt.UTC()}
	if p.Type == catalog.PackageFlatcar && !strings.HasSuffix(p.URL, "/") && !strings.ContainsAny(p.URL, "?#") {
		p.URL += "/"
	}
	if ofOldServer(p.URL) {
		note("its URL %s is on the old server: keep that server, or host the file elsewhere, before the old server is switched off", p.URL)
	}
	var ok bool
	if p.Size, ok = parseSize(row.Size); !ok {
		note("the size %q is not taken: it is no number of bytes", row.Size)
	}
	sha1, ok := parseDigest(row.Hash, 20)
	if !ok {
		note("the hash %q is not taken: it is no SHA-1", row.Hash)
	}
	p.SHA1 = toBase64(sha1)
	m.action(p, row, note)
	for _, f := range row.Files {
		m.file(p, f, note)
	}
	a.packages, m.pkgs[p.ID] = append(a.packages, p), p
}

// action takes the oldest action with a digest. Which one Nebraska serves is not defined.
func (m *mapper) action(p *pkg, row *foreign.Package, note func(string, ...any)) {
	if p.Type != catalog.PackageFlatcar || len(row.Actions) == 0 {
		return
	}
	one := row.Actions[0]
	if slices.ContainsFunc(row.Actions, func(a foreign.Action) bool { return a != one }) {
		note("has %d different actions: the oldest is taken", len(row.Actions))
	}
	digest, ok := parseDigest(one.SHA256, 32)
	if !ok {
		note("the SHA-256 %q is not taken: it is none", one.SHA256)
	}
	p.SHA256 = toHex(digest)
	p.Action = &action{
		SHA256: toBase64(digest), ChromeOSVersion: line(one.ChromeOSVersion, 2000), MetadataSignatureRSA: line(one.MetadataSignatureRSA, 2000),
		MetadataSize: line(one.MetadataSize, 2000), Deadline: line(one.Deadline, 2000),
		NeedsAdmin: one.NeedsAdmin, IsDelta: one.IsDelta, DisablePayloadBackoff: one.DisablePayloadBackoff,
	}
}

func (m *mapper) file(p *pkg, row foreign.File, note func(string, ...any)) {
	f := file{Name: strings.TrimSpace(row.Name)}
	var problems input.Problems
	if problems.Exact("name", f.Name, 255); f.Name == "" || problems.Err() != nil || f.Name == p.Filename ||
		slices.ContainsFunc(p.Files, func(other file) bool { return other.Name == f.Name }) {
		note("the file %q is not taken: its name is not usable, or listed twice", row.Name)
		return
	}
	var ok bool
	if f.Size, ok = parseSize(row.Size); !ok {
		note("the size %q of the file %s is not taken: it is no number of bytes", row.Size, f.Name)
	}
	sha1, ok := parseDigest(row.Hash, 20)
	if !ok {
		note("the hash %q of the file %s is not taken: it is no SHA-1", row.Hash, f.Name)
	}
	sha256, ok := parseDigest(row.SHA256, 32)
	if !ok {
		note("the SHA-256 %q of the file %s is not taken: it is none", row.SHA256, f.Name)
	}
	f.SHA1, f.SHA256 = toBase64(sha1), toHex(sha256)
	p.Files = append(p.Files, f)
}

// offerable returns why machines would refuse a package, "" if they would not.
func (p *pkg) offerable() string {
	rendered := catalog.Package{File: catalog.File{Name: p.Filename, Size: p.Size}, Reboots: p.Type == catalog.PackageFlatcar}
	if p.Action != nil {
		rendered.Action = &catalog.Action{SHA256: p.Action.SHA256}
	}
	for _, f := range p.Files {
		rendered.Extra = append(rendered.Extra, catalog.File{Name: f.Name, Size: f.Size, SHA256Hex: f.SHA256})
	}
	return rendered.Offerable()
}

func (m *mapper) channel(a *application, row *foreign.Channel) {
	id := row.ID.String()
	note := func(format string, args ...any) { m.report.note(KindChannels, id, row.Name, format, args...) }
	c := &channel{ID: row.ID, CreatedAt: row.CreatedAt.UTC()}
	var same, known bool
	if c.Arch, known = parseArch(row.Arch); !known {
		m.report.drop(KindChannels, id, row.Name, "its architecture %d is not known", row.Arch)
		return
	}
	if c.Name, same = name(row.Name, input.MaxName, "imported "+id[:8]); !same {
		note("is called %q here", c.Name)
	}
	if slices.ContainsFunc(a.channels, func(other *channel) bool { return other.Name == c.Name && other.Arch == c.Arch }) {
		c.Name += " " + id[:8]
		note("is called %q here, because another channel has its name", c.Name)
	}
	var p input.Problems
	if p.Color("color", row.Color); p.Err() == nil {
		c.Color = row.Color
	}
	if row.PackageID != uuid.Nil {
		if why := m.unfit(a, c, row.PackageID); why != "" {
			note("points to no package here, because %s", why)
		} else {
			c.PackageID = row.PackageID
		}
	}
	for _, f := range row.Floors {
		if why := m.unfit(a, c, f.PackageID); why != "" {
			note("the floor %s is not taken, because %s", f.PackageID, why)
			continue
		}
		c.Floors = append(c.Floors, channelFloor{f.PackageID, prose(f.Reason)})
	}
	a.channels, m.chans[c.ID] = append(a.channels, c), c
}

// unfit returns why a channel cannot offer a package, "" if it can.
func (m *mapper) unfit(a *application, c *channel, id uuid.UUID) string {
	p := m.pkgs[id]
	switch {
	case p == nil || !slices.Contains(a.packages, p):
		return "its package was not taken, or belongs to another application"
	case p.Arch != c.Arch:
		return "its package " + p.Version + " is for " + p.Arch
	}
	if why := p.offerable(); why != "" {
		return "its package " + p.Version + " " + why
	}
	return ""
}

func (m *mapper) blacklist(row *foreign.Package) {
	p := m.pkgs[row.ID]
	if p == nil {
		return
	}
	for _, id := range row.Blacklist {
		c := m.chans[id]
		switch {
		case c == nil || c.Arch != p.Arch:
		case c.PackageID == p.ID, slices.ContainsFunc(c.Floors, func(f channelFloor) bool { return f.PackageID == p.ID }):
			m.report.note(KindChannels, id.String(), c.Name, "the package %s is not blacklisted here, because it is the channel's package or a floor of it", p.Version)
		default:
			c.Blacklist = append(c.Blacklist, p.ID)
		}
	}
	for _, id := range row.Blacklist {
		if c := m.chans[id]; c != nil {
			c.sort()
		}
	}
}

func (m *mapper) group(a *application, row *foreign.Group, tracks map[[3]string]bool) {
	id := row.ID.String()
	note := func(format string, args ...any) { m.report.note(KindGroups, id, row.Name, format, args...) }
	g := &group{ID: row.ID, Arch: "amd64", Description: prose(row.Description), CreatedAt: row.CreatedAt.UTC()}
	switch c := m.chans[row.ChannelID]; {
	case c != nil && slices.Contains(a.channels, c):
		g.ChannelID, g.Arch = c.ID, c.Arch
	case row.ChannelID != uuid.Nil:
		note("has no channel here, because its channel was not taken")
	default:
		note("has no channel, so it is taken to be for amd64")
	}
	var same bool
	if g.Name, same = name(row.Name, input.MaxName, "imported "+id[:8]); !same {
		note("is called %q here", g.Name)
	}
	if slices.ContainsFunc(a.groups, func(other *group) bool { return other.Name == g.Name && other.Arch == g.Arch }) {
		g.Name += " " + id[:8]
		note("is called %q here, because another group has its name", g.Name)
	}
	g.Track = trackOf(row)
	if key := [3]string{a.ID.String(), g.Arch, strings.ToLower(catalog.Unquote(g.Track))}; tracks[key] && g.Track != id {
		note("the track %q belongs to an older group: machines find this one by its id only", g.Track)
		g.Track = id
	}
	tracks[[3]string{a.ID.String(), g.Arch, strings.ToLower(catalog.Unquote(g.Track))}] = true
	g.Policy, g.Pause = m.policy(row, note)
	a.groups = append(a.groups, g)
}

// trackOf returns the track of a group: its own, else that of a preinstalled group, else
// one that is made from its name. Machines can always send the id instead.
func trackOf(row *foreign.Group) string {
	var p input.Problems
	track := p.Line("track", row.Track, input.MaxTrack)
	if track != "" && track != "missing" && p.Err() == nil {
		return track
	}
	for _, k := range catalog.WellKnownGroups() {
		if k.Group == row.ID.String() && row.ApplicationID == catalog.FlatcarID() {
			return k.Track
		}
	}
	if made := slug(row.Name); made != "" {
		return made
	}
	return row.ID.String()
}

func (m *mapper) policy(row *foreign.Group, note func(string, ...any)) (p rollout.Policy, pause string) {
	p = policy.Default()
	p.SafeMode, p.OfficeHours = row.SafeMode, row.OfficeHours
	p.MaxUpdatesPerPeriod = max(row.MaxUpdates, 1)
	switch {
	case row.MaxUpdates < 1:
		note("allows %d updates per period there, and 1 here", row.MaxUpdates)
	case row.MaxUpdates >= unlimited:
		note("allows %d updates per period, which means no limit", row.MaxUpdates)
	}
	p.MaxConcurrentUpdates = p.MaxUpdatesPerPeriod // one number for both there
	for _, i := range []struct {
		what string
		from foreign.Interval
		to   *time.Duration
	}{{"period", row.Period, &p.PeriodInterval}, {"update timeout", row.Timeout, &p.UpdateTimeout}} {
		if i.from.Valid {
			*i.to = i.from.Length
			continue
		}
		note("the %s %q is no length of time above 0: it is %s here", i.what, i.from.Text, *i.to)
	}
	if row.Timezone != "" {
		p.Timezone = row.Timezone
	}
	if _, problems := policy.Compile(p); slices.ContainsFunc(problems, func(x policy.Problem) bool { return !x.Warning && x.Field == "policy.timezone" }) {
		p.Timezone = policy.Default().Timezone
		if p.OfficeHours {
			p.OfficeHours = false
			note("the time zone %q is not known, so that updates were never allowed there: office hours are off here", row.Timezone)
		} else {
			note("the time zone %q is not known: it is %s here", row.Timezone, p.Timezone)
		}
	} else if p.OfficeHours && row.Timezone == "" {
		p.OfficeHours = false
		note("has office hours without a time zone, so that updates were never allowed there: office hours are off here")
	}
	if row.LocalPolicy {
		note("values that are in force on that server only (group_local) are taken")
	}
	if schedule, problems := policy.Compile(p); schedule == nil {
		note("the policy is not valid here and is that of a new group: %s", problems[0].Message)
		p = policy.Default()
	}
	switch p.UpdatesEnabled = m.options.KeepRunning && row.UpdatesEnabled; {
	case p.UpdatesEnabled:
	case row.UpdatesEnabled:
		pause = pauseReview
	case row.RolledOutBefore:
		pause = pauseFailed
	default:
		pause = pauseDisabled
	}
	return p, pause
}
