// Package ent holds the schema of every table (ent/schema, written by hand) and
// the client that `make generate` generates from it (ent/db).
package ent
