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
// (store.InstanceID), so a check-in is one lookup by primary key, and registering
// needs no second unique index.
//
// No index contains last_seen_at. It changes with every check, and PostgreSQL
// leaves the indexes alone only if no indexed column changes. A background walk
// over the primary key finds silent machines.
type Instance struct{ ent.Schema }

// Fields of Instance.
func (Instance) Fields() []ent.Field {
	return []ent.Field{
		id(),
		foreign("application_id"),
		field.UUID("group_id", uuid.UUID{}).Optional().Nillable(),
		field.String("machine_id").Immutable(),
		field.String("alias").Default("").Comment("set by an operator"),
		field.String("machine_alias").Default("").Comment("sent by the machine"),
		field.String("address").Default(""),
		field.String("arch").Default("amd64"),
		field.String("oem").Default(""),
		field.String("oem_version").Default(""),
		field.String("aleph_version").Default("").Comment("first version ever installed"),
		field.String("version_prefix").Default("").Comment("targetversionprefix of the last update check"),
		field.Bool("updates_disabled").Default(false).Comment("updatedisabled of the last update check"),
		field.String("request_attributes").Default("").Comment("those that the application names, as checkin.requestText writes them; copied to machine_labels"),
		field.String("version").Comment("running version"),
		field.Int8("state").GoType(rollout.State(0)),
		field.Int8("standing").GoType(rollout.Standing(0)),
		field.String("reason").Default("").Comment("reason code of the last decision"),
		field.String("decision").Default("").Comment("the last decision as a sentence"),
		field.Time("decided_at").Optional().Nillable(),
		field.Time("decision_until").Optional().Nillable().Comment("when the last decision can change by itself"),
		createdAt(),
		field.Time("last_seen_at"),
		field.Time("state_changed_at"),
		// The open attempt; granted_at is null when there is none.
		field.Time("granted_at").Optional().Nillable(),
		field.Time("lease_until").Optional().Nillable(),
		field.Int64("lease_extended").Default(0).Comment("by outages since the last report, nanoseconds"),
		field.String("session").Default("").Comment("bootid, or else sessionid, of the check that was granted"),
		field.Bool("reboot_overdue").Default(false).Comment("installed for longer than the reboot timeout: it is not in flight"),
		field.Time("downloading_at").Optional().Nillable(),
		field.Time("downloaded_at").Optional().Nillable(),
		field.Time("installed_at").Optional().Nillable(),
		field.UUID("offer_rollout_id", uuid.UUID{}).Optional().Nillable(),
		field.UUID("offer_package_id", uuid.UUID{}).Optional().Nillable(),
		field.String("offer_version").Default(""),
		field.String("offer_leaves").Default("").Comment("recalled version that an ordered downgrade replaces"),
		field.Int("offer_wave").Default(0),
		field.Int("offer_epoch").Default(0),
		field.Int("attempt").Default(0).Comment("number of the open attempt at the offered version"),
		field.String("last_offer_version").Default("").Comment("version of the last grant, also after it ended"),
		field.Time("last_granted_at").Optional().Nillable(),
		// The last attempt that succeeded or failed; last_outcome is 0 if there is none.
		field.UUID("last_attempt_id", uuid.UUID{}).Optional().Nillable(),
		field.UUID("last_rollout_id", uuid.UUID{}).Optional().Nillable().Comment("null: it counts for no rollout any more"),
		field.String("last_version").Default("").Comment("offered version"),
		field.String("last_from").Default("").Comment("version before the attempt"),
		field.Int("last_wave").Default(0),
		field.Int("last_epoch").Default(0),
		field.Int8("last_stage").GoType(rollout.State(0)).Default(0),
		field.Int8("last_outcome").GoType(rollout.Outcome(0)).Default(0),
		field.Int("last_code").Default(0),
		field.Bool("last_proof").Default(false).Comment("it succeeded in the rollout and has not fallen back"),
		field.String("last_oem").Default(""),
		field.String("last_address_block").Default(""),
		// Failures and overrides.
		field.String("failed_version").Default(""),
		field.Int("failures").Default(0).Comment("failed attempts at failed_version"),
		field.String("quarantined_version").Default(""),
		field.String("interrupted_version").Default(""),
		field.Int("interruptions").Default(0).Comment("interrupted attempts in a row at interrupted_version"),
		field.UUID("deferred_rollout_id", uuid.UUID{}).Optional().Nillable().Comment("whose grant the machine put off and has not begun"),
		field.Int8("override").GoType(rollout.OverrideKind(0)).Default(0),
		field.String("override_version").Default(""),
		field.Time("override_until").Optional().Nillable(),
		field.String("override_by").Default(""),
		field.String("override_reason").Default(""),
		field.Time("withdrawn_at").Optional().Nillable().Comment("time of the grant that it lost before it began"),
		field.Bool("enrolled").Default(false).Comment("its results count however new it is"),
		field.Bool("moved").Default(false).Comment("an operator chose the group: the machine's track is ignored"),
		field.UUID("home_group_id", uuid.UUID{}).Optional().Nillable().Comment("group of its track, if an expression chose the group"),
		field.Int64("selectors").Default(0).Comment("expressions of the application that chose the group, see catalog.App.Selectors"),
		field.Int("selected_wave").Default(0).Comment("first wave whose expression is true, counted from 1; 0: none"),
		field.UUID("move_to", uuid.UUID{}).Optional().Nillable().Comment("group to which it moves once its update ended"),
	}
}

