// Package schema declares every table of CoreRoller, also those that only the
// store writes, with its own SQL. Times are UTC in microseconds. The writer sets
// them: the schema never reads a clock.
package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"github.com/google/uuid"
)

// id is a primary key that the writer sets: a UUID of version 7, or one of the
// well-known ids of the preinstalled objects.
func id() ent.Field { return field.UUID("id", uuid.UUID{}).Immutable() }

// foreign is the column of a required reference.
func foreign(name string) ent.Field { return field.UUID(name, uuid.UUID{}).Immutable() }

// createdAt is when the row was created.
func createdAt() ent.Field { return field.Time("created_at").Immutable() }

// child is the edge from a parent to the rows that are deleted with it.
func child(name string, t any) ent.Edge {
	return edge.To(name, t).Annotations(entsql.OnDelete(entsql.Cascade))
}

// table sets the name of the table.
func table(name string) []schema.Annotation { return []schema.Annotation{entsql.Table(name)} }
