// Package ent holds the schema of every table (ent/schema, written by hand)
// and the client made from it (ent/db, generated). `make generate` makes it.
package ent
