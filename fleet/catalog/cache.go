package catalog

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/event"
	"github.com/coreroller/coreroller/store"
)

// retryReload is the pause after a failed reload. No wrong grant can happen
// meanwhile: a check-in under a ledger lock notices that its snapshot is stale.
const retryReload = time.Second

// Cache holds the current Catalog of this process and follows the changes that
// other processes commit. It is safe for concurrent use.
type Cache struct {
	store     *store.Store
	log       *slog.Logger
	current   atomic.Pointer[Catalog]
	reloading sync.Mutex // held from reading the configuration to replacing the catalog
}

// NewCache reads the configuration of all applications.
func NewCache(ctx context.Context, s *store.Store, log *slog.Logger) (*Cache, error) {
	c := &Cache{store: s, log: log}
	c.current.Store(&Catalog{})
	return c, c.reloadAll(ctx)
}

// Catalog returns the current snapshot; it never changes.
func (c *Cache) Catalog() *Catalog { return c.current.Load() }

// Put installs the state of an application after a committed verb; nil removes it.
// It keeps the current snapshot if that is at least as new.
func (c *Cache) Put(id uuid.UUID, app *App) {
	c.reloading.Lock()
	defer c.reloading.Unlock()
	c.replace(id, app)
}

// replace must be called with reloading held.
func (c *Cache) replace(id uuid.UUID, app *App) {
	all := c.current.Load()
	have := all.App(id)
	switch {
	case app == nil:
		c.current.Store(all.without(id))
	case have == nil || have.Revision < app.Revision:
		c.current.Store(all.with(app))
	}
}

// reload reads one application again. It removes a deleted application and
// keeps the snapshot if it is already current.
func (c *Cache) reload(ctx context.Context, id uuid.UUID) error {
	c.reloading.Lock()
	defer c.reloading.Unlock()
	app, err := LoadApp(ctx, c.store.Reader(), id)
	if err != nil {
		return err
	}
	c.replace(id, app)
	return nil
}

func (c *Cache) reloadAll(ctx context.Context) error {
	c.reloading.Lock()
	defer c.reloading.Unlock()
	apps, err := loadApps(ctx, c.store.Reader())
	if err != nil {
		return err
	}
	old, all := c.current.Load(), &Catalog{}
	for _, a := range apps {
		if have := old.App(a.ID); have != nil && have.Revision >= a.Revision {
			a = have
		}
		all.put(a)
	}
	c.current.Store(all)
	return nil
}

// Watch applies the changes that other processes announce until the context ends.
func (c *Cache) Watch(ctx context.Context) {
	sub := c.store.Bus().Subscribe(func(e event.Event) bool {
		return e.Kind == event.AppChanged || e.Kind == event.FleetChanged || e.Kind == event.Resync
	})
	defer sub.Close()
	// Changes between the first load and the subscription were missed.
	pending := []event.Event{{Kind: event.Resync}}
	for {
		var again <-chan time.Time
		if pending = c.follow(ctx, pending); len(pending) > 0 {
			again = time.After(retryReload)
		}
		select {
		case <-ctx.Done():
			return
		case <-again:
		case <-sub.Ready():
			pending = append(pending, sub.Take()...)
		}
	}
}

// follow reloads what the events name and returns the events to retry.
func (c *Cache) follow(ctx context.Context, events []event.Event) []event.Event {
	for _, e := range events {
		var err error
		if e.Kind != event.AppChanged {
			err = c.reloadAll(ctx)
		} else if a := c.Catalog().App(e.App); a == nil || a.Revision < e.Revision {
			err = c.reload(ctx, e.App)
		}
		if err != nil {
			if ctx.Err() == nil {
				c.log.Error("could not reload the configuration", "error", err)
			}
			return []event.Event{{Kind: event.Resync}}
		}
	}
	return nil
}
