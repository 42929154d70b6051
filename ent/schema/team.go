package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
)

// Team owns applications and users.
type Team struct{ ent.Schema }

// Fields of Team.
func (Team) Fields() []ent.Field {
	return []ent.Field{id(), field.String("name").Unique(), createdAt()}
}

// Edges of Team.
func (Team) Edges() []ent.Edge {
	return []ent.Edge{child("users", User.Type), child("applications", Application.Type), child("notifiers", Notifier.Type)}
}

// Annotations of Team.
func (Team) Annotations() []schema.Annotation { return table("teams") }

// User is a person who can sign in.
type User struct{ ent.Schema }

// Fields of User.
func (User) Fields() []ent.Field {
	return []ent.Field{
		id(),
		field.UUID("team_id", uuid.UUID{}).Comment("of what the user creates; an identity provider may change it"),
		field.String("username").Unique(),
		field.String("password_hash").Sensitive().Comment("argon2id in the PHC string format; empty with an identity"),
		field.String("identity").Optional().Nillable().Unique().Comment("issuer and subject at the identity provider that the user signs in with; null: a password"),
		field.Bool("must_change_password").Default(false),
		field.String("role").Default("owner").Comment("the highest of the grants; users from before roles are owners"),
		field.JSON("grants", []auth.Grant{}).Optional().Comment("where the user has which role; none: the role on the team, an owner's on every team"),
		createdAt(),
	}
}

// Edges of User.
func (User) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("team", Team.Type).Ref("users").Field("team_id").Required().Unique(),
		child("sessions", Session.Type),
		child("tokens", Token.Type),
	}
}

// Annotations of User.
func (User) Annotations() []schema.Annotation { return table("users") }

// Session is one signed-in browser, or a token of a version without the table tokens.
// Only a hash of its secret is stored.
type Session struct{ ent.Schema }

// Fields of Session.
func (Session) Fields() []ent.Field {
	return []ent.Field{
		field.String("id").StorageKey("token_hash").Sensitive().Comment("SHA-256 of the cookie's token, hex"),
		field.UUID("user_id", uuid.UUID{}),
		field.Time("created_at").Immutable(),
		field.Time("expires_at"),
		field.Time("last_seen_at").Optional().Nillable().Comment("written at most once a minute; null: a row of an older version"),
		field.String("address").Default("").Comment("of the client when it was last seen"),
		field.String("user_agent").Default("").Comment("of the browser that signed in"),
	}
}

// Edges of Session.
func (Session) Edges() []ent.Edge {
	return []ent.Edge{edge.From("user", User.Type).Ref("sessions").Field("user_id").Required().Unique()}
}

// Indexes of Session: retention deletes by age, and each user has a list.
func (Session) Indexes() []ent.Index {
	return []ent.Index{index.Fields("expires_at"), index.Fields("user_id")}
}

// Annotations of Session.
func (Session) Annotations() []schema.Annotation { return table("sessions") }
