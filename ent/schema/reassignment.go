package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
)

// Reassignment is the walk over the machines of an application after its expressions
// changed.
type Reassignment struct{ ent.Schema }

// Fields of Reassignment.
func (Reassignment) Fields() []ent.Field {
	return []ent.Field{
		id(),
		foreign("application_id"),
		field.Int64("selectors").Comment("the expressions that it applies, see catalog.App.Selectors"),
		field.String("after").Default("").Comment("machine id of the last machine that was looked at"),
		field.Int("seen").Default(0).Comment("machines that were looked at"),
		field.Int("moved").Default(0),
		field.Int("waiting").Default(0).Comment("machines that move once their update has ended"),
		field.Int("kept").Default(0).Comment("machines that stay, because their group is left only with an approval"),
		field.Time("started_at"),
		field.Time("ended_at").Optional().Nillable(),
	}
}

// Edges of Reassignment.
func (Reassignment) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("application", Application.Type).Ref("reassignment").Field("application_id").Required().Unique().Immutable(),
	}
}

// Annotations of Reassignment.
func (Reassignment) Annotations() []schema.Annotation { return table("reassignments") }
