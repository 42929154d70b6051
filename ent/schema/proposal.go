package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"github.com/google/uuid"
)

// Proposal is a change that waits for the approval of another person. It outlives what it
// concerns, so it has no foreign keys.
type Proposal struct{ ent.Schema }

// Fields of Proposal.
func (Proposal) Fields() []ent.Field {
	return []ent.Field{
		id(),
		foreign("application_id"),
		field.UUID("group_id", uuid.UUID{}).Optional().Nillable().Immutable().Comment("null: it concerns a channel, or the whole application"),
		field.UUID("channel_id", uuid.UUID{}).Optional().Nillable().Immutable(),
		field.UUID("package_id", uuid.UUID{}).Optional().Nillable().Immutable(),
		field.UUID("instance_id", uuid.UUID{}).Optional().Nillable().Immutable(),
		field.String("verb").Immutable().Comment("as in the API, such as promotePackage"),
		field.String("input").Immutable().Comment("JSON of fleet.Propose: the verb's input"),
		field.String("basis").Immutable().Comment("state of what it concerns when it was made; see fleet/proposal"),
		field.String("summary").Immutable().Comment("such as: promote 4501.0.0 to channel beta"),
		field.JSON("changes", []string{}).Immutable().Comment("lines of text: from what to what"),
		field.String("reason").Immutable(),
		field.UUID("user_id", uuid.UUID{}).Immutable().Comment("who may not approve it"),
		field.String("created_by").Immutable().Comment("name of that user"),
		createdAt(),
		field.Time("expires_at").Immutable(),
		field.String("state").Comment("as in the API, such as OPEN"),
		field.Time("decided_at").Optional().Nillable().Comment("when it was approved, refused, withdrawn or found expired"),
		field.String("decided_by").Default(""),
		field.String("decision").Default("").Comment("the reason of the decision"),
	}
}

// Indexes of Proposal. Few are open at a time.
func (Proposal) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("expires_at").Annotations(entsql.IndexWhere("state = 'OPEN'")),
		index.Fields("decided_at").Annotations(entsql.IndexWhere("state <> 'OPEN'")),
	}
}

// Annotations of Proposal.
func (Proposal) Annotations() []schema.Annotation { return table("proposals") }
