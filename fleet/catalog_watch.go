package fleet

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/event"
)

// retryReload is how long to wait after the configuration could not be read.
// Nothing wrong is granted meanwhile: a check-in under a ledger lock notices
// that its snapshot is old.
const retryReload = time.Second

// reload reads one application again. An application that is gone leaves the
// catalog; a snapshot that is already as new stays.
func (s *Service) reload(ctx context.Context, id uuid.UUID) error {
	s.reloading.Lock()
	defer s.reloading.Unlock()
	app, err := loadApp(ctx, s.store.Reader(), id)
	if err != nil {
		return err
	}
	s.replace(id, app)
	return nil
}

// reloadAll reads everything again.
func (s *Service) reloadAll(ctx context.Context) error {
	s.reloading.Lock()
	defer s.reloading.Unlock()
	apps, err := loadApps(ctx, s.store.Reader())
	if err != nil {
		return err
	}
	old, c := s.catalog.Load(), &Catalog{}
	for _, a := range apps {
		if have := old.App(a.ID); have != nil && have.Revision >= a.Revision {
			a = have
		}
		c.put(a)
	}
	s.catalog.Store(c)
	return nil
}

// install puts an application as a verb left it into the catalog; nil takes it out.
func (s *Service) install(id uuid.UUID, app *App) {
	s.reloading.Lock()
	defer s.reloading.Unlock()
	s.replace(id, app)
}

// replace is called with reloading held.
func (s *Service) replace(id uuid.UUID, app *App) {
	c := s.catalog.Load()
	have := c.App(id)
	switch {
	case app == nil:
		s.catalog.Store(c.without(id))
	case have == nil || have.Revision < app.Revision:
		s.catalog.Store(c.with(app))
	}
}

// watchCatalog keeps the catalog as new as what other processes announce,
// until the context ends.
func (s *Service) watchCatalog(ctx context.Context) {
	sub := s.store.Bus().Subscribe(func(e event.Event) bool {
		return e.Kind == event.AppChanged || e.Kind == event.FleetChanged || e.Kind == event.Resync
	})
	defer sub.Close()
	// What changed between the first load and the subscription was not heard.
	pending := []event.Event{{Kind: event.Resync}}
	for {
		var again <-chan time.Time
		if pending = s.follow(ctx, pending); len(pending) > 0 {
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

// follow reloads what the events speak of and returns what is left to try again.
func (s *Service) follow(ctx context.Context, events []event.Event) []event.Event {
	for _, e := range events {
		var err error
		if e.Kind != event.AppChanged {
			err = s.reloadAll(ctx)
		} else if a := s.Catalog().App(e.App); a == nil || a.Revision < e.Revision {
			err = s.reload(ctx, e.App)
		}
		if err != nil {
			if ctx.Err() == nil {
				s.log.Error("the configuration could not be read again", "error", err)
			}
			return []event.Event{{Kind: event.Resync}}
		}
	}
	return nil
}
