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

// Channel is a named pointer to a package of one architecture.
type Channel struct{ ent.Schema }

// Fields of Channel.
func (Channel) Fields() []ent.Field {
	return []ent.Field{
		id(),
		foreign("application_id"),
		field.String("name"),
		field.String("color").Default("").Comment("#rrggbb"),
		field.String("arch").Default("amd64"),
		field.UUID("package_id", uuid.UUID{}).Optional().Nillable(),
		field.Time("promoted_at").Optional().Nillable(),
		field.String("promoted_by").Default(""),
		field.Bool("require_approval").Default(false).Comment("promotions need another person"),
		field.Int64("revision").Default(0).Comment("grows with every change of its package, floors and blacklist"),
		createdAt(),
	}
}

// Edges of Channel.
func (Channel) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("application", Application.Type).Ref("channels").Field("application_id").Required().Unique().Immutable(),
		edge.From("package", Release.Type).Ref("channels").Field("package_id").Unique().Annotations(entsql.OnDelete(entsql.SetNull)),
		child("floors", Floor.Type),
		child("blacklistings", Blacklisting.Type),
		child("promotions", Promotion.Type),
		child("upstreams", UpstreamChannel.Type),
		edge.To("groups", Group.Type),
	}
}

// Indexes of Channel.
func (Channel) Indexes() []ent.Index {
	return []ent.Index{index.Fields("application_id", "name", "arch").Unique()}
}

// Annotations of Channel.
func (Channel) Annotations() []schema.Annotation { return table("channels") }

// Promotion says that a channel was pointed to a package.
type Promotion struct{ ent.Schema }

// Fields of Promotion.
func (Promotion) Fields() []ent.Field {
	return []ent.Field{
		id(), foreign("channel_id"),
		field.UUID("package_id", uuid.UUID{}).Optional().Nillable().Immutable().Comment("no foreign key: kept after the package is deleted; null: the channel had no package"),
		field.String("version").Default("").Immutable(),
		field.Bool("rolled_back").Default(false).Immutable().Comment("the way back from a bad version"),
		field.String("reason").Default("").Immutable(),
		field.String("created_by").Default("").Immutable(),
		createdAt(),
		field.Time("ended_at").Optional().Nillable().Comment("when the channel was pointed elsewhere"),
	}
}

// Edges of Promotion.
func (Promotion) Edges() []ent.Edge {
	return []ent.Edge{edge.From("channel", Channel.Type).Ref("promotions").Field("channel_id").Required().Unique().Immutable()}
}

// Indexes of Promotion. UUIDs of version 7 sort by time.
func (Promotion) Indexes() []ent.Index { return []ent.Index{index.Fields("channel_id", "id")} }

// Annotations of Promotion.
func (Promotion) Annotations() []schema.Annotation { return table("promotions") }

// Floor is a package that no machine of a channel may skip.
type Floor struct{ ent.Schema }

// Fields of Floor.
func (Floor) Fields() []ent.Field {
	return []ent.Field{
		id(), foreign("channel_id"), foreign("package_id"),
		field.String("reason").Default(""),
		field.String("created_by").Default(""),
		createdAt(),
	}
}

// Edges of Floor.
func (Floor) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("channel", Channel.Type).Ref("floors").Field("channel_id").Required().Unique().Immutable(),
		edge.From("package", Release.Type).Ref("floors").Field("package_id").Required().Unique().Immutable(),
	}
}

// Indexes of Floor.
func (Floor) Indexes() []ent.Index {
	return []ent.Index{index.Fields("channel_id", "package_id").Unique()}
}

// Annotations of Floor.
func (Floor) Annotations() []schema.Annotation { return table("floors") }

// Blacklisting forbids a package in a channel.
type Blacklisting struct{ ent.Schema }

// Fields of Blacklisting.
func (Blacklisting) Fields() []ent.Field {
	return append(Floor{}.Fields(), field.Bool("recalled").Default(false).Comment("machines that run it go to the channel's package even if that is lower"))
}

// Edges of Blacklisting.
func (Blacklisting) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("channel", Channel.Type).Ref("blacklistings").Field("channel_id").Required().Unique().Immutable(),
		edge.From("package", Release.Type).Ref("blacklistings").Field("package_id").Required().Unique().Immutable(),
	}
}

// Indexes of Blacklisting.
func (Blacklisting) Indexes() []ent.Index { return Floor{}.Indexes() }

// Annotations of Blacklisting.
func (Blacklisting) Annotations() []schema.Annotation { return table("blacklistings") }
