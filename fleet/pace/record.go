package pace

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db/ledger"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
)

// Sample notes the ledger of every group. Batches of check-ins note only the
// groups in which something changes.
func (m *Meters) Sample(ctx context.Context, s *store.Store, groups *catalog.Catalog, now time.Time) error {
	rows, err := s.Reader().Ledger.Query().Select(ledger.FieldGroupID, ledger.FieldInFlight, ledger.FieldSpends).All(ctx)
	if err != nil {
		return fmt.Errorf("read ledgers: %w", err)
	}
	for _, row := range rows {
		if g := groups.Group(row.GroupID); g != nil {
			l := rollout.Ledger{InFlight: row.InFlight, Spends: SpendsSince(row.Spends, time.Time{})}
			m.Of(g.ID).Note(Of(g, &l, now))
		}
	}
	return nil
}

// Write adds what this process measured since the last write to the points of
// all resolutions, in the interval that contains the middle of that time. After
// an error the measurements are kept for the next write.
func (m *Meters) Write(ctx context.Context, s *store.Store, groups *catalog.Catalog, now time.Time) error {
	m.writing.Lock()
	defer m.writing.Unlock()
	middle := m.written.Add(now.Sub(m.written) / 2)
	taken := map[*Meter]store.Pace{}
	var points []store.PacePoint
	m.groups.Range(func(key, value any) bool {
		id, meter := key.(uuid.UUID), value.(*Meter)
		if groups.Group(id) == nil {
			m.groups.Delete(id)
			return true
		}
		p := meter.take()
		if p == (store.Pace{}) {
			return true
		}
		taken[meter] = p
		for _, r := range Resolutions() {
			points = append(points, store.PacePoint{GroupID: id, Resolution: r.Seconds, At: EndOf(middle, r.Seconds), Pace: p})
		}
		return true
	})
	if err := s.AddPace(ctx, points); err != nil {
		for meter, p := range taken {
			meter.restore(p)
		}
		return err
	}
	m.written = now
	return nil
}

// SpendsSince returns the grants of a ledger row after a given time. A row keeps
// each entry as first and last in microseconds since 1970, and count.
func SpendsSince(rows [][3]int64, since time.Time) []rollout.Spend {
	var all []rollout.Spend
	for _, r := range rows {
		if last := time.UnixMicro(r[1]).UTC(); last.After(since) {
			all = append(all, rollout.Spend{First: time.UnixMicro(r[0]).UTC(), Last: last, Count: int(r[2])})
		}
	}
	return all
}
