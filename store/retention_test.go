package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
	"github.com/coreroller/coreroller/store/storetest"
)

// deleteOld deletes all old records of a period and returns how many.
func deleteOld(t *testing.T, s *store.Store, name string, now time.Time) (deleted int) {
	t.Helper()
	p := period(t, name)
	for {
		n, done, err := s.DeleteOld(t.Context(), &p, now)
		if err != nil {
			t.Fatal(err)
		}
		if deleted += n; done {
			return deleted
		}
		if n != store.DeleteRows {
			t.Fatalf("a batch that was not the last one deleted %d rows", n)
		}
	}
}

func period(t *testing.T, name string) store.Period {
	t.Helper()
	for _, p := range store.Periods() {
		if p.Name == name {
			return p
		}
	}
	t.Fatalf("there is no period %s", name)
	return store.Period{}
}

func TestOldRecordsAreDeletedInBatches(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		s, err := store.Open(t.Context(), store.Options{URL: url, Keep: store.Keep{"activities": 10 * 24 * time.Hour}})
		check(t, err)
		t.Cleanup(func() { _ = s.Close() })
		f := fill(t, s)
		const old, recent = store.DeleteRows + 500, 7
		for at, n := range map[time.Time]int{start: old, start.Add(9 * 24 * time.Hour): recent} {
			check(t, s.Write(t.Context(), at, func(tx *store.Tx) error {
				all := make([]store.Activity, n)
				for i := range all {
					all[i] = store.Activity{Activity: rollout.Activity{Kind: rollout.ActivityPaused}, ApplicationID: f.app}
				}
				return tx.Save(t.Context(), &store.Batch{Activities: all})
			}))
		}
		p := period(t, "activities")
		stock, err := s.Stock(t.Context(), &p)
		check(t, err)
		if stock.Oldest == nil || !stock.Oldest.Equal(start) || stock.Rows != nil && *stock.Rows < old {
			t.Errorf("before: %+v", stock)
		}
		now := start.Add(10*24*time.Hour + time.Second)
		n, done, err := s.DeleteOld(t.Context(), &p, now)
		if err != nil || done || n != store.DeleteRows {
			t.Errorf("the first batch deleted %d rows, done %v, error %v", n, done, err)
		}
		if n := deleteOld(t, s, "activities", now); n != 500 {
			t.Errorf("the rest was %d rows", n)
		}
		if n := s.Reader().Activity.Query().CountX(t.Context()); n != recent {
			t.Errorf("%d activities are left", n)
		}
		if n := deleteOld(t, s, "history", now); n != 0 {
			t.Errorf("%d history entries were deleted", n)
		}
		for _, p := range store.Periods() { // every statement runs, also on empty tables
			if _, err := s.Stock(t.Context(), &p); err != nil {
				t.Error(err)
			}
			deleteOld(t, s, p.Name, now)
		}
		check(t, s.DropUptimes(t.Context(), now))
	})
}

// A machine in a group is not deleted, however long it is silent.
func TestOnlyMachinesWithoutAGroupAreDeleted(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		f := fill(t, open(t, url))
		f.join(t, 3)
		write(t, f.Store, func(ctx context.Context, tx *store.Tx) error {
			return tx.Client().Instance.UpdateOneID(f.machine(0, "00000000000000000000000000000001", "1.0.0").InstanceID).ClearGroupID().Exec(ctx)
		})
		if n := deleteOld(t, f.Store, "machines", start.Add(90*24*time.Hour-time.Second)); n != 0 {
			t.Errorf("%d machines were deleted early", n)
		}
		if n := deleteOld(t, f.Store, "machines", start.Add(90*24*time.Hour+time.Second)); n != 1 {
			t.Errorf("%d machines were deleted", n)
		}
	})
}

func TestPeriodsAreBoundedAndReadable(t *testing.T) {
	names := map[string]bool{}
	for _, p := range store.Periods() {
		if names[p.Name] || p.Records == "" || p.Check(p.Default) != nil || p.Check(p.Max+1) == nil || p.Min > 0 && p.Check(p.Min-1) == nil {
			t.Errorf("period %+v", p)
		}
		names[p.Name] = true
		if d, err := store.ParsePeriod(store.PeriodText(p.Default)); err != nil || d != p.Default {
			t.Errorf("%s is read as %v, %v", store.PeriodText(p.Default), d, err)
		}
	}
	for _, text := range []string{"", "d", "-1d", "1.5d", "90", "-3h", "99999d"} {
		if d, err := store.ParsePeriod(text); err == nil {
			t.Errorf("%q is read as %v", text, d)
		}
	}
}
