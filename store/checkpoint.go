package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// checkpointEvery is how often pages go from SQLite's log to its file. Left to
// itself SQLite does that within a commit: all machines waited for it, some
// 100 ms when the disk is busy. Seldom is many pages at a time, which commits
// wait behind; often is more writing, of pages that change again.
const checkpointEvery = 30 * time.Millisecond

// rewindPages is how long the log may become before it is begun anew: 32 MiB.
const rewindPages = 8192

// checkpointer moves what was committed from SQLite's log to its file, over a
// connection of its own, while others read and write.
type checkpointer struct {
	db      *sql.DB
	writer  *sql.DB // the store's one connection that writes
	log     *slog.Logger
	written atomic.Bool // since the last one
	stop    chan struct{}
	done    sync.WaitGroup
}

func startCheckpointer(path string, writer *sql.DB, log *slog.Logger) (*checkpointer, error) {
	d, err := sql.Open("sqlite", sqliteDSN(path, false, false))
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	d.SetMaxOpenConns(1)
	c := &checkpointer{db: d, writer: writer, log: log, stop: make(chan struct{})}
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
		// What is committed meanwhile comes next time.
		pages, _, err := move(c.db)
		if err == nil && pages >= rewindPages {
			err = c.rewind()
		}
		if err != nil {
			c.written.Store(true)
			c.log.Warn("checkpoint of the database", "error", err)
		}
	}
}

// rewind lets SQLite begin its log anew. It does so by itself when all of it was
// moved before the next commit, which never happens while much is written, and
// the log would grow until the commits move it. So the last pages are moved
// while nobody can commit: few, because those before are moved without that.
func (c *checkpointer) rewind() error {
	for range 2 {
		pages, moved, err := move(c.db)
		if err != nil || moved < pages { // kept back by a reader
			return err
		}
	}
	conn, err := c.writer.Conn(context.Background())
	if err != nil {
		return err
	}
	_, _, err = move(conn)
	return errors.Join(err, conn.Close())
}

// move moves pages from the log to the file without waiting for anybody. It says
// how many the log has and how many of them are moved: those that readers of an
// old state need stay for another time.
func move(db interface {
	QueryRowContext(ctx context.Context, text string, args ...any) *sql.Row
},
) (pages, moved int, err error) {
	var busy int
	err = db.QueryRowContext(context.Background(), "PRAGMA wal_checkpoint(PASSIVE)").Scan(&busy, &pages, &moved)
	return pages, moved, err
}

func (c *checkpointer) close() error {
	close(c.stop)
	c.done.Wait()
	return c.db.Close()
}
