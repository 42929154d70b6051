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

// Group is a set of machines that share a channel and a policy.
type Group struct{ ent.Schema }

// Fields of Group.
func (Group) Fields() []ent.Field {
	return []ent.Field{
		id(),
		foreign("application_id"),
		field.UUID("channel_id", uuid.UUID{}).Optional().Nillable(),
		field.String("name"),
		field.String("track").Comment("name of the group in check-ins"),
		field.Strings("aliases").Optional().Comment("further tracks"),
		field.String("arch").Default("amd64"),
		field.String("description").Default(""),
		field.String("expression").Default("").Comment("machines for which it is true are in the group; empty: those of its tracks"),
		field.Int("priority").Default(0).Comment("of the expression: the lowest number is tried first"),
		field.JSON("policy", rollout.Policy{}),
		field.Bool("require_secret").Default(false).Comment("requests to it need a machine secret"),
		field.Bool("require_approval").Default(false).Comment("changes that reach more machines need another person"),
		field.Bool("require_certificate").Default(false).Comment("requests to it need a client certificate that names their machine"),
		field.Int64("revision").Default(1).Comment("incremented by every change of this row, for expectedRevision"),
		field.Time("paused_at").Optional().Nillable(),
		field.String("paused_by").Default(""),
		field.String("pause_reason").Default(""),
		field.Time("deleted_at").Optional().Nillable().Comment("when a person deleted it; its machines and rows leave it in the background"),
		createdAt(),
	}
}

// Edges of Group.
func (Group) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("application", Application.Type).Ref("groups").Field("application_id").Required().Unique().Immutable(),
		edge.From("channel", Channel.Type).Ref("groups").Field("channel_id").Unique().Annotations(entsql.OnDelete(entsql.SetNull)),
		child("rollouts", GroupRollout.Type),
		edge.To("ledger", Ledger.Type).Unique().Annotations(entsql.OnDelete(entsql.Cascade)),
		child("counts", GroupCount.Type),
		child("points", StatPoint.Type),
		child("paces", PacePoint.Type),
		child("secrets", MachineSecret.Type),
		child("reboot_slots", RebootSlot.Type),
		edge.To("instances", Instance.Type).Annotations(entsql.OnDelete(entsql.SetNull)),
	}
}

// Indexes of Group.
func (Group) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("application_id", "name", "arch").Unique(),
		index.Fields("application_id", "track", "arch").Unique(),
	}
}

// Annotations of Group.
func (Group) Annotations() []schema.Annotation { return table("groups") }

// Ledger counts the grants of a group and enforces its caps. Every transaction
// that grants, reports, promotes or pauses holds its row lock.
type Ledger struct{ ent.Schema }

// Fields of Ledger.
func (Ledger) Fields() []ent.Field {
	return []ent.Field{
		foreign("group_id"),
		field.Int64("config_revision").Comment("revision of the application at the last change of its configuration"),
		field.Int("in_flight").Default(0),
		field.Int("reboot_overdue").Default(0).Comment("open attempts that are not in flight"),
		field.Int("behind").Default(0).Comment("active machines below the target"),
		field.Int("on_target").Default(0).Comment("active machines at the target or above"),
		field.Int("other_build").Default(0).Comment("active machines at another build of the target"),
		field.JSON("spends", [][3]int64{}).Comment("grants of the last period: first and last time in microseconds since 1970, count"),
		field.UUID("rollout_id", uuid.UUID{}).Optional().Nillable().Comment("the current rollout"),
		field.Time("next_lease_at").Optional().Nillable().Comment("no lease of the group expires earlier"),
		field.Bool("package_missing_noted").Default(false),
		field.Int64("writes").Default(0).Comment("transactions that changed machines with an open attempt"),
	}
}

// Edges of Ledger.
func (Ledger) Edges() []ent.Edge {
	return []ent.Edge{edge.From("group", Group.Type).Ref("ledger").Field("group_id").Required().Unique().Immutable()}
}

// Annotations of Ledger.
func (Ledger) Annotations() []schema.Annotation { return table("ledgers") }

// GroupCount is a count bucket: the number of machines of a group that share
// version, state, last reason and standing. Every machine of a group is in exactly
// one row, so each number on a page is a sum over a few rows, and a recount is one
// GROUP BY.
type GroupCount struct{ ent.Schema }

// Fields of GroupCount.
func (GroupCount) Fields() []ent.Field {
	return []ent.Field{
		foreign("group_id"),
		field.String("version").Immutable(),
		field.Int8("state").GoType(rollout.State(0)).Immutable(),
		field.String("reason").Immutable(),
		field.Int8("standing").GoType(rollout.Standing(0)).Immutable(),
		field.Int("machines"),
	}
}

// Edges of GroupCount.
func (GroupCount) Edges() []ent.Edge {
	return []ent.Edge{edge.From("group", Group.Type).Ref("counts").Field("group_id").Required().Unique().Immutable()}
}

// Indexes of GroupCount.
func (GroupCount) Indexes() []ent.Index {
	return []ent.Index{index.Fields("group_id", "version", "state", "reason", "standing").Unique()}
}

// Annotations of GroupCount.
func (GroupCount) Annotations() []schema.Annotation { return table("group_counts") }
