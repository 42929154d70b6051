package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
)

// ImportReport is the report of one import from another server.
type ImportReport struct{ ent.Schema }

// Fields of ImportReport.
func (ImportReport) Fields() []ent.Field {
	return []ent.Field{
		id(),
		field.String("source").Immutable().Comment("nebraska or coreroller"),
		field.String("place").Immutable().Comment("host and database, without user and password"),
		field.String("by").Immutable(),
		field.Time("started_at").Immutable(),
		field.Time("ended_at").Optional().Nillable().Comment("null: it runs, or was interrupted"),
		field.String("counts").Default("[]").Comment("JSON: a list of importing.Count"),
		field.String("notes").Default("[]").Comment("JSON: a list of importing.Note"),
		field.String("prints").Default("{}").Comment("JSON: hashes of the imported objects by their ids, to notice what people change"),
	}
}

// Annotations of ImportReport.
func (ImportReport) Annotations() []schema.Annotation { return table("imports") }
