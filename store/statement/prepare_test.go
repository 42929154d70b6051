package statement

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"sync/atomic"
	"testing"
)

// counting is a database that counts the statements that are prepared.
type counting struct{ prepared atomic.Int64 }

func (c *counting) Connect(context.Context) (driver.Conn, error) { return c, nil }
func (c *counting) Driver() driver.Driver                        { return nil }
func (c *counting) Begin() (driver.Tx, error)                    { return c, nil }
func (c *counting) Commit() error                                { return nil }
func (c *counting) Rollback() error                              { return nil }
func (c *counting) Close() error                                 { return nil }
func (c *counting) NumInput() int                                { return -1 }

func (c *counting) Prepare(string) (driver.Stmt, error) {
	c.prepared.Add(1)
	return c, nil
}

func (c *counting) Exec([]driver.Value) (driver.Result, error) { return driver.ResultNoRows, nil }
func (c *counting) Query([]driver.Value) (driver.Rows, error)  { return nil, errors.ErrUnsupported }

// Transactions that need the same new statement at once prepare it once on the pool. A
// second one had to be closed under the pool's lock, which waited for a connection that
// waited for the row lock of a transaction that waited for the pool's lock.
func TestStatementIsPreparedOnceOnThePool(t *testing.T) {
	c := &counting{}
	d := sql.OpenDB(c)
	defer d.Close()
	p := NewPool(d, true)
	var all [2]*Tx
	for i := range all {
		tx, err := p.Begin(t.Context(), p, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Change(t.Context(), "UPDATE a SET b = 1"); err != nil {
			t.Fatal(err)
		}
		all[i] = tx
	}
	for _, tx := range all {
		if err := tx.Commit(); err != nil {
			t.Fatal(err)
		}
		tx.PrepareOnPool(t.Context())
	}
	if n := c.prepared.Load(); n != 3 {
		t.Errorf("%d statements were prepared, want one in each transaction and one on the pool", n)
	}
}
