package checkin_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db/instance"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/checkin"
	"github.com/coreroller/coreroller/store"
	"github.com/coreroller/coreroller/store/storetest"
)

// site is a server whose group "t" has the target 2.0.0, on SQLite.
type site struct {
	*fleet.Service
	store *store.Store
	ctx   context.Context
	micro atomic.Int64 // its clock
	app   uuid.UUID
	group uuid.UUID
}

func (s *site) now() time.Time       { return time.UnixMicro(s.micro.Load()).UTC() }
func (s *site) wait(d time.Duration) { s.micro.Add(d.Microseconds()) }

func (s *site) in(machine, version string) checkin.CheckIn {
	return checkin.CheckIn{AppID: s.app.String(), Track: "t", Machine: machine, Version: version, UpdateCheck: true, Ping: true}
}

func open(t *testing.T) *site {
	t.Helper()
	s := &site{ctx: auth.With(t.Context(), auth.Principal{Name: "olga", Role: auth.Owner, Credential: auth.CredentialBasic})}
	s.micro.Store(time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC).UnixMicro())
	var err error
	check := func() {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	s.store, err = store.Open(t.Context(), store.Options{URL: storetest.SQLite(t)})
	check()
	t.Cleanup(func() { _ = s.store.Close() })
	s.Service, err = fleet.New(t.Context(), fleet.Options{Store: s.store, Now: s.now, Log: slog.New(slog.DiscardHandler)})
	check()
	t.Cleanup(s.Close)
	err = s.Preinstall(s.ctx)
	check()
	app, err := s.CreateApplication(s.ctx, fleet.CreateApplication{Name: "Sample"})
	check()
	s.app = app.ID
	channel, err := s.CreateChannel(s.ctx, fleet.CreateChannel{ApplicationID: s.app, Name: "c"})
	check()
	p, err := s.CreatePackage(s.ctx, fleet.CreatePackage{
		ApplicationID: s.app, Type: catalog.PackageFlatcar, Version: "2.0.0", URL: "https://example.com/2.0.0/",
		Filename: "update.gz", Size: 1000, SHA256: strings.Repeat("ab", 32),
	})
	check()
	_, err = s.PromotePackage(s.ctx, fleet.PromotePackage{ChannelID: channel.ID, PackageID: &p.ID, Reason: "test"})
	check()
	group, err := s.CreateGroup(s.ctx, fleet.CreateGroup{ApplicationID: s.app, Name: "g", Track: "t", ChannelID: &channel.ID})
	check()
	s.group = group.ID
	return s
}

func TestLastSeenStormWritesOldestFirst(t *testing.T) {
	s := open(t)
	const extra = 10
	all := make([]checkin.CheckIn, checkin.TouchRows+extra)
	for i := range all {
		all[i] = s.in(fmt.Sprint("m", i), "2.0.0")
	}
	if err := s.Machines.CheckInTogether(s.ctx, all...); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the first round fills the idle cache, the second is answered from it
		s.wait(time.Minute)
		for i := range all {
			if _, err := s.Machines.CheckIn(s.ctx, all[i]); err != nil {
				t.Fatal(err)
			}
		}
	}
	flush := func() int {
		t.Helper()
		n, err := s.Machines.FlushLastSeen(s.ctx)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := flush(); n != checkin.TouchRows {
		t.Fatalf("wrote %d last-seen times at once, want %d", n, checkin.TouchRows)
	}
	late, err := s.store.Reader().Instance.Query().Where(instance.LastSeenAtLT(s.now())).Order(instance.ByMachineID()).All(s.ctx)
	if err != nil || len(late) != extra {
		t.Fatalf("%d machines are waiting (error %v), want %d", len(late), err, extra)
	}
	for _, m := range late {
		var n int
		if _, err := fmt.Sscanf(m.MachineID, "m%d", &n); err != nil || n < checkin.TouchRows {
			t.Errorf("%s is waiting although it was seen among the first", m.MachineID)
		}
	}
	if n := flush(); n != extra {
		t.Errorf("then wrote %d last-seen times, want %d", n, extra)
	}
}

func TestPaceCountsUpdatesThatStartAndEndInOneBatch(t *testing.T) {
	s := open(t)
	if err := s.Machines.CheckInTogether(s.ctx, s.in("a", "1.0.0"), s.in("a", "2.0.0")); err != nil {
		t.Fatal(err)
	}
	s.wait(30 * time.Second)
	if err := s.Upkeep.Work(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.wait(time.Second)
	line, err := s.View.Timeline(s.ctx, s.group, s.now().Add(-time.Hour), s.now())
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(line.Pace.InFlight, []int{1}) || !slices.Equal(line.OnTarget, []int{1}) {
		t.Errorf("in flight %v, on target %v, want 1 and 1", line.Pace.InFlight, line.OnTarget)
	}
}
