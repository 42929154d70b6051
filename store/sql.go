package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"
)

// statements are the prepared statements of the hot path, by their text. The
// texts are few: rows travel as arrays, never as more placeholders.
type statements struct {
	db  *sql.DB
	mu  sync.Mutex
	set map[string]*sql.Stmt
}

// known is a statement that was prepared before, nil when it was not.
func (s *statements) known(text string) *sql.Stmt {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.set[text]
}

// prepare keeps a statement, if it can be prepared. It needs a connection.
func (s *statements) prepare(ctx context.Context, text string) {
	stmt, err := s.db.PrepareContext(ctx, text)
	if err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.set[text] != nil {
		_ = stmt.Close() // two came at once; nobody has used this one
		return
	}
	if s.set == nil {
		s.set = map[string]*sql.Stmt{}
	}
	s.set[text] = stmt
}

func (s *statements) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, stmt := range s.set {
		_ = stmt.Close() // its connection closes with it
	}
	s.set = nil
}

// prepared is a statement of the hot path bound to the transaction. One that is
// new is prepared inside, and kept for the next ones when the transaction has
// ended: whoever holds a connection does not wait for another one.
func (tx *Tx) prepared(ctx context.Context, text string, args ...any) (*sql.Stmt, error) {
	text = tx.store.translated(text)
	if tx.store.trace != nil {
		tx.store.trace(tx.sql, text, args)
	}
	if stmt := tx.stmts.known(text); stmt != nil {
		return tx.sql.StmtContext(ctx, stmt), nil
	}
	stmt, err := tx.sql.PrepareContext(ctx, text)
	if err != nil {
		return nil, fmt.Errorf("prepare %.60q: %w", text, err)
	}
	tx.fresh = append(tx.fresh, text)
	return stmt, nil
}

// keep prepares what a transaction that ended had to prepare for itself. What
// cannot be prepared now will be by whoever needs it.
func (tx *Tx) keep(ctx context.Context) {
	for _, text := range tx.fresh {
		tx.stmts.prepare(ctx, text)
	}
}

func (tx *Tx) query(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	stmt, err := tx.prepared(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	return stmt.QueryContext(ctx, args...)
}

func (tx *Tx) exec(ctx context.Context, text string, args ...any) (sql.Result, error) {
	stmt, err := tx.prepared(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	return stmt.ExecContext(ctx, args...)
}

// translated is q for the texts of the hot path, which are few.
func (s *Store) translated(text string) string {
	if made, ok := s.words.Load(text); ok {
		return made.(string)
	}
	made := s.q(text)
	s.words.Store(text, made)
	return made
}

// q writes a statement with ? placeholders in the words of the dialect. Two
// more words are replaced: @in is "is one of the list", whose argument is made
// by (*Store).list, and @lock is the row lock SQLite does not need.
func (s *Store) q(text string) string {
	if !s.postgres() {
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

// list is the argument of @in.
func (s *Store) list(ids []uuid.UUID) any {
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = id.String()
	}
	if s.postgres() {
		return pq.StringArray(texts)
	}
	b, _ := json.Marshal(texts) // strings always marshal
	return string(b)
}

// nullTime reads a time that may be NULL; zero then.
type nullTime struct{ to *time.Time }

func (n nullTime) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		*n.to = time.Time{}
	case time.Time:
		*n.to = v.UTC()
	default:
		return fmt.Errorf("a time was stored as %T", v)
	}
	return nil
}

// nullID reads an id that may be NULL; uuid.Nil then.
type nullID struct{ to *uuid.UUID }

func (n nullID) Scan(v any) error {
	*n.to = uuid.Nil
	if v == nil {
		return nil
	}
	return n.to.Scan(v)
}

// jsonValue reads and writes a value kept as JSON.
type jsonValue struct{ to any }

func (j jsonValue) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		return nil
	case []byte:
		return json.Unmarshal(v, j.to)
	case string:
		return json.Unmarshal([]byte(v), j.to)
	}
	return fmt.Errorf("JSON was stored as %T", v)
}

// toJSON is a value as it is kept. Only plain structs of this program come
// here, which always marshal.
func toJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("marshal %T: %v", v, err))
	}
	return string(b)
}
