package store_test

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"coreroller/store"
	"coreroller/store/storetest"
)

// What is committed moves to the file by itself, long before the log is so full
// that a commit has to do it.
func TestWhatIsCommittedMovesToTheFile(t *testing.T) {
	path := storetest.SQLite(t)
	f := fill(t, open(t, path))
	size := func() int64 {
		info, err := os.Stat(path)
		check(t, err)
		return info.Size()
	}
	before := size()
	write(t, f.Store, func(ctx context.Context, tx *store.Tx) error {
		groups, err := tx.LockGroups(ctx, f.groups[:1])
		if err != nil {
			return err
		}
		b := &store.Batch{Groups: groups}
		for i := range 1000 {
			b.Machines = append(b.Machines, f.machine(0, fmt.Sprintf("%032x", i), "1.0.0"))
		}
		return tx.Save(ctx, b)
	})
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	late := time.After(time.Minute)
	for size() < before+1000*100 {
		select {
		case <-look.C:
		case <-late:
			t.Fatalf("the file has %d bytes as before", size())
		}
	}
}
