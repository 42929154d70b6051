package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"github.com/google/uuid"

	"github.com/coreroller/coreroller/rollout"
)

// Activity is an event that is shown to operators. It stores names beside ids,
// because it outlives the objects it names.
type Activity struct{ ent.Schema }

// Fields of Activity.
func (Activity) Fields() []ent.Field {
	return []ent.Field{
		id(),
		field.Time("at").Immutable(),
		field.Int8("kind").GoType(rollout.ActivityKind(0)).Immutable(),
		field.Int8("severity").GoType(rollout.Severity(0)).Immutable(),
		field.UUID("application_id", uuid.UUID{}).Immutable(),
		field.String("application_name").Immutable(),
		field.UUID("group_id", uuid.UUID{}).Optional().Nillable().Immutable(),
		field.String("group_name").Default("").Immutable(),
		field.UUID("channel_id", uuid.UUID{}).Optional().Nillable().Immutable(),
		field.String("channel_name").Default("").Immutable(),
		field.UUID("instance_id", uuid.UUID{}).Optional().Nillable().Immutable(),
		field.String("machine_id").Default("").Immutable(),
		field.String("version").Default("").Immutable(),
		field.Int("code").Default(0).Immutable(),
		field.String("actor").Default("").Immutable(),
		field.String("detail").Default("").Immutable(),
	}
}

// Indexes of Activity. UUIDs of version 7 sort by time.
func (Activity) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("application_id", "id"),
		index.Fields("group_id", "id"),
		index.Fields("instance_id", "id"),
		index.Fields("severity", "id"),
	}
}

// Annotations of Activity.
func (Activity) Annotations() []schema.Annotation { return table("activities") }

// StatPoint is the number of a group's machines with one version and state at one
// time. The resolution is the interval between points.
type StatPoint struct{ ent.Schema }

// Fields of StatPoint.
func (StatPoint) Fields() []ent.Field {
	return []ent.Field{
		foreign("group_id"),
		field.Int("resolution").Immutable().Comment("seconds between points: 30, 300, 3600 or 86400"),
		field.Time("at").Immutable(),
		field.String("version").Immutable(),
		field.Int8("state").GoType(rollout.State(0)).Immutable(),
		field.Int("machines").Comment("without silent machines"),
	}
}

// Edges of StatPoint.
func (StatPoint) Edges() []ent.Edge {
	return []ent.Edge{edge.From("group", Group.Type).Ref("points").Field("group_id").Required().Unique().Immutable()}
}

// Indexes of StatPoint: charts read a range, retention deletes by resolution and
// age.
func (StatPoint) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("group_id", "resolution", "at", "version", "state").Unique(),
		index.Fields("resolution", "at"),
	}
}

// Annotations of StatPoint.
func (StatPoint) Annotations() []schema.Annotation { return table("stat_points") }

// PacePoint is the highest number of updates in flight and of grants of a group in
// an interval, and the number of update checks. Every process adds its own numbers
// during the interval.
type PacePoint struct{ ent.Schema }

// Fields of PacePoint.
func (PacePoint) Fields() []ent.Field {
	return []ent.Field{
		foreign("group_id"),
		field.Int("resolution").Immutable().Comment("seconds between points: 30, 300, 3600 or 86400"),
		field.Time("at").Immutable().Comment("end of the interval"),
		field.Int("in_flight").Comment("maximum"),
		field.Int("in_flight_cap"),
		field.Int("granted").Comment("maximum number of grants within the policy's period"),
		field.Int("granted_cap"),
		field.Int("checks").Comment("update checks of all processes"),
	}
}

// Edges of PacePoint.
func (PacePoint) Edges() []ent.Edge {
	return []ent.Edge{edge.From("group", Group.Type).Ref("paces").Field("group_id").Required().Unique().Immutable()}
}

// Indexes of PacePoint are those of StatPoint.
func (PacePoint) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("group_id", "resolution", "at").Unique(),
		index.Fields("resolution", "at"),
	}
}

// Annotations of PacePoint.
func (PacePoint) Annotations() []schema.Annotation { return table("pace_points") }
