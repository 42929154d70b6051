package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"github.com/google/uuid"
)

// Audit is one change of the configuration, a sign-in or a sign-out. The table is
// append-only: triggers refuse to change and delete rows, and each row has the hash
// of the one before.
type Audit struct{ ent.Schema }

// Fields of Audit.
func (Audit) Fields() []ent.Field {
	return []ent.Field{
		id(),
		field.Time("at").Immutable(),
		field.UUID("team_id", uuid.UUID{}).Immutable(),
		field.String("actor").Immutable(),
		field.String("credential").Immutable().Comment("basic, session, token, command, server"),
		field.String("verb").Immutable().Comment("as in the API, such as pauseUpdates"),
		field.String("object").Immutable().Comment("kind of the changed object, such as group"),
		field.UUID("object_id", uuid.UUID{}).Immutable(),
		field.UUID("application_id", uuid.UUID{}).Optional().Nillable().Immutable(),
		field.String("before").Default("").Immutable().Comment("JSON"),
		field.String("after").Default("").Immutable().Comment("JSON"),
		field.String("reason").Default("").Immutable(),
		field.String("address").Default("").Immutable().Comment("of the client; empty for the command line and the server itself"),
		field.Int64("seq").Optional().Nillable().Immutable().Comment("place in the chain, without gaps from 1; NULL in rows from before the chain"),
		field.String("previous").Default("").Immutable().Comment("hash of the row before; empty in the first one"),
		field.String("hash").Default("").Immutable().Comment("SHA-256 in hexadecimal, see store.AuditHash"),
	}
}

// Indexes of Audit.
func (Audit) Indexes() []ent.Index {
	return []ent.Index{index.Fields("application_id", "id"), index.Fields("object_id", "id"), index.Fields("seq").Unique()}
}

// Annotations of Audit.
func (Audit) Annotations() []schema.Annotation { return table("audits") }

// AuditHead is the end of the chain of audits. Its only row, with the id 1, is the lock
// under which a transaction appends to the chain.
type AuditHead struct{ ent.Schema }

// Fields of AuditHead.
func (AuditHead) Fields() []ent.Field {
	return []ent.Field{
		field.Int("id").Immutable(),
		field.Int64("seq").Comment("of the last row"),
		field.String("hash").Comment("of the last row"),
		field.Time("at").Comment("of the last row"),
	}
}

// Annotations of AuditHead.
func (AuditHead) Annotations() []schema.Annotation { return table("audit_heads") }
