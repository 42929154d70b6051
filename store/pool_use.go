package store

import (
	"time"

	"github.com/coreroller/coreroller/store/statement"
)

// PoolUse is how the connections of a pool to the database are used.
type PoolUse struct {
	Name              string // writer or readers
	InUse, Idle, Most int
	Waited            time.Duration // of all requests that waited for a connection
}

// Pools returns the use of the connections. It asks no database.
func (s *Store) Pools() []PoolUse {
	use := func(name string, p *statement.Pool) PoolUse {
		is := p.Stats()
		return PoolUse{Name: name, InUse: is.InUse, Idle: is.Idle, Most: is.MaxOpenConnections, Waited: is.WaitDuration}
	}
	return []PoolUse{use("writer", s.writer), use("readers", s.readers)}
}
