package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"github.com/google/uuid"
)

// RebootSlot is a client of FleetLock in a group: it waits for a slot, holds one, or
// its slot was released by the policy and it did not come back. A client that needs no
// slot has no row. Every transaction that grants a slot holds the row lock of the
// group's ledger.
type RebootSlot struct{ ent.Schema }

// Fields of RebootSlot.
func (RebootSlot) Fields() []ent.Field {
	return []ent.Field{
		id(),
		foreign("application_id"),
		foreign("group_id"),
		field.String("lock_id").Immutable().Comment("as sent by the client, opaque"),
		field.UUID("instance_id", uuid.UUID{}).Optional().Nillable().Comment("null: the client is not known as a machine"),
		field.String("version").Default("").Comment("that the machine ran when it got the slot"),
		field.String("address").Default("").Comment("of the last request"),
		field.String("reason").Default("").Comment("code of the last refusal, empty with a slot"),
		field.Time("asked_at").Immutable().Comment("first request for the slot"),
		field.Time("renewed_at").Comment("last request for the slot"),
		field.Time("taken_at").Optional().Nillable().Comment("null: no slot"),
		field.Time("overdue_at").Optional().Nillable().Comment("when the slot was reported as overdue"),
		field.Time("lost_at").Optional().Nillable().Comment("when the policy released the slot; the client did not come back"),
	}
}

// Edges of RebootSlot. The one to the machine has no foreign key, because the row
// outlives it.
func (RebootSlot) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("group", Group.Type).Ref("reboot_slots").Field("group_id").Required().Unique().Immutable(),
	}
}

// Indexes of RebootSlot. The partial ones contain a few rows per group, so that a
// decision does not read the clients that wait.
func (RebootSlot) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("group_id", "lock_id").Unique(),
		index.Fields("group_id", "taken_at").Annotations(entsql.IndexWhere("taken_at IS NOT NULL")),
		index.Fields("group_id", "lost_at").Annotations(entsql.IndexWhere("lost_at IS NOT NULL")),
		index.Fields("lock_id"),
		index.Fields("instance_id").Annotations(entsql.IndexWhere("instance_id IS NOT NULL")),
		index.Fields("renewed_at"),
	}
}

// Annotations of RebootSlot.
func (RebootSlot) Annotations() []schema.Annotation { return table("reboot_slots") }
