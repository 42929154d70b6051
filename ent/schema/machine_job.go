package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"github.com/google/uuid"
)

// MachineJob is one action on many machines. Its row is written after the list of
// its machines, so that a job has all of them or does not exist.
type MachineJob struct{ ent.Schema }

// Fields of MachineJob. The counts add up to machines together with those that are
// still pending.
func (MachineJob) Fields() []ent.Field {
	return []ent.Field{
		id(),
		createdAt(),
		field.String("created_by").Immutable(),
		field.String("credential").Immutable().Comment("as in audits"),
		field.UUID("team_id", uuid.UUID{}).Immutable(),
		field.String("request_id").Default("").Immutable().Comment("sent by the client; the same id creates one job"),
		field.String("input").Immutable().Comment("JSON, to compare with a repeated request"),
		field.String("selection").Immutable().Comment("the filter as text"),
		field.UUID("application_id", uuid.UUID{}).Optional().Nillable().Immutable().Comment("of the filter; null: any, or a job from before this column"),
		field.UUID("within_group_id", uuid.UUID{}).Optional().Nillable().Immutable().Comment("group of the filter: machines that left it are skipped"),
		field.String("action").Immutable().Comment("as in the API, such as HOLD"),
		field.String("reason").Default("").Immutable(),
		field.Time("until").Optional().Nillable().Immutable().Comment("end of a hold or pin"),
		field.String("version").Default("").Immutable().Comment("of a pin"),
		field.UUID("group_id", uuid.UUID{}).Optional().Nillable().Immutable().Comment("to which machines move; null: the group of their track"),
		field.Bool("replace").Default(false).Immutable().Comment("replaces holds and pins"),
		field.String("labels").Default("").Immutable().Comment("JSON of the attributes and tags to set and remove"),
		field.String("state").Comment("as in the API, such as RUNNING"),
		field.Int("machines").Immutable(),
		field.Int("done").Default(0),
		field.Int("after_update").Default(0),
		field.Int("skipped").Default(0),
		field.Int("failed").Default(0),
		field.Time("changed_at").Comment("last batch, stop or retry"),
		field.String("stopped_by").Default(""),
		field.JSON("changed", map[uuid.UUID]int{}).Optional().Comment("machines by group that were changed since the last activity of the job"),
	}
}

// Indexes of MachineJob. Few jobs run at a time.
func (MachineJob) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("request_id").Unique().Annotations(entsql.IndexWhere("request_id <> ''")),
		index.Fields("state").Annotations(entsql.IndexWhere("state = 'RUNNING'")),
	}
}

// Annotations of MachineJob.
func (MachineJob) Annotations() []schema.Annotation { return table("machine_jobs") }

// MachineJobItem is one machine of a job and its result. It stores the machine id,
// because it outlives the machine. It has no foreign key to the job, because the
// items of a long list are written before the job, a part at a time. Retention
// deletes them by the time in the job's id.
type MachineJobItem struct{ ent.Schema }

// Fields of MachineJobItem. The id is the order of the list.
func (MachineJobItem) Fields() []ent.Field {
	return []ent.Field{
		field.Int("id").Immutable(),
		foreign("job_id"),
		field.UUID("instance_id", uuid.UUID{}).Immutable(),
		field.UUID("application_id", uuid.UUID{}).Immutable(),
		field.String("machine_id").Immutable(),
		field.Int8("result").Comment("see job.Result; in the order of the page"),
		field.String("detail").Default(""),
		field.Time("ended_at").Optional().Nillable(),
	}
}

// Indexes of MachineJobItem: the page and the next batch; the machines to retry.
func (MachineJobItem) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("job_id", "result", "id"),
		index.Fields("job_id", "instance_id").Unique(),
	}
}

// Annotations of MachineJobItem.
func (MachineJobItem) Annotations() []schema.Annotation { return table("machine_job_items") }
