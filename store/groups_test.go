package store_test

import (
	"context"
	"reflect"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/event"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
	"github.com/coreroller/coreroller/store/storetest"
)

func TestAGroupIsReadAsItWasWritten(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		f := fill(t, open(t, url))
		v, _ := rollout.ParseVersion("2.0.0")
		at := start.Add(123456 * time.Microsecond)
		want := rollout.Rollout{ID: rollout.ID(uuid.New()), State: rollout.RolloutHalted, Package: rollout.ID(uuid.New()), Version: v, Salt: "salt",
			CreatedAt: at, StartedAt: at.Add(time.Second), EndedAt: at.Add(2 * time.Second), Wave: 1, WaveAt: at, GateAt: at, Approved: true,
			WaveCounts: rollout.Counts{Granted: 11, Downloading: 10, Downloaded: 9, Installed: 8, Succeeded: 7, Failed: 6, TimedOut: 5, RolledBack: 4, NotRunning: 3, Lost: 2, Released: 1},
			Epoch:      2, Evidence: rollout.Counts{Granted: 1, Failed: 1}, Failing: []string{"m"}, FailureKinds: []rollout.FailureKind{{Outcome: rollout.OutcomeFailed, Code: 10, Machines: 1}}, SetAside: 3, Proofs: 4, Leader: "m",
			Halt: rollout.Halt{Rule: rollout.HaltFailureShare, At: at, Failed: 1, Finished: 5, Share: 0.2, Outcome: rollout.OutcomeFailed, Code: 10, Alike: 1, Machines: []string{"m"}, By: "ana", Reason: "r"}}
		ledger := rollout.Ledger{InFlight: 3, Spends: []rollout.Spend{{First: at, Last: at.Add(time.Second), Count: 2}}}
		census := rollout.Census{Behind: 7, OnTarget: 8}
		write(t, f.Store, func(ctx context.Context, tx *store.Tx) error {
			groups, err := tx.LockGroups(ctx, f.groups[:1])
			if err != nil {
				return err
			}
			g := groups[0]
			g.Ledger, g.Census, g.Rollout, g.NextLeaseAt, g.PackageMissingNoted = ledger, census, want, at, true
			return tx.Save(ctx, &store.Batch{Groups: groups, Progress: []rollout.Progress{{Rollout: want.ID, Wave: 1, Counts: want.WaveCounts}}})
		})
		read := func() (g *store.GroupState) {
			write(t, f.Store, func(ctx context.Context, tx *store.Tx) error {
				groups, err := tx.LockGroups(ctx, f.groups[:1])
				g = groups[0]
				return err
			})
			return g
		}
		g := read()
		if !reflect.DeepEqual(g.Rollout, want) {
			t.Errorf("rollout is\n%+v\nwant\n%+v", g.Rollout, want)
		}
		if !reflect.DeepEqual(g.Ledger, ledger) || g.Census != census || !g.NextLeaseAt.Equal(at) || !g.PackageMissingNoted || g.ApplicationID != f.app {
			t.Errorf("ledger is %+v", g)
		}

		// A new rollout supersedes it; both rows exist.
		next := rollout.Rollout{ID: rollout.ID(uuid.New()), Package: want.Package, Version: v, Salt: "s", CreatedAt: at, WaveAt: at}
		old := g.Rollout
		old.State = rollout.RolloutSuperseded
		write(t, f.Store, func(ctx context.Context, tx *store.Tx) error {
			groups, err := tx.LockGroups(ctx, f.groups[:1])
			if err != nil {
				return err
			}
			groups[0].Rollout, groups[0].Superseded = next, []rollout.Rollout{old}
			return tx.Save(ctx, &store.Batch{Groups: groups})
		})
		if g := read(); g.Rollout.ID != next.ID {
			t.Errorf("the current rollout is %v", g.Rollout)
		}
		row, err := f.Reader().GroupRollout.Get(t.Context(), uuid.UUID(want.ID))
		if err != nil || row.State != rollout.RolloutSuperseded {
			t.Errorf("the old rollout is %v, %v", row, err)
		}
	})
}

func TestAConfigurationChangeRaisesTheRevisionOfEveryLedger(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		f := fill(t, open(t, url))
		sub := f.Bus().Subscribe(nil)
		defer sub.Close()
		var revision int64
		write(t, f.Store, func(ctx context.Context, tx *store.Tx) (err error) {
			revision, err = tx.LockApplication(ctx, f.app)
			return err
		})
		write(t, f.Store, func(ctx context.Context, tx *store.Tx) error {
			groups, err := tx.LockGroups(ctx, f.groups[:])
			for _, g := range groups {
				if g.ConfigRevision != revision {
					t.Errorf("a ledger is at revision %d, the application at %d", g.ConfigRevision, revision)
				}
			}
			return err
		})
		<-sub.Ready()
		if got := sub.Take(); len(got) != 1 || got[0] != (event.Event{Kind: event.AppChanged, App: f.app, Revision: revision}) {
			t.Errorf("published %v", got)
		}
	})
}

