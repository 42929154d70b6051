package acceptance

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/release"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/view"
	"github.com/coreroller/coreroller/rollout/policy"
	"github.com/coreroller/coreroller/store/storetest"
)

// mirrored is an application on a second server with as many channels, each of which
// follows one of the first server.
type mirrored struct {
	*site
	up       *db.Upstream
	channels []uuid.UUID // by the number of the upstream's
}

// follow makes n channels on an upstream server, with a group each, and lets those of
// another server follow them.
func follow(t *testing.T, up *site, url string, n int) *mirrored {
	t.Helper()
	front := httptest.NewServer(up.handler)
	t.Cleanup(front.Close)
	m := &mirrored{site: start(t, url, noPackage)}
	var err error
	m.up, err = m.CreateUpstream(m.ctx, fleet.CreateUpstream{
		ApplicationID: m.app, Name: "hq", Kind: view.UpstreamOmaha, URL: front.URL + "/v1/update/", RemoteAppID: up.app.String(), Interval: time.Minute,
	})
	m.ok(err)
	for i := range n {
		arch := []string{"amd64", "arm64"}[i%2]
		own, err := m.CreateChannel(m.ctx, fleet.CreateChannel{ApplicationID: m.app, Name: fmt.Sprint("channel ", i), Arch: arch})
		m.ok(err)
		m.channels = append(m.channels, own.ID)
		_, err = m.AddUpstreamChannel(m.ctx, fleet.AddUpstreamChannel{UpstreamID: m.up.ID, ChannelID: own.ID, Track: fmt.Sprint("track-", i), Mode: view.MirrorPromote})
		m.ok(err)
	}
	return m
}

// offer makes a package with extra files on the upstream, for a channel of an architecture.
func (s *site) offer(arch, version string) uuid.UUID {
	s.t.Helper()
	row, err := s.CreatePackage(s.ctx, fleet.CreatePackage{
		ApplicationID: s.app, Type: catalog.PackageFlatcar, Arch: arch, Version: version, URL: "https://hq.example/" + arch + "/" + version + "/", Filename: "update.gz",
		Size: 1000, SHA256: strings.Repeat("ab", 32), SHA1: "2jmj7l5rSw0yVb/vlWAYkK/YBwk=",
		Files: []fleet.FileInput{{Name: "oem-qemu.gz", Size: 7, SHA256: strings.Repeat("cd", 32)}, {Name: "flatcar-zfs.gz", Size: 8, SHA1: "2jmj7l5rSw0yVb/vlWAYkK/YBwk=", SHA256: strings.Repeat("ef", 32)}},
	})
	s.ok(err)
	return row.ID
}

// round runs the mirrors that are due after an interval.
func (m *mirrored) round() {
	m.t.Helper()
	m.advance(2 * time.Minute)
	m.ok(m.WorkUpstreams(m.t.Context()))
}

