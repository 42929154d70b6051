package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"github.com/google/uuid"
)

// MachineSecret is a text that machines of an application or of one of its groups send
// with their requests. Only its hash is stored.
type MachineSecret struct{ ent.Schema }

// Fields of MachineSecret.
func (MachineSecret) Fields() []ent.Field {
	return []ent.Field{
		id(),
		foreign("application_id"),
		field.UUID("group_id", uuid.UUID{}).Optional().Nillable().Immutable().Comment("null: for all groups of the application"),
		field.String("name").Immutable(),
		field.String("purpose").Immutable().Comment("IDENTIFY or ENROLL"),
		field.Bytes("hash").Unique().Immutable().Sensitive().Comment("SHA-256"),
		field.String("last_four").Immutable().Comment("the end of the text, so that people recognise it"),
		field.String("created_by").Immutable(),
		createdAt(),
		field.Time("expires_at").Optional().Nillable().Immutable(),
		field.Time("revoked_at").Optional().Nillable(),
		field.Time("last_used_at").Optional().Nillable().Comment("written at most once a minute"),
	}
}

// Edges of MachineSecret.
func (MachineSecret) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("application", Application.Type).Ref("secrets").Field("application_id").Required().Unique().Immutable(),
		edge.From("group", Group.Type).Ref("secrets").Field("group_id").Unique().Immutable(),
	}
}

// Indexes of MachineSecret.
func (MachineSecret) Indexes() []ent.Index {
	return []ent.Index{index.Fields("application_id"), index.Fields("group_id")}
}

// Annotations of MachineSecret.
func (MachineSecret) Annotations() []schema.Annotation { return table("machine_secrets") }
