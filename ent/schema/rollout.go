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

// GroupRollout is the rollout of one package to one group. Its name avoids a clash
// with the package rollout; every API says Rollout.
type GroupRollout struct{ ent.Schema }

// Fields of GroupRollout.
func (GroupRollout) Fields() []ent.Field {
	return []ent.Field{
		id(),
		foreign("group_id"),
		field.UUID("package_id", uuid.UUID{}).Comment("no foreign key: kept after the package is deleted"),
		field.String("version"),
		field.JSON("recalled", []string{}).Optional().Comment("versions whose machines are downgraded to it"),
		field.Int8("state").GoType(rollout.RolloutState(0)),
		field.String("salt"),
		createdAt(),
		field.Time("started_at").Optional().Nillable().Comment("time of the first grant"),
		field.Time("ended_at").Optional().Nillable().Comment("when it was completed or superseded"),
		field.Time("replaced_at").Optional().Nillable().Comment("when the group got another target or none"),
		field.Int("wave").Default(0).Comment("index of the current wave"),
		field.Time("wave_at").Comment("when the current wave opened"),
		field.Time("gate_at").Optional().Nillable().Comment("since when the gate has been met without interruption"),
		field.Bool("approved").Default(false),
		field.Int("epoch").Default(0).Comment("number of the evidence window"),
		field.JSON("evidence", rollout.Counts{}),
		field.JSON("failing", []string{}),
		field.JSON("failure_kinds", []rollout.FailureKind{}).Optional().Comment("how the machines of the evidence failed"),
		field.Int("set_aside").Default(0).Comment("failures of the current wave before a resume, which its gate ignores"),
		field.Int("proofs").Default(0).Comment("machines that succeeded and have not fallen back"),
		field.String("leader").Default("").Comment("machine that updates first in safe mode"),
		field.JSON("halt", rollout.Halt{}),
		field.Time("progress_at").Optional().Nillable().Comment("last grant, step of an update, result or opened wave"),
		field.JSON("stall", rollout.Stall{}).Optional().Comment("why it makes no progress"),
		field.JSON("newcomers", rollout.Newcomers{}).Optional().Comment("machines whose results count apart"),
		field.JSON("roster", rollout.Roster{}).Optional().Comment("the last count of the current wave"),
	}
}

// Edges of GroupRollout.
func (GroupRollout) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("group", Group.Type).Ref("rollouts").Field("group_id").Required().Unique().Immutable(),
		child("waves", Wave.Type),
		child("failures", Failure.Type),
		child("failure_shares", FailureShare.Type),
	}
}

// Indexes of GroupRollout.
func (GroupRollout) Indexes() []ent.Index { return []ent.Index{index.Fields("group_id", "created_at")} }

// Annotations of GroupRollout.
func (GroupRollout) Annotations() []schema.Annotation { return table("rollouts") }

// Wave is the progress of one wave of a rollout.
type Wave struct{ ent.Schema }

// Fields of Wave.
func (Wave) Fields() []ent.Field {
	return []ent.Field{
		foreign("rollout_id"),
		field.Int("position").Immutable().Comment("0 for the first wave, -1 for newcomers"),
		field.Int("granted").Default(0),
		field.Int("downloading").Default(0).Comment("attempts that started to download"),
		field.Int("downloaded").Default(0),
		field.Int("installed").Default(0),
		field.Int("succeeded").Default(0),
		field.Int("failed").Default(0).Comment("including the four kinds below"),
		field.Int("timed_out").Default(0),
		field.Int("rolled_back").Default(0),
		field.Int("not_running").Default(0),
		field.Int("lost").Default(0),
		field.Int("looping").Default(0),
		field.Int("released").Default(0).Comment("interrupted, deferred or withdrawn"),
	}
}

// Edges of Wave.
func (Wave) Edges() []ent.Edge {
	return []ent.Edge{edge.From("rollout", GroupRollout.Type).Ref("waves").Field("rollout_id").Required().Unique().Immutable()}
}

// Indexes of Wave.
func (Wave) Indexes() []ent.Index {
	return []ent.Index{index.Fields("rollout_id", "position").Unique()}
}

// Annotations of Wave.
func (Wave) Annotations() []schema.Annotation { return table("waves") }

// Failure counts the failed attempts of a rollout by outcome and error code.
type Failure struct{ ent.Schema }

// Fields of Failure.
func (Failure) Fields() []ent.Field {
	return []ent.Field{
		foreign("rollout_id"),
		field.Int8("outcome").GoType(rollout.Outcome(0)).Immutable(),
		field.Int("code").Immutable(),
		field.Int("attempts"),
	}
}

// Edges of Failure.
func (Failure) Edges() []ent.Edge {
	return []ent.Edge{edge.From("rollout", GroupRollout.Type).Ref("failures").Field("rollout_id").Required().Unique().Immutable()}
}

// Indexes of Failure.
func (Failure) Indexes() []ent.Index {
	return []ent.Index{index.Fields("rollout_id", "outcome", "code").Unique()}
}

// Annotations of Failure.
func (Failure) Annotations() []schema.Annotation { return table("failures") }

// FailureShare counts the failed attempts of a rollout by a trait of the machine.
// Each attempt is counted in one row per trait, so a list by one trait needs no
// sum over the others.
type FailureShare struct{ ent.Schema }

// Fields of FailureShare.
func (FailureShare) Fields() []ent.Field {
	return []ent.Field{
		foreign("rollout_id"),
		field.String("trait").Immutable().Comment("oem, address_block, or from_version: the version before the update"),
		field.String("value").Immutable(),
		field.Int("attempts"),
	}
}

// Edges of FailureShare.
func (FailureShare) Edges() []ent.Edge {
	return []ent.Edge{edge.From("rollout", GroupRollout.Type).Ref("failure_shares").Field("rollout_id").Required().Unique().Immutable()}
}

// Indexes of FailureShare.
func (FailureShare) Indexes() []ent.Index {
	return []ent.Index{index.Fields("rollout_id", "trait", "value").Unique()}
}

// Annotations of FailureShare.
func (FailureShare) Annotations() []schema.Annotation { return table("failure_shares") }
