// Package deps is temporary: it keeps go.mod while the rooms are being built.
package deps

import (
	_ "ariga.io/atlas/sql/sqltool"
	_ "entgo.io/contrib/entgql"
	_ "entgo.io/ent"
	_ "github.com/99designs/gqlgen/graphql"
	_ "github.com/google/uuid"
	_ "github.com/gorilla/websocket"
	_ "github.com/kinvolk/go-omaha/omaha"
	_ "github.com/lib/pq"
	_ "github.com/pressly/goose/v3"
	_ "github.com/prometheus/client_golang/prometheus"
	_ "github.com/spf13/cobra"
	_ "github.com/vektah/gqlparser/v2"
	_ "go.uber.org/goleak"
	_ "golang.org/x/crypto/argon2"
	_ "golang.org/x/mod/semver"
	_ "modernc.org/sqlite"
	_ "pgregory.net/rapid"
)
