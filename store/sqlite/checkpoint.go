package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// checkpointEvery is the interval between checkpoints. By default SQLite
// checkpoints within a commit, which delayed all waiting check-ins by some 100 ms
// on a busy disk. Longer intervals copy many pages at a time, and commits queue
// behind them. Shorter ones copy pages that are about to change again.
const checkpointEvery = 30 * time.Millisecond

// RestartPages is the WAL size (32 MiB) at which the checkpointer restarts the log.
const RestartPages = 8192

// checkpointer copies committed pages from the write-ahead log to the database
// file, over its own connection, while other connections read and write.
type checkpointer struct {
	db        *sql.DB
	writer    *sql.DB // the one connection that commits
	log       *slog.Logger
	committed atomic.Bool // since the last checkpoint
	stop      chan struct{}
	done      sync.WaitGroup
}

func startCheckpointer(path string, writer *sql.DB, log *slog.Logger) (*checkpointer, error) {
	d, err := OpenToMigrate(path) // foreign keys do not matter: it changes no row
	if err != nil {
		return nil, err
	}
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
		if !c.committed.Swap(false) {
			continue
		}
		pages, _, err := checkpoint(c.db)
		if err == nil && pages >= RestartPages {
			err = c.restart()
		}
		if err != nil {
			c.committed.Store(true)
			c.log.Warn("checkpoint of the database failed", "error", err)
		}
	}
}

// restart lets SQLite write its log from the beginning again. SQLite does so only
// if every page was copied before the next commit. Under constant load that never
// happens and the log would grow. So the last pages are copied while the writer's
// connection is taken and no commit can start. The two checkpoints before it leave
// few pages to copy.
func (c *checkpointer) restart() error {
	for range 2 {
		pages, copied, err := checkpoint(c.db)
		if err != nil || copied < pages { // a reader needs the rest
			return err
		}
	}
	conn, err := c.writer.Conn(context.Background())
	if err != nil {
		return err
	}
	_, _, err = checkpoint(conn)
	return errors.Join(err, conn.Close())
}

// checkpoint copies pages to the file without waiting for readers or writers. It
// returns how many pages the log has and how many are copied. Pages that a
// reader of an old state needs are left for later.
func checkpoint(db interface {
	QueryRowContext(ctx context.Context, text string, args ...any) *sql.Row
},
) (pages, copied int, err error) {
	var busy int
	err = db.QueryRowContext(context.Background(), "PRAGMA wal_checkpoint(PASSIVE)").Scan(&busy, &pages, &copied)
	return pages, copied, err
}

func (c *checkpointer) close() error {
	close(c.stop)
	c.done.Wait()
	return c.db.Close()
}
