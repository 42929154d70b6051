package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Application is what is updated: an operating system or a program.
type Application struct{ ent.Schema }

// Fields of Application.
func (Application) Fields() []ent.Field {
	return []ent.Field{
		id(),
		foreign("team_id"),
		field.String("name"),
		field.String("product_id").Optional().Nillable().Unique().Comment("reverse-domain name machines may use instead of the id"),
		field.String("description").Default(""),
		field.Int64("revision").Default(1).Comment("rises with every change of the configuration below this application"),
		createdAt(),
	}
}

// Edges of Application.
func (Application) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("team", Team.Type).Ref("applications").Field("team_id").Required().Unique().Immutable(),
		child("packages", Release.Type),
		child("channels", Channel.Type),
		child("groups", Group.Type),
		child("instances", Instance.Type),
	}
}

// Indexes of Application.
func (Application) Indexes() []ent.Index {
	return []ent.Index{index.Fields("team_id", "name").Unique()}
}

// Annotations of Application.
func (Application) Annotations() []schema.Annotation { return table("applications") }
