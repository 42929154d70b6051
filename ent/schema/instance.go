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

// Instance is one machine in one application. Its id is derived from both
// (store.InstanceID), so the check-in needs one lookup by primary key and no
// second unique index decides who registers first.
//
// No index holds last_seen: it changes with every poll, and PostgreSQL updates
// a row without touching its indexes only when no indexed column changes.
// Silent machines are found by walking the primary key in the background.
type Instance struct{ ent.Schema }

// Fields of Instance.
func (Instance) Fields() []ent.Field {
	return []ent.Field{
		id(),
		foreign("application_id"),
		field.UUID("group_id", uuid.UUID{}).Optional().Nillable(),
		field.String("machine_id").Immutable(),
		field.String("alias").Default("").Comment("given by an operator"),
		field.String("machine_alias").Default("").Comment("sent by the machine"),
		field.String("address").Default(""),
		field.String("arch").Default("amd64"),
		field.String("oem").Default(""),
		field.String("oem_version").Default(""),
		field.String("aleph_version").Default("").Comment("first version ever installed"),
		field.String("version").Comment("running"),
		field.Int8("state").GoType(rollout.State(0)),
		field.Int8("standing").GoType(rollout.Standing(0)),
		field.String("reason").Default("").Comment("code of the last decision"),
		field.String("decision").Default("").Comment("the last decision in words"),
		field.Time("decided_at").Optional().Nillable(),
		field.Time("decision_until").Optional().Nillable().Comment("when the last decision can change by itself"),
		createdAt(),
		field.Time("last_seen_at"),
		field.Time("state_changed_at"),
		// The open attempt; granted_at is null when there is none.
		field.Time("granted_at").Optional().Nillable(),
		field.Time("lease_until").Optional().Nillable(),
		field.Time("downloading_at").Optional().Nillable(),
		field.Time("downloaded_at").Optional().Nillable(),
		field.Time("installed_at").Optional().Nillable(),
		field.UUID("offer_rollout_id", uuid.UUID{}).Optional().Nillable(),
		field.UUID("offer_package_id", uuid.UUID{}).Optional().Nillable(),
		field.String("offer_version").Default(""),
		field.Int("offer_wave").Default(0),
		field.Int("offer_epoch").Default(0),
		field.Int("attempt").Default(0).Comment("number of the open attempt at the offered version"),
		field.String("last_offer_version").Default("").Comment("of the last grant, also after it ended"),
		field.Time("last_granted_at").Optional().Nillable(),
		// Failures and what a person decided.
		field.String("failed_version").Default(""),
		field.Int("failures").Default(0).Comment("failed attempts at failed_version"),
		field.String("quarantined_version").Default(""),
		field.Int8("override").GoType(rollout.OverrideKind(0)).Default(0),
		field.String("override_version").Default(""),
		field.Time("override_until").Optional().Nillable(),
		field.String("override_by").Default(""),
		field.String("override_reason").Default(""),
		field.Bool("moved").Default(false).Comment("a person chose the group: the machine's track is not looked at"),
	}
}

// Edges of Instance.
func (Instance) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("application", Application.Type).Ref("instances").Field("application_id").Required().Unique().Immutable(),
		edge.From("group", Group.Type).Ref("instances").Field("group_id").Unique(),
		child("attempts", Attempt.Type),
		child("history", HistoryEntry.Type),
	}
}

// Indexes of Instance: each list of machines reads one of them and stops. The
// machine id at the end gives the order of pages.
//
// The second one keeps the machines of each row of group_counts together
// (store.CountBucket): the counters say which few of them make up any list of a
// group. The platform comes last, so that a list by platform as well is sifted
// without reading rows. There is no index of a group by machine id alone:
// PostgreSQL would walk it in the hope of finding what is rare, and it would be
// written with every change of a machine.
func (Instance) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("application_id", "machine_id"), // the primary key says that there is one
		index.Fields("group_id", "version", "state", "reason", "standing", "machine_id", "oem").StorageKey("instance_stretch"),
		index.Fields("group_id", "oem", "machine_id"),
		index.Fields("application_id", "alias").Annotations(entsql.IndexWhere("alias <> ''")),
		index.Fields("application_id", "machine_alias").Annotations(entsql.IndexWhere("machine_alias <> ''")),
		index.Fields("application_id", "address"),
		// Leases to end, machines that do not count as active: few rows each.
		index.Fields("group_id", "lease_until").Annotations(entsql.IndexWhere("lease_until IS NOT NULL")),
		index.Fields("group_id", "standing").Annotations(entsql.IndexWhere("standing > 0")),
	}
}

