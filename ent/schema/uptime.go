package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Uptime is a time in which at least one server process ran and the database
// responded. The time between two of them is an outage, which extends leases.
type Uptime struct{ ent.Schema }

// Fields of Uptime.
func (Uptime) Fields() []ent.Field {
	return []ent.Field{id(), field.Time("started_at").Immutable(), field.Time("ended_at").Comment("the last beat")}
}

// Indexes of Uptime.
func (Uptime) Indexes() []ent.Index { return []ent.Index{index.Fields("ended_at")} }

// Annotations of Uptime.
func (Uptime) Annotations() []schema.Annotation { return table("uptimes") }
