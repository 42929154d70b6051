// Package statement runs SQL that is written once for both databases, as
// prepared statements. It knows no tables.
package statement

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/google/uuid"
	"github.com/lib/pq"
)

// Pool is a pool of connections and the statements prepared on it. Statements are
// never dropped, so there must be few different texts: a list is sent as one
// argument. It is safe for concurrent use.
type Pool struct {
	*sql.DB
	Postgres bool // else SQLite
	// Trace, for tests, is called before each statement of a Tx runs. A statement
	// that runs once for each row is traced once, without arguments.
	Trace func(tx *sql.Tx, text string, args []any)

	translated sync.Map             // text → the text in the database's dialect
	mu         sync.Mutex           // never held while the database works: a transaction that waits for it may hold locks there
	prepared   map[string]*sql.Stmt // by translated text; nil while one is prepared
}

// NewPool returns a pool without prepared statements.
func NewPool(d *sql.DB, postgres bool) *Pool {
	return &Pool{DB: d, Postgres: postgres, prepared: map[string]*sql.Stmt{}}
}

// CloseStatements closes the prepared statements. Statements prepared later are
// not closed.
func (p *Pool) CloseStatements() {
	p.mu.Lock()
	all := p.prepared
	p.prepared = map[string]*sql.Stmt{}
	p.mu.Unlock()
	for _, stmt := range all {
		if stmt != nil {
			_ = stmt.Close() // its connection closes with it
		}
	}
}

// Tx is a transaction of a pool. It is used by one goroutine.
type Tx struct {
	*sql.Tx
	pool  *Pool
	fresh []string // texts to prepare on the pool
}

// Beginner is a pool of connections, or one connection of it.
type Beginner interface {
	BeginTx(ctx context.Context, o *sql.TxOptions) (*sql.Tx, error)
}

// Begin starts a transaction on the pool, or on one of its connections.
func (p *Pool) Begin(ctx context.Context, from Beginner, o *sql.TxOptions) (*Tx, error) {
	t, err := from.BeginTx(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("begin: %w", err)
	}
	return &Tx{Tx: t, pool: p}, nil
}

// Postgres reports whether the database is PostgreSQL.
func (t *Tx) Postgres() bool { return t.pool.Postgres }

// List is Pool.List.
func (t *Tx) List(ids []uuid.UUID) any { return t.pool.List(ids) }

// SQL is Pool.SQL.
func (t *Tx) SQL(text string) string { return t.pool.SQL(text) }

// Statement returns a prepared statement bound to the transaction. A new one is
// prepared in the transaction, because waiting for a second connection while
// holding one could deadlock. PrepareOnPool makes it available to later
// transactions.
func (t *Tx) Statement(ctx context.Context, text string, args ...any) (*sql.Stmt, error) {
	text = t.pool.memoized(text)
	if t.pool.Trace != nil {
		t.pool.Trace(t.Tx, text, args)
	}
	t.pool.mu.Lock()
	stmt := t.pool.prepared[text]
	t.pool.mu.Unlock()
	if stmt != nil {
		return t.StmtContext(ctx, stmt), nil
	}
	stmt, err := t.PrepareContext(ctx, text)
	if err != nil {
		return nil, fmt.Errorf("prepare %.60q: %w", text, err)
	}
	t.fresh = append(t.fresh, text)
	return stmt, nil
}

// Run runs a prepared statement that returns rows.
func (t *Tx) Run(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	stmt, err := t.Statement(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	return stmt.QueryContext(ctx, args...)
}

// Change runs a prepared statement that returns no rows.
func (t *Tx) Change(ctx context.Context, text string, args ...any) (sql.Result, error) {
	stmt, err := t.Statement(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	return stmt.ExecContext(ctx, args...)
}

// PrepareOnPool prepares the statements that the transaction had to prepare for
// itself, so that later ones find them. Call it after the transaction has ended:
// it needs a connection. A failure is ignored, the next transaction tries again.
func (t *Tx) PrepareOnPool(ctx context.Context) {
	for _, text := range t.fresh {
		// Once for each text: to close a second one waits for its connection, which may by
		// then wait for locks.
		if !t.pool.claim(text) {
			continue
		}
		stmt, err := t.pool.PrepareContext(ctx, text)
		t.pool.mu.Lock()
		if err == nil {
			t.pool.prepared[text] = stmt
		} else {
			delete(t.pool.prepared, text)
		}
		t.pool.mu.Unlock()
	}
}

// claim reports whether the caller is the first to prepare a text.
func (p *Pool) claim(text string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, claimed := p.prepared[text]; claimed {
		return false
	}
	p.prepared[text] = nil
	return true
}

// memoized returns the result of SQL and caches it.
func (p *Pool) memoized(text string) string {
	if made, ok := p.translated.Load(text); ok {
		return made.(string)
	}
	made := p.SQL(text)
	p.translated.Store(text, made)
	return made
}

// SQL translates a statement with ? placeholders to the database's dialect. "@in"
// becomes a test for membership in a list, whose argument is made by List, and
// "@lock" a row lock, which SQLite does not need.
func (p *Pool) SQL(text string) string {
	if !p.Postgres {
		text = strings.ReplaceAll(text, "@in", "IN (SELECT value FROM json_each(?))")
		return strings.ReplaceAll(text, "@lock", "")
	}
	text = strings.ReplaceAll(text, "@in", "= ANY(?::uuid[])")
	text = strings.ReplaceAll(text, "@lock", "FOR UPDATE")
	var b strings.Builder
	n := 0
	for _, part := range strings.SplitAfter(text, "?") {
		if head, found := strings.CutSuffix(part, "?"); found {
			n++
			b.WriteString(head + "$" + strconv.Itoa(n))
			continue
		}
		b.WriteString(part)
	}
	return b.String()
}

// List is the argument of "@in".
func (p *Pool) List(ids []uuid.UUID) any {
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = id.String()
	}
	if p.Postgres {
		return pq.StringArray(texts)
	}
	b, _ := json.Marshal(texts) // cannot fail for strings
	return string(b)
}