// Annotations of Instance.
func (Instance) Annotations() []schema.Annotation { return table("instances") }

// Attempt is a grant that ended. The open one is part of its Instance. Its edge
// to the machine, like that of HistoryEntry, is no reference in the database
// (store.looseJournals).
type Attempt struct{ ent.Schema }

// Fields of Attempt.
func (Attempt) Fields() []ent.Field {
	return []ent.Field{
		id(),
		foreign("instance_id"),
		field.UUID("rollout_id", uuid.UUID{}).Immutable(),
		field.UUID("package_id", uuid.UUID{}).Immutable(),
		field.String("version").Immutable().Comment("offered"),
		field.String("from_version").Immutable(),
		field.Int("wave").Immutable(),
		field.Int("number").Immutable(),
		field.Time("granted_at").Immutable(),
		field.Time("downloading_at").Optional().Nillable().Immutable(),
		field.Time("downloaded_at").Optional().Nillable().Immutable(),
		field.Time("installed_at").Optional().Nillable().Immutable(),
		field.Time("ended_at").Immutable(),
		field.Int8("outcome").GoType(rollout.Outcome(0)).Immutable(),
		field.Int("code").Default(0).Immutable().Comment("low 28 bits of the reported error"),
		field.String("oem").Default("").Immutable().Comment("of the machine when the attempt ended"),
	}
}

// Edges of Attempt.
func (Attempt) Edges() []ent.Edge {
	return []ent.Edge{edge.From("instance", Instance.Type).Ref("attempts").Field("instance_id").Required().Unique().Immutable()}
}

// Indexes of Attempt: ids of version 7 sort by time. Those by rollout are the
// list behind each number of failures; a success is in none of them.
func (Attempt) Indexes() []ent.Index {
	failed := entsql.IndexWhere("outcome > 1 AND outcome < 5")
	return []ent.Index{
		index.Fields("instance_id", "id"),
		index.Fields("rollout_id", "id").Annotations(failed),
		index.Fields("rollout_id", "outcome", "id").Annotations(failed),
		index.Fields("rollout_id", "code", "id").Annotations(failed),
		index.Fields("rollout_id", "oem", "id").Annotations(failed),
		index.Fields("rollout_id", "from_version", "id").Annotations(failed),
	}
}

// Annotations of Attempt.
func (Attempt) Annotations() []schema.Annotation { return table("attempts") }

// HistoryEntry is one line of a machine's own story.
type HistoryEntry struct{ ent.Schema }

// Fields of HistoryEntry.
func (HistoryEntry) Fields() []ent.Field {
	return []ent.Field{
		id(),
		foreign("instance_id"),
		field.Time("at").Immutable(),
		field.Int8("state").GoType(rollout.State(0)).Immutable(),
		field.String("version").Immutable(),
		field.String("reason").Default("").Immutable(),
		field.Int("code").Default(0).Immutable(),
		field.String("detail").Default("").Immutable(),
	}
}

// Edges of HistoryEntry.
func (HistoryEntry) Edges() []ent.Edge {
	return []ent.Edge{edge.From("instance", Instance.Type).Ref("history").Field("instance_id").Required().Unique().Immutable()}
}

// Indexes of HistoryEntry.
func (HistoryEntry) Indexes() []ent.Index { return []ent.Index{index.Fields("instance_id", "id")} }

// Annotations of HistoryEntry.
func (HistoryEntry) Annotations() []schema.Annotation { return table("history_entries") }
