package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
	"github.com/coreroller/coreroller/store/storetest"
)

// updating returns a new machine of the first group with an open attempt.
func (f *fixture) updating(name string) *store.Machine {
	m := f.machine(0, name, "1.0.0")
	m.State, m.Reason = rollout.StateGranted, rollout.ReasonGranted
	m.Attempt = rollout.Attempt{Rollout: rollout.ID(uuid.New()), Package: rollout.ID(uuid.New()), Wave: 1, Epoch: 2, Number: 1,
		GrantedAt: start, LeaseUntil: start.Add(time.Hour)}
	m.Attempt.Version, _ = rollout.ParseVersion("2.0.0")
	return m
}

// step changes a machine under the locks of both groups.
func (f *fixture) step(s *store.Store, id uuid.UUID, change func(m *store.Machine) error) error {
	ctx := context.Background()
	return s.Write(ctx, start, func(tx *store.Tx) error {
		groups, err := tx.LockGroups(ctx, f.groups[:])
		if err != nil {
			return err
		}
		all, err := tx.Machines(ctx, []uuid.UUID{id})
		if err != nil {
			return err
		}
		err = change(all[id])
		return errors.Join(err, tx.Save(ctx, &store.Batch{Groups: groups, Machines: []*store.Machine{all[id]}}))
	})
}

// The next step of an update uses the cached row unless another process changed a
// machine of the group. Each step finds what is in the database.
func TestTheNextStepOfAnUpdateUsesTheCachedRow(t *testing.T) {
	url := storetest.Postgres(t)
	one := open(t, url)
	f, other := fill(t, one), open(t, url)
	m := f.updating("m")
	write(t, one, func(ctx context.Context, tx *store.Tx) error {
		groups, err := tx.LockGroups(ctx, f.groups[:])
		if err != nil {
			return err
		}
		return tx.Save(ctx, &store.Batch{Groups: groups, Machines: []*store.Machine{m}})
	})
	reads := 0
	one.Trace(func(_ *sql.Tx, text string, _ []any) {
		if strings.Contains(text, "FROM instances WHERE id ") {
			reads++
		}
	})
	onDisk := func() (found *store.Machine) {
		write(t, other, func(ctx context.Context, tx *store.Tx) error { // without a lock the cache is not used
			all, err := tx.Machines(ctx, []uuid.UUID{m.InstanceID})
			found = all[m.InstanceID]
			return err
		})
		return found
	}
	expect := func(what string, wanted int, change func(m *store.Machine)) {
		t.Helper()
		disk := onDisk()
		reads = 0
		check(t, f.step(one, m.InstanceID, func(got *store.Machine) error {
			same(t, got, disk)
			change(got)
			return nil
		}))
		if reads != wanted {
			t.Errorf("%s: the machine was read %d times, want %d", what, reads, wanted)
		}
	}
	expect("the next step", 0, func(m *store.Machine) {
		m.State, m.Attempt.DownloadingAt = rollout.StateDownloading, start.Add(time.Second)
	})
	expect("one more", 0, func(m *store.Machine) { m.Address = "::1" })

	check(t, f.step(other, m.InstanceID, func(m *store.Machine) error { m.Alias = "set by another process"; return nil }))
	expect("after another process", 1, func(m *store.Machine) { m.State = rollout.StateDownloaded })
	expect("and then", 0, func(*store.Machine) {})

	database := raw(t, url) // an older state, as after a restore
	for _, text := range []string{"UPDATE ledgers SET writes = writes - 1", "UPDATE instances SET alias = 'older'"} {
		_, err := database.ExecContext(t.Context(), text)
		check(t, err)
	}
	expect("on an older database", 1, func(m *store.Machine) { m.Address = "::2" })
	expect("and its next step", 0, func(*store.Machine) {})

	broken := errors.New("broken")
	if err := f.step(one, m.InstanceID, func(m *store.Machine) error { m.Alias = "never"; return broken }); !errors.Is(err, broken) {
		t.Fatal(err)
	}
	expect("after a failed step", 0, func(m *store.Machine) { m.GroupID = f.groups[1] })
	expect("in another group", 0, func(m *store.Machine) { m.Attempt = rollout.Attempt{} })
	expect("when the update is over", 1, func(*store.Machine) {})
	recount(t, one)

	// After a row was deleted by hand, one step fails and then the cache is correct.
	check(t, f.step(one, m.InstanceID, func(m *store.Machine) error {
		m.Attempt = rollout.Attempt{GrantedAt: start, LeaseUntil: start}
		return nil
	}))
	_, err := database.ExecContext(t.Context(), "DELETE FROM instances")
	check(t, err)
	if err := f.step(one, m.InstanceID, func(m *store.Machine) error { m.Address = "::3"; return nil }); !errors.Is(err, store.ErrRetry) {
		t.Errorf("the first step without its row: %v", err)
	}
	write(t, one, func(ctx context.Context, tx *store.Tx) error {
		if _, err := tx.LockGroups(ctx, f.groups[:]); err != nil {
			return err
		}
		all, err := tx.Machines(ctx, []uuid.UUID{m.InstanceID})
		if len(all) > 0 {
			t.Error("the deleted row is still in the cache")
		}
		return err
	})
}

func TestTheCacheOfRecentRowsIsBounded(t *testing.T) {
	f := fill(t, open(t, storetest.Postgres(t)))
	for part := range 2 {
		write(t, f.Store, func(ctx context.Context, tx *store.Tx) error {
			groups, err := tx.LockGroups(ctx, f.groups[:1])
			if err != nil {
				return err
			}
			b := &store.Batch{Groups: groups}
			for i := range store.MaxRecentRows/2 + 1 {
				b.Machines = append(b.Machines, f.updating(fmt.Sprint(part, " ", i)))
			}
			return tx.Save(ctx, b)
		})
		if n := f.RecentRows(); n > store.MaxRecentRows || part == 0 && n == 0 {
			t.Errorf("%d rows are cached after part %d", n, part)
		}
	}
}