// Edges of Instance.
func (Instance) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("application", Application.Type).Ref("instances").Field("application_id").Required().Unique().Immutable(),
		edge.From("group", Group.Type).Ref("instances").Field("group_id").Unique(),
		child("attempts", Attempt.Type),
		child("history", HistoryEntry.Type),
		child("labels", MachineLabel.Type),
	}
}

// Indexes of Instance. A list of machines reads the start of one of them. The
// machine id at the end is the order of pages.
//
// The second one keeps the machines of each count bucket together
// (store.CountBucket). The counters show which buckets a list needs. The OEM comes
// last, so that a filter by OEM is applied in the index. There is no index by
// group and machine id alone: PostgreSQL would scan it for rare machines, and every
// change of a machine would write it.
func (Instance) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("application_id", "machine_id"), // not unique: the primary key is derived from both
		index.Fields("group_id", "version", "state", "reason", "standing", "machine_id", "oem").StorageKey("instance_stretch"),
		index.Fields("group_id", "oem", "machine_id"),
		index.Fields("application_id", "alias").Annotations(entsql.IndexWhere("alias <> ''")),
		index.Fields("application_id", "machine_alias").Annotations(entsql.IndexWhere("machine_alias <> ''")),
		index.Fields("application_id", "address"),
		// Open leases, and machines that are not active: few rows each.
		index.Fields("group_id", "lease_until").Annotations(entsql.IndexWhere("lease_until IS NOT NULL")),
		index.Fields("group_id", "standing").Annotations(entsql.IndexWhere("standing > 0")),
	}
}

// Annotations of Instance.
func (Instance) Annotations() []schema.Annotation { return table("instances") }

// Attempt is a grant that ended; the open one is part of its Instance. Its edge to
// the machine, like that of HistoryEntry, has no foreign key in the database, see
// Diff in store/migrations.
type Attempt struct{ ent.Schema }

// Fields of Attempt.
func (Attempt) Fields() []ent.Field {
	return []ent.Field{
		id(),
		foreign("instance_id"),
		field.UUID("rollout_id", uuid.UUID{}).Immutable(),
		field.UUID("package_id", uuid.UUID{}).Immutable(),
		field.String("version").Immutable().Comment("offered version"),
		field.String("from_version").Immutable(),
		field.Int("wave").Immutable(),
		field.Int("number").Immutable(),
		field.Time("granted_at").Immutable(),
		field.Time("downloading_at").Optional().Nillable().Immutable(),
		field.Time("downloaded_at").Optional().Nillable().Immutable(),
		field.Time("installed_at").Optional().Nillable().Immutable(),
		field.Time("ended_at").Immutable(),
		field.Int8("outcome").GoType(rollout.Outcome(0)),
		field.Int("code").Default(0).Comment("low 28 bits of the reported error"),
		field.String("oem").Default("").Immutable().Comment("of the machine when the attempt ended"),
		field.String("address_block").Default("").Immutable().Comment("of the machine when the attempt ended, such as 192.0.2.0/24"),
		field.Bool("failed").Default(false).Comment("counts as a failure of its rollout"),
		field.Bool("replaced").Default(false).Comment("the machine has a later result in the same rollout"),
	}
}

// Edges of Attempt.
func (Attempt) Edges() []ent.Edge {
	return []ent.Edge{edge.From("instance", Instance.Type).Ref("attempts").Field("instance_id").Required().Unique().Immutable()}
}

// Indexes of Attempt. UUIDs of version 7 sort by time. The indexes by rollout list
// the failed attempts behind each number; they contain no other attempts.
func (Attempt) Indexes() []ent.Index {
	failed := entsql.IndexWhere("failed")
	return []ent.Index{
		index.Fields("instance_id", "id"),
		index.Fields("rollout_id", "id").Annotations(failed),
		index.Fields("rollout_id", "outcome", "id").Annotations(failed),
		index.Fields("rollout_id", "code", "id").Annotations(failed),
		index.Fields("rollout_id", "oem", "id").Annotations(failed),
		index.Fields("rollout_id", "from_version", "id").Annotations(failed),
		index.Fields("rollout_id", "address_block", "id").Annotations(failed),
	}
}

// Annotations of Attempt.
func (Attempt) Annotations() []schema.Annotation { return table("attempts") }

// HistoryEntry is one entry of a machine's history.
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
