package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"github.com/coreroller/coreroller/auth"
)

// Token lets a script, or a link to a wall screen, act for a user. Only a hash of its
// secret is stored.
type Token struct{ ent.Schema }

// Fields of Token.
func (Token) Fields() []ent.Field {
	return []ent.Field{
		id(),
		foreign("user_id"),
		field.String("name").Immutable().Comment("unique per user"),
		field.Bool("link").Default(false).Immutable().Comment("reads one group, for its wall screen"),
		field.String("hash").Unique().Immutable().Sensitive().Comment("SHA-256 of the secret, hex"),
		field.String("ending").Immutable().Comment("last four characters of the secret, for display"),
		field.JSON("grants", []auth.Grant{}).Immutable().Comment("what it may do of what its user may"),
		createdAt(),
		field.String("created_by").Immutable(),
		field.Time("expires_at").Immutable(),
		field.Time("last_used_at").Optional().Nillable().Comment("null: never; written at most once a minute"),
		field.String("last_used_address").Default(""),
	}
}

// Edges of Token.
func (Token) Edges() []ent.Edge {
	return []ent.Edge{edge.From("user", User.Type).Ref("tokens").Field("user_id").Required().Unique().Immutable()}
}

// Indexes of Token: retention deletes by age.
func (Token) Indexes() []ent.Index {
	return []ent.Index{index.Fields("user_id", "name").Unique(), index.Fields("expires_at")}
}

// Annotations of Token.
func (Token) Annotations() []schema.Annotation { return table("tokens") }
