package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// RefusedRequest counts requests of machines that were refused before they reached a
// group, by reason and by what they named. The table is bounded: the rows that were
// seen last stay.
type RefusedRequest struct{ ent.Schema }

// Fields of RefusedRequest. The id is derived from reason, app, track, version and
// board.
func (RefusedRequest) Fields() []ent.Field {
	return []ent.Field{
		id(),
		field.String("reason").Immutable().Comment("code, such as unknown_track"),
		field.String("app").Immutable().Comment("as sent; the other texts too"),
		field.String("track").Immutable(),
		field.String("version").Immutable(),
		field.String("board").Immutable(),
		field.Int64("requests"),
		field.Time("first_seen_at").Immutable(),
		field.Time("last_seen_at"),
		field.String("address").Default("").Comment("of the last request"),
	}
}

// Indexes of RefusedRequest.
func (RefusedRequest) Indexes() []ent.Index { return []ent.Index{index.Fields("last_seen_at", "id")} }

// Annotations of RefusedRequest.
func (RefusedRequest) Annotations() []schema.Annotation { return table("refused_requests") }
