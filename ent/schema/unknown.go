package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Refusal counts what was refused or not stored, by kind and group. It begins again
// after a quiet time, so each row is one incident. It has no reference to the group,
// so that counting it locks nothing.
type Refusal struct{ ent.Schema }

// Fields of Refusal.
func (Refusal) Fields() []ent.Field {
	return []ent.Field{
		field.String("kind").Immutable().Comment("quota.Kind"),
		field.String("group_id").Immutable().Comment("\"\": none"),
		field.Int("refused"),
		field.Time("first_at"),
		field.Time("last_at"),
	}
}

// Indexes of Refusal.
func (Refusal) Indexes() []ent.Index { return []ent.Index{index.Fields("kind", "group_id").Unique()} }

// Annotations of Refusal.
func (Refusal) Annotations() []schema.Annotation { return table("refusals") }

// Mirror is a client that asked as a mirror: a downstream server. It has no reference
// to the group, so that listing it locks nothing.
type Mirror struct{ ent.Schema }

// Fields of Mirror.
func (Mirror) Fields() []ent.Field {
	return []ent.Field{
		foreign("group_id"),
		field.String("machine_id").Immutable(),
		field.String("address"),
		field.String("version").Comment("as sent"),
		field.String("fetched").Comment("versions of the last offer, in order; \"\": none yet"),
		field.Bool("served").Comment("the last request was answered as that of a mirror"),
		field.Int("requests"),
		field.Time("first_seen_at"),
		field.Time("last_seen_at"),
	}
}

// Indexes of Mirror.
func (Mirror) Indexes() []ent.Index {
	return []ent.Index{index.Fields("group_id", "machine_id").Unique()}
}

// Annotations of Mirror.
func (Mirror) Annotations() []schema.Annotation { return table("mirrors") }
