package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"github.com/google/uuid"

	"github.com/coreroller/coreroller/rollout"
)

// Notifier is where messages about activity are sent, and which ones.
type Notifier struct{ ent.Schema }

// Fields of Notifier.
func (Notifier) Fields() []ent.Field {
	return []ent.Field{
		id(),
		foreign("team_id"),
		field.String("name"),
		field.String("kind").Immutable().Comment("WEBHOOK, SLACK, ALERTMANAGER or MAIL"),
		field.String("url").Default("").Sensitive().Comment("empty for mail"),
		field.JSON("addresses", []string{}).Optional().Comment("recipients of mail"),
		field.String("authorization").Default("").Sensitive().Comment("header of the requests; empty: none"),
		field.String("secret").Default("").Sensitive().Comment("whsec_ and base64, signs webhooks"),
		field.String("previous_secret").Default("").Sensitive().Comment("the one before, which also signs until previous_secret_until"),
		field.Time("previous_secret_until").Optional().Nillable(),
		field.JSON("kinds", []rollout.ActivityKind{}).Optional().Comment("none: the usual ones"),
		field.Int8("min_severity").GoType(rollout.Severity(0)),
		field.JSON("applications", []uuid.UUID{}).Optional().Comment("none: all of the team"),
		field.JSON("groups", []uuid.UUID{}).Optional().Comment("none: all groups"),
		field.Int("digest").Default(0).Comment("minutes between two digests; 0: each message alone"),
		field.String("quiet_from").Default("").Comment("such as 22:00; empty: no quiet hours"),
		field.String("quiet_until").Default(""),
		field.String("timezone").Default("UTC").Comment("of the quiet hours"),
		field.Bool("enabled").Default(true),
		field.Time("enabled_at").Comment("activities from before are not sent"),
		field.String("disabled_because").Default("").Comment("by the server; empty: by a user, or enabled"),
		field.UUID("position", uuid.UUID{}).Comment("activities up to this id were read"),
		field.Time("looked_back_at").Comment("when activities before the position were read again"),
		field.Time("sent_at").Optional().Nillable().Comment("last success"),
		field.Time("failing_since").Optional().Nillable().Comment("first failure after the last success"),
		field.String("last_error").Default(""),
		field.String("alerts").Default("").Comment("JSON of the alerts that Alertmanager was last sent"),
		field.Time("alerts_at").Optional().Nillable().Comment("when they were sent, or tried"),
		field.UUID("leased_by", uuid.UUID{}).Optional().Nillable().Comment("process that sends for it"),
		field.Time("leased_until").Optional().Nillable(),
		field.String("created_by").Immutable(),
		createdAt(),
	}
}

// Edges of Notifier.
func (Notifier) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("team", Team.Type).Ref("notifiers").Field("team_id").Required().Unique().Immutable(),
		child("deliveries", Delivery.Type),
	}
}

// Indexes of Notifier.
func (Notifier) Indexes() []ent.Index { return []ent.Index{index.Fields("team_id", "name").Unique()} }

// Annotations of Notifier.
func (Notifier) Annotations() []schema.Annotation { return table("notifiers") }

// Delivery is one message of a notifier, with its attempts.
type Delivery struct{ ent.Schema }

// Fields of Delivery.
func (Delivery) Fields() []ent.Field {
	return []ent.Field{
		id(),
		foreign("notifier_id"),
		field.UUID("event_id", uuid.UUID{}).Immutable().Comment("of the activity; of other messages the delivery's own"),
		field.String("type").Immutable().Comment("such as rollout.halted"),
		field.String("summary").Comment("one sentence"),
		field.String("messages").Comment("JSON of []notify.Message"),
		field.Int("omitted").Default(0).Comment("messages that a digest leaves out"),
		field.String("state").Comment("HELD, PENDING, DELIVERED, FAILED or BUNDLED"),
		field.UUID("digest_id", uuid.UUID{}).Optional().Nillable().Comment("the delivery that contains this one"),
		field.Int("attempts").Default(0).Comment("since it was created or redelivered"),
		field.Time("next_at").Optional().Nillable().Comment("next attempt, or when it is released; null: it has ended, or is about alerts"),
		createdAt(),
		field.Time("ended_at").Optional().Nillable(),
		field.Time("failed_at").Optional().Nillable().Comment("last failed attempt; null: none, or delivered since, or sent again"),
		field.String("log").Default("[]").Comment("JSON of the latest attempts"),
		field.String("request").Default("").Comment("of the last attempt, bounded, without secrets"),
		field.String("response").Default("").Comment("of the last attempt, bounded"),
	}
}

// Edges of Delivery.
func (Delivery) Edges() []ent.Edge {
	return []ent.Edge{edge.From("notifier", Notifier.Type).Ref("deliveries").Field("notifier_id").Required().Unique().Immutable()}
}

// Indexes of Delivery: an activity is delivered once, each notifier has a log, and few
// deliveries are open or have failed at a time.
func (Delivery) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("notifier_id", "event_id").Unique(),
		index.Fields("notifier_id", "id"),
		index.Fields("next_at", "notifier_id").Annotations(entsql.IndexWhere("next_at IS NOT NULL")),
		index.Fields("notifier_id", "next_at").Annotations(entsql.IndexWhere("next_at IS NOT NULL")),
		index.Fields("failed_at").Annotations(entsql.IndexWhere("failed_at IS NOT NULL")),
		index.Fields("notifier_id", "failed_at").Annotations(entsql.IndexWhere("failed_at IS NOT NULL")),
	}
}

// Annotations of Delivery.
func (Delivery) Annotations() []schema.Annotation { return table("deliveries") }
