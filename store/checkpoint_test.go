package store_test

import (
	"os"
	"testing"
	"time"

	"github.com/coreroller/coreroller/store"
	"github.com/coreroller/coreroller/store/storetest"
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
	f.join(t, 1000)
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

// While one commit follows the other the log is begun anew again and again, so
// that no commit finds it so long that it has to move it.
func TestTheLogBeginsAnewUnderLoad(t *testing.T) {
	path := storetest.SQLite(t)
	f := fill(t, open(t, path))
	seen := f.join(t, 1000)
	const allowed = 2 * store.RewindPages * 4096
	for written := 0; written < 2*allowed; {
		for id, at := range seen {
			seen[id] = at.Add(time.Second)
		}
		check(t, f.TouchMachines(t.Context(), seen))
		written += len(seen) * 4096 / 20 // at least: no page has twenty machines
		info, err := os.Stat(path + "-wal")
		check(t, err)
		if info.Size() > allowed {
			t.Fatalf("the log has %d bytes", info.Size())
		}
	}
}