func TestTheReaderRefusesToWrite(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		f := fill(t, open(t, url))
		if err := f.Reader().Application.UpdateOneID(f.app).SetName("x").Exec(t.Context()); err == nil {
			t.Error("the reader wrote")
		}
	})
}

func TestARolledBackTransactionPublishesNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		f := fill(t, open(t, url))
		sub := f.Bus().Subscribe(nil)
		defer sub.Close()
		err := f.View(t.Context(), start, func(tx *store.Tx) error {
			_, err := tx.LockApplication(t.Context(), f.app)
			return err
		})
		if got := sub.Take(); err != nil || len(got) != 0 {
			t.Errorf("published %v, %v", got, err)
		}
	})
}

// After a lost connection the other process receives a Resync.
func TestEventsReachOtherProcesses(t *testing.T) {
	url := storetest.Postgres(t)
	one, two := fill(t, open(t, url)), open(t, url)
	sub := two.Bus().Subscribe(nil)
	defer sub.Close()
	write(t, one.Store, func(ctx context.Context, tx *store.Tx) error {
		tx.Publish(event.Event{Kind: event.GroupChanged, App: one.app, Group: one.groups[0]})
		return nil
	})
	<-sub.Ready()
	if got := sub.Take(); len(got) != 1 || got[0].Group != one.groups[0] || !got[0].Remote {
		t.Errorf("the other process received %v", got)
	}
	storetest.Disconnect(t, url)
	for {
		<-sub.Ready()
		for _, e := range sub.Take() {
			if e.Kind == event.Resync {
				return
			}
		}
	}
}

func TestOneProcessAtATimeRunsBackgroundWork(t *testing.T) {
	url := storetest.Postgres(t)
	one, two := open(t, url), open(t, url)
	ran := 0
	err := one.Exclusive(t.Context(), func(ctx context.Context) error {
		ran++
		return two.Exclusive(ctx, func(context.Context) error { ran += 100; return nil })
	})
	if err != nil || ran != 1 {
		t.Errorf("ran %d, %v", ran, err)
	}
	if err := two.Exclusive(t.Context(), func(context.Context) error { ran++; return nil }); err != nil || ran != 2 {
		t.Errorf("the lock was not released: ran %d, %v", ran, err)
	}
}

func TestSweepFindsMachinesThatWereNotTouched(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		f := fill(t, open(t, url))
		machines := []*store.Machine{f.machine(0, "a", "1.0.0"), f.machine(0, "b", "1.0.0"), f.machine(1, "c", "1.0.0")}
		write(t, f.Store, func(ctx context.Context, tx *store.Tx) error {
			groups, err := tx.LockGroups(ctx, f.groups[:])
			if err != nil {
				return err
			}
			return tx.Save(ctx, &store.Batch{Groups: groups, Machines: machines})
		})
		later := start.Add(time.Hour)
		touch := map[uuid.UUID]time.Time{machines[0].InstanceID: later}
		if err := f.TouchMachines(t.Context(), touch); err != nil {
			t.Fatal(err)
		}
		touch[machines[0].InstanceID] = start // earlier than the stored time: no effect
		if err := f.TouchMachines(t.Context(), touch); err != nil {
			t.Fatal(err)
		}
		var cursor uuid.UUID
		found := map[uuid.UUID][]uuid.UUID{}
		for i := 0; i < 2 || cursor != uuid.Nil; i++ {
			part, err := f.Sweep(t.Context(), &cursor, later, later, 2)
			if err != nil {
				t.Fatal(err)
			}
			for g, ids := range part {
				found[g] = append(found[g], ids...)
			}
		}
		want := map[uuid.UUID][]uuid.UUID{f.groups[0]: {machines[1].InstanceID}, f.groups[1]: {machines[2].InstanceID}}
		if !reflect.DeepEqual(found, want) {
			t.Errorf("found %v, want %v", found, want)
		}
		ahead, err := f.Sweep(t.Context(), &cursor, start, start, 9)
		if want := []uuid.UUID{machines[0].InstanceID}; err != nil || !reflect.DeepEqual(ahead[f.groups[0]], want) {
			t.Errorf("seen in the future: %v, %v", ahead, err)
		}
	})
}