// Two servers of ours: floors, extra files, blacklists and withdrawals are carried, and a
// mirror is no machine.
func TestMirrorOfEightChannelsOfAnotherServer(t *testing.T) {
	const channels = 8
	t.Parallel()
	storetest.Each(t, func(t *testing.T, url string) {
		up := start(t, storetest.SQLite(t), noPackage)
		var tops []uuid.UUID // the channels of the upstream
		var last []uuid.UUID // their packages
		archs := []string{"amd64", "arm64"}
		ids := map[string]uuid.UUID{}
		for _, arch := range archs {
			for _, version := range []string{"1.0.0", "2.0.0", "3.0.0", "4.0.0"} {
				ids[arch+version] = up.offer(arch, version)
			}
		}
		for i := range channels {
			arch := archs[i%2]
			target := ids[arch+"3.0.0"]
			ch, err := up.CreateChannel(up.ctx, fleet.CreateChannel{ApplicationID: up.app, Name: fmt.Sprint("c", i), Arch: arch, PackageID: &target})
			up.ok(err)
			if i > 0 {
				_, err = up.AddFloor(up.ctx, fleet.AddFloor{ChannelID: ch.ID, PackageID: ids[arch+"2.0.0"], Reason: "disk format"})
				up.ok(err)
			}
			p := policy.Default()
			_, err = up.CreateGroup(up.ctx, fleet.CreateGroup{ApplicationID: up.app, Name: fmt.Sprint("g", i), Track: fmt.Sprint("track-", i), Arch: arch, ChannelID: &ch.ID, Policy: &p})
			up.ok(err)
			tops, last = append(tops, ch.ID), append(last, target)
		}
		m := follow(t, up, url, channels)
		m.round()
		for i, id := range m.channels {
			ch := m.Catalog().Channel(id)
			if ch.Target == nil || ch.Target.Version.String() != "3.0.0" {
				t.Fatalf("channel %d has %+v; %+v", i, ch.Target, m.state(i))
			}
			p, err := m.View.Package(m.ctx, uuid.UUID(ch.Target.ID), nil)
			m.ok(err)
			whole, err := m.store.Reader().Release.Query().Where(release.ID(p.ID)).WithFiles().WithAction().Only(m.ctx)
			m.ok(err)
			if whole.URL != "https://hq.example/"+archs[i%2]+"/3.0.0/" || whole.Sha256 != strings.Repeat("ab", 32) || whole.Sha1 == "" || len(whole.Edges.Files) != 2 || whole.Edges.Action == nil {
				t.Errorf("package %+v", whole)
			}
			for _, f := range whole.Edges.Files {
				if f.Sha256 == "" || f.Size == 0 {
					t.Errorf("file %+v", f)
				}
			}
			floors, err := m.store.Reader().Channel.GetX(m.ctx, id).QueryFloors().WithPackage().All(m.ctx)
			m.ok(err)
			if i == 0 && len(floors) != 0 || i > 0 && (len(floors) != 1 || floors[0].Reason != "disk format" || floors[0].Edges.Package.Version != "2.0.0") {
				t.Errorf("channel %d has floors %+v", i, floors)
			}
		}
		// The upstream takes back a version that the mirror has, and promotes another one.
		_, err := up.PromotePackage(up.ctx, fleet.PromotePackage{ChannelID: tops[0], PackageID: new(ids["amd644.0.0"])})
		up.ok(err)
		_, err = up.BlacklistPackage(up.ctx, fleet.BlacklistPackage{ChannelID: tops[0], PackageID: last[0], Reason: "boots & hangs"})
		up.ok(err)
		// Another one is only pointed back.
		_, err = up.PromotePackage(up.ctx, fleet.PromotePackage{ChannelID: tops[1], PackageID: new(ids["arm642.0.0"])})
		up.ok(err)
		m.round()
		ch := m.Catalog().Channel(m.channels[0])
		if ch.Target.Version.String() != "4.0.0" || len(ch.Blacklisted) != 1 {
			t.Errorf("channel 0 has %s, blacklist %+v; %+v", ch.Target.Version, ch.Blacklisted, m.state(0))
		}
		for _, b := range ch.Blacklisted {
			if b.Version.String() != "3.0.0" || b.Reason != "withdrawn upstream: boots & hangs" {
				t.Errorf("blacklisted %+v", b)
			}
		}
		if ch, state := m.Catalog().Channel(m.channels[1]), m.state(1); ch.Target.Version.String() != "3.0.0" || !state.Withdrawn || !strings.Contains(state.Problem, "offers 2.0.0 now, which is lower than 3.0.0") {
			t.Errorf("channel 1 has %s: %+v", ch.Target.Version, state)
		}
		if state := m.state(2); state.Problem != "" || state.LastError != "" {
			t.Errorf("channel 2: %+v", state)
		}
		// The mirror is listed, and no machine.
		up.work()
		all, err := up.View.Mirrors(up.ctx)
		up.ok(err)
		if len(all) != channels || !all[0].Served {
			t.Errorf("the upstream lists %d mirrors", len(all))
		}
		numbers, err := up.View.FleetNumbers(up.ctx)
		up.ok(err)
		if numbers.Total != 0 {
			t.Errorf("%d machines on the upstream", numbers.Total)
		}
	})
}

// state is the state of a channel of the mirror.
func (m *mirrored) state(i int) *db.UpstreamChannel {
	m.t.Helper()
	up, err := m.View.Upstream(m.ctx, m.up.ID, nil)
	m.ok(err)
	for _, ch := range up.Edges.Channels {
		if ch.ChannelID == m.channels[i] {
			return ch
		}
	}
	m.t.Fatalf("no channel %d", i)
	return nil
}

// Two processes on one database ask an upstream once for each channel and round.
func TestOneOfTwoServersRunsAMirror(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		up := start(t, storetest.SQLite(t))
		front := httptest.NewServer(up.handler)
		t.Cleanup(front.Close)
		made, err := s.CreateUpstream(s.ctx, fleet.CreateUpstream{ApplicationID: s.app, Name: "hq", Kind: view.UpstreamOmaha, URL: front.URL + "/v1/update/", RemoteAppID: up.app.String(), Interval: time.Minute})
		s.ok(err)
		_, err = s.AddUpstreamChannel(s.ctx, fleet.AddUpstreamChannel{UpstreamID: made.ID, ChannelID: s.channel, Track: "t", Mode: view.MirrorPromote})
		s.ok(err)
		ended := make(chan error, 2)
		for i := range 2 {
			go func() { ended <- s.servers[i].WorkUpstreams(t.Context()) }()
		}
		for range 2 {
			s.ok(<-ended)
		}
		runs, err := s.store.Reader().MirrorRun.Query().All(s.ctx)
		s.ok(err)
		if len(runs) != 1 || runs[0].Outcome != "UNCHANGED" && runs[0].Outcome != "CHANGED" {
			t.Errorf("%d runs: %+v", len(runs), runs)
		}
	}, servers(2))
}
