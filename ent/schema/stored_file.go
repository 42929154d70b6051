package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// StoredFile is a file of a package that this server stores. Its content is stored under
// its SHA-256, so packages with the same file share it.
type StoredFile struct{ ent.Schema }

// Fields of StoredFile.
func (StoredFile) Fields() []ent.Field {
	return []ent.Field{
		id(),
		foreign("package_id"),
		field.String("name").Comment("of the payload, or of an additional file"),
		field.Bool("payload").Comment("false for an additional file"),
		field.Int64("size").Comment("bytes"),
		field.String("sha1").Comment("base64, padded"),
		field.String("sha256").Comment("lower-case hex"),
		field.Time("stored_at"),
		field.String("stored_by").Default(""),
		field.Int64("downloads").Default(0).Comment("completed ones, and parts of resumed ones"),
	}
}

// Edges of StoredFile.
func (StoredFile) Edges() []ent.Edge {
	return []ent.Edge{edge.From("package", Release.Type).Ref("stored").Field("package_id").Required().Unique().Immutable()}
}

// Indexes of StoredFile.
func (StoredFile) Indexes() []ent.Index {
	return []ent.Index{index.Fields("package_id", "name").Unique(), index.Fields("sha256")}
}

// Annotations of StoredFile.
func (StoredFile) Annotations() []schema.Annotation { return table("stored_files") }
