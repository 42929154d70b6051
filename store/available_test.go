package store_test

import (
	"database/sql"
	"testing"

	"github.com/coreroller/coreroller/store"
	"github.com/coreroller/coreroller/store/storetest"
)

// A full disk of PostgreSQL is not only a database that cannot be used: people read why.
func TestFullDiskOfPostgresIsKnown(t *testing.T) {
	d, err := sql.Open("postgres", storetest.Postgres(t))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = d.Close() }()
	for code, want := range map[string]struct{ unavailable, full bool }{"53100": {true, true}, "53300": {true, false}, "23505": {false, false}} {
		_, err := d.ExecContext(t.Context(), "DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '"+code+"'; END $$")
		if err == nil || store.Unavailable(err) != want.unavailable || store.Full(err) != want.full {
			t.Errorf("%s: unavailable %t, full %t: %v", code, store.Unavailable(err), store.Full(err), err)
		}
	}
}
