package store_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/rollout/policy"
	"github.com/coreroller/coreroller/store"
	"github.com/coreroller/coreroller/store/storetest"
)

// start is the time at which tests begin.
var start = time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)

func open(t *testing.T, url string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() }) // fails if the test cut its connections
	return s
}

// fixture is a team, an application and two groups with ledgers.
type fixture struct {
	*store.Store
	app    uuid.UUID
	groups [2]uuid.UUID
}

func fill(t *testing.T, s *store.Store) *fixture {
	t.Helper()
	f := &fixture{Store: s, app: uuid.New(), groups: [2]uuid.UUID{uuid.New(), uuid.New()}}
	write(t, s, func(ctx context.Context, tx *store.Tx) error {
		c := tx.Client()
		team := uuid.New()
		if err := c.Team.Create().SetID(team).SetName("default").SetCreatedAt(start).Exec(ctx); err != nil {
			return err
		}
		if err := c.Application.Create().SetID(f.app).SetTeamID(team).SetName("app").SetCreatedAt(start).Exec(ctx); err != nil {
			return err
		}
		for i, id := range f.groups {
			name := []string{"one", "two"}[i]
			if err := c.Group.Create().SetID(id).SetApplicationID(f.app).SetName(name).SetTrack(name).SetPolicy(policy.Default()).
				SetCreatedAt(start).Exec(ctx); err != nil {
				return err
			}
			if _, err := tx.CreateLedger(ctx, id, 1); err != nil {
				return err
			}
		}
		return nil
	})
	return f
}

func write(t *testing.T, s *store.Store, f func(ctx context.Context, tx *store.Tx) error) {
	t.Helper()
	if err := s.Write(t.Context(), start, func(tx *store.Tx) error { return f(t.Context(), tx) }); err != nil {
		t.Fatal(err)
	}
}

// join saves new machines in the first group and returns when each was seen.
func (f *fixture) join(t *testing.T, machines int) map[uuid.UUID]time.Time {
	t.Helper()
	seen := map[uuid.UUID]time.Time{}
	write(t, f.Store, func(ctx context.Context, tx *store.Tx) error {
		groups, err := tx.LockGroups(ctx, f.groups[:1])
		if err != nil {
			return err
		}
		b := &store.Batch{Groups: groups}
		for i := range machines {
			m := f.machine(0, fmt.Sprintf("%032x", i), "1.0.0")
			b.Machines, seen[m.InstanceID] = append(b.Machines, m), start
		}
		return tx.Save(ctx, b)
	})
	return seen
}

// machine returns a new machine of a group without saving it.
func (f *fixture) machine(group int, name, version string) *store.Machine {
	m := &store.Machine{InstanceID: store.InstanceID(f.app, name), ApplicationID: f.app, GroupID: f.groups[group],
		Reported: store.Reported{Arch: "amd64"}, StateChangedAt: start}
	m.ID, m.FirstSeenAt, m.LastSeenAt = name, start, start
	m.Version, _ = rollout.ParseVersion(version)
	m.Reason = rollout.ReasonUpToDate
	return m
}

func recount(t *testing.T, s *store.Store) {
	t.Helper()
	all, err := s.Recount(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range all {
		t.Errorf("the counter of %s is %d, a recount gives %d", d.Counter, d.Kept, d.Counted)
	}
}

func TestAMachineIsReadAsItWasWritten(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		f := fill(t, open(t, url))
		v := func(text string) rollout.Version { v, _ := rollout.ParseVersion(text); return v }
		at := start.Add(1234567 * time.Microsecond)
		want := f.machine(0, "m", "1.0.0")
		want.State, want.Standing, want.Reason = rollout.StateDownloading, rollout.StandingOverridden, rollout.ReasonHeld
		want.Alias, want.MachineAlias, want.Address, want.OEM, want.OEMVersion, want.AlephVersion = "a'b", "b", "::1", "c", "d", "ü"
		want.Decision, want.DecidedAt, want.DecisionUntil = "sentence", at, at.Add(time.Hour)
		want.Attempt = rollout.Attempt{Rollout: rollout.ID(uuid.New()), Package: rollout.ID(uuid.New()), Version: v("2.0.0"), Wave: 2, Epoch: 3,
			Number: 4, GrantedAt: at, LeaseUntil: at.Add(1), DownloadingAt: at.Add(2000), DownloadedAt: at.Add(3000), InstalledAt: at.Add(4000)}
		want.Attempt.LeaseUntil = at.Add(time.Minute)
		want.FailedVersion, want.Failures, want.QuarantinedVersion = v("1.5.0"), 2, v("1.6.0")
		want.Override = rollout.Override{Kind: rollout.OverridePin, Version: v("1.9.0"), Until: at.Add(time.Hour), By: "ana", Reason: "because"}
		want.LastOfferVersion, want.LastGrantedAt, want.Moved = "2.0.0", at, true
		want.LastTraits = store.Traits{OEM: "e", AddressBlock: "192.0.2.0/24"}
		save := func(m *store.Machine) {
			write(t, f.Store, func(ctx context.Context, tx *store.Tx) error {
				groups, err := tx.LockGroups(ctx, f.groups[:])
				if err != nil {
					return err
				}
				for _, g := range groups {
					if g.GroupID == m.GroupID {
						g.Ledger.InFlight = 1
					}
				}
				return tx.Save(ctx, &store.Batch{Groups: groups, Machines: []*store.Machine{m}})
			})
		}
		read := func() (m *store.Machine) {
			write(t, f.Store, func(ctx context.Context, tx *store.Tx) error {
				all, err := tx.Machines(ctx, []uuid.UUID{want.InstanceID})
				m = all[want.InstanceID]
				return err
			})
			return m
		}
		save(want)
		same(t, read(), want)
		recount(t, f.Store)

		// An update writes every column that can change.
		m := read()
		m.Alias, m.State, m.Attempt, m.Moved, m.LastSeenAt = "", rollout.StateNone, rollout.Attempt{}, false, at
		write(t, f.Store, func(ctx context.Context, tx *store.Tx) error {
			groups, err := tx.LockGroups(ctx, f.groups[:1])
			if err != nil {
				return err
			}
			groups[0].Ledger.InFlight = 0
			return tx.Save(ctx, &store.Batch{Groups: groups, Machines: []*store.Machine{m}})
		})
		same(t, read(), m)
		recount(t, f.Store)
	})
}

func same(t *testing.T, got, want *store.Machine) {
	t.Helper()
	if g, w := store.Columns(got), store.Columns(want); g != w {
		t.Errorf("read\n%s\nwant\n%s", g, w)
	}
}
