package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/rollout/version"
)

// Application is an operating system or a program that machines update.
type Application struct{ ent.Schema }

// Fields of Application.
func (Application) Fields() []ent.Field {
	return []ent.Field{
		id(),
		field.UUID("team_id", uuid.UUID{}),
		field.String("name"),
		field.String("product_id").Optional().Nillable().Unique().Comment("reverse-domain name that machines can send instead of the id"),
		field.String("description").Default(""),
		field.String("versioning").GoType(version.Versioning("")).Default(string(version.Semantic)).Comment("which texts are versions: semver or numeric"),
		field.Bool("require_secret").Default(false).Comment("requests to its groups need a machine secret"),
		field.Bool("require_certificate").Default(false).Comment("requests to its groups need a client certificate that names their machine"),
		field.Strings("request_attributes").Optional().Comment("names of attributes of <app> that are kept, sorted"),
		field.Int64("request_attributes_revision").Default(0).Comment("incremented by every change of request_attributes"),
		field.String("removed_request_attributes").Default("").Comment("names that machine_labels still has, separated by commas"),
		field.Int64("revision").Default(1).Comment("incremented by every change of the application's configuration"),
		createdAt(),
		field.Time("deleted_at").Optional().Nillable().Comment("when a person deleted it; its rows are deleted in the background"),
	}
}

// Edges of Application.
func (Application) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("team", Team.Type).Ref("applications").Field("team_id").Required().Unique(),
		edge.To("reassignment", Reassignment.Type).Unique().Annotations(entsql.OnDelete(entsql.Cascade)),
		child("packages", Release.Type),
		child("channels", Channel.Type),
		child("groups", Group.Type),
		child("instances", Instance.Type),
		child("secrets", MachineSecret.Type),
		child("upstreams", Upstream.Type),
	}
}

// Indexes of Application.
func (Application) Indexes() []ent.Index {
	return []ent.Index{index.Fields("team_id", "name").Unique()}
}

// Annotations of Application.
func (Application) Annotations() []schema.Annotation { return table("applications") }
