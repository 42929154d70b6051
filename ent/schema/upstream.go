package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"github.com/google/uuid"
)

// Upstream is another update server of which channels are mirrored.
type Upstream struct{ ent.Schema }

// Fields of Upstream.
func (Upstream) Fields() []ent.Field {
	return []ent.Field{
		id(),
		foreign("application_id"),
		field.String("name"),
		field.String("kind").Immutable().Comment("as in the API: FLATCAR or OMAHA"),
		field.String("url").Comment("of its Omaha endpoint"),
		field.String("remote_app_id").Default("").Comment("application id that it knows; \"\": that of the application, in braces"),
		field.Int("interval").Comment("seconds between two runs of a channel"),
		field.Bool("enabled").Default(true),
		field.String("url_template").Comment("where machines fetch from, see docs/mirror.md"),
		field.String("ca").Default("").Comment("PEM; \"\": the authorities of the system"),
		field.String("created_by"),
		createdAt(),
		field.Time("leased_until").Optional().Nillable().Comment("one process works on its channels until then; null: none does"),
	}
}

// Edges of Upstream.
func (Upstream) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("application", Application.Type).Ref("upstreams").Field("application_id").Required().Unique().Immutable(),
		child("channels", UpstreamChannel.Type),
	}
}

// Indexes of Upstream.
func (Upstream) Indexes() []ent.Index {
	return []ent.Index{index.Fields("application_id", "name").Unique()}
}

// Annotations of Upstream.
func (Upstream) Annotations() []schema.Annotation { return table("upstreams") }

// UpstreamChannel is a channel of an upstream that a channel here follows.
type UpstreamChannel struct{ ent.Schema }

// Fields of UpstreamChannel.
func (UpstreamChannel) Fields() []ent.Field {
	return []ent.Field{
		id(),
		foreign("upstream_id"),
		foreign("channel_id"),
		field.String("track").Immutable().Comment("of the upstream"),
		field.String("mode").Comment("as in the API: NOTIFY, IMPORT or PROMOTE"),
		field.Bool("host_files").Default(false).Comment("keeps the files of the packages on this server"),
		field.String("extra_files").Default("*").Comment("patterns of the additional files that host_files keeps, separated by spaces"),
		field.String("machine_id").Immutable().Comment("{uuid} that is sent to the upstream"),
		createdAt(),
		field.String("upstream_version").Default("").Comment("last target seen; \"\": none yet"),
		field.Bool("withdrawn").Default(false).Comment("the upstream stopped to offer upstream_version"),
		field.String("problem").Default("").Comment("why the last answer was not followed, though it is right; \"\": nothing"),
		field.Time("last_run_at").Optional().Nillable(),
		field.Time("last_success_at").Optional().Nillable(),
		field.Time("next_run_at").Comment("a run is due from then on"),
		field.Time("failing_since").Optional().Nillable().Comment("null: the last run succeeded"),
		field.Int("failures").Default(0).Comment("in a row"),
		field.String("last_error").Default(""),
	}
}

// Edges of UpstreamChannel.
func (UpstreamChannel) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("upstream", Upstream.Type).Ref("channels").Field("upstream_id").Required().Unique().Immutable(),
		edge.From("channel", Channel.Type).Ref("upstreams").Field("channel_id").Required().Unique().Immutable(),
		child("runs", MirrorRun.Type),
	}
}

// Indexes of UpstreamChannel: a channel follows one upstream; which runs are due.
func (UpstreamChannel) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("channel_id").Unique(),
		index.Fields("upstream_id"),
		index.Fields("next_run_at"),
	}
}

// Annotations of UpstreamChannel.
func (UpstreamChannel) Annotations() []schema.Annotation { return table("upstream_channels") }

// MirrorRun is one question to an upstream about one channel, and what came of it.
type MirrorRun struct{ ent.Schema }

// Fields of MirrorRun.
func (MirrorRun) Fields() []ent.Field {
	return []ent.Field{
		id(),
		foreign("application_id"),
		field.UUID("upstream_id", uuid.UUID{}).Immutable(),
		foreign("upstream_channel_id"),
		field.Time("started_at").Immutable(),
		field.Time("ended_at").Immutable(),
		field.String("outcome").Immutable().Comment("as in the API: UNCHANGED, CHANGED or FAILED"),
		field.JSON("changes", []string{}).Immutable().Comment("lines of text"),
		field.String("error").Default("").Immutable(),
		field.Int64("bytes").Default(0).Immutable().Comment("of the answers"),
	}
}

// Edges of MirrorRun.
func (MirrorRun) Edges() []ent.Edge {
	return []ent.Edge{edge.From("upstream_channel", UpstreamChannel.Type).Ref("runs").Field("upstream_channel_id").Required().Unique().Immutable()}
}

// Indexes of MirrorRun. UUIDs of version 7 sort by time.
func (MirrorRun) Indexes() []ent.Index {
	return []ent.Index{index.Fields("upstream_id", "id"), index.Fields("upstream_channel_id", "id")}
}

// Annotations of MirrorRun.
func (MirrorRun) Annotations() []schema.Annotation { return table("mirror_runs") }
