package store

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// checkpointEvery is how often pages go from SQLite's log to its file. Left to
// itself SQLite does that within a commit, every 64 MiB: all machines waited for
// it, some 100 ms when the disk is busy. More often is more writing, because a
// page that changes again is written again.
const checkpointEvery = 100 * time.Millisecond

// checkpointer moves what was committed from SQLite's log to its file, over a
// connection of its own, while others read and write.
type checkpointer struct {
	db      *sql.DB
	log     *slog.Logger
	written atomic.Bool // since the last one
	stop    chan struct{}
	done    sync.WaitGroup
}

func startCheckpointer(path string, log *slog.Logger) (*checkpointer, error) {
	d, err := sql.Open("sqlite", sqliteDSN(path, false, false))
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	d.SetMaxOpenConns(1)
	c := &checkpointer{db: d, log: log, stop: make(chan struct{})}
	c.done.Go(c.run)
	return c, nil
}

func (c *checkpointer) run() {
	tick := time.NewTicker(checkpointEvery)
	defer tick.Stop()
	for {
		select {
		case <-c.stop:
			return
		case <-tick.C:
		}
		if !c.written.Swap(false) {
			continue
		}
		// Without waiting for anybody. What is committed meanwhile, and what
		// readers of an old state keep from being moved, comes next time.
		if _, err := c.db.ExecContext(context.Background(), "PRAGMA wal_checkpoint(PASSIVE)"); err != nil {
			c.written.Store(true)
			c.log.Warn("checkpoint of the database", "error", err)
		}
	}
}

func (c *checkpointer) close() error {
	close(c.stop)
	c.done.Wait()
	return c.db.Close()
}
