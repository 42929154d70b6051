package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Release is a package: one version of an application for one architecture. It is
// not named Package because package is a keyword of Go; every API says Package.
type Release struct{ ent.Schema }

// Fields of Release.
func (Release) Fields() []ent.Field {
	return []ent.Field{
		id(),
		foreign("application_id"),
		field.Int8("type").Comment("1 CoreOS or Flatcar, 2 Docker, 3 rkt, 4 other; 1 needs a reboot"),
		field.String("arch").Default("amd64"),
		field.String("version").Comment("as the versioning of the application says"),
		field.String("url").Comment("base URL, to which the file name is appended"),
		field.String("filename").Default(""),
		field.Int64("size").Default(0).Comment("bytes"),
		field.String("sha1").Default("").Comment("base64, padded"),
		field.String("sha256").Default("").Comment("lower-case hex"),
		field.String("description").Default(""),
		field.Bool("hosted").Default(false).Comment("machines fetch its files from this server"),
		field.String("source_url").Default("").Comment("base URL from which the files of a hosted package can be fetched; empty: none"),
		createdAt(),
	}
}

// Edges of Release.
func (Release) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("application", Application.Type).Ref("packages").Field("application_id").Required().Unique().Immutable(),
		child("files", PackageFile.Type),
		child("stored", StoredFile.Type),
		edge.To("action", PackageAction.Type).Unique().Annotations(entsql.OnDelete(entsql.Cascade)),
		edge.To("channels", Channel.Type),
		child("floors", Floor.Type),
		child("blacklistings", Blacklisting.Type),
	}
}

// Indexes of Release.
func (Release) Indexes() []ent.Index {
	return []ent.Index{index.Fields("application_id", "arch", "version").Unique()}
}

// Annotations of Release.
func (Release) Annotations() []schema.Annotation { return table("packages") }

// PackageFile is an additional file of a package, besides its payload.
type PackageFile struct{ ent.Schema }

// Fields of PackageFile.
func (PackageFile) Fields() []ent.Field {
	return []ent.Field{
		id(),
		foreign("package_id"),
		field.String("name"),
		field.Int64("size").Default(0).Comment("bytes"),
		field.String("sha1").Default("").Comment("base64, padded"),
		field.String("sha256").Default("").Comment("lower-case hex"),
	}
}

// Edges of PackageFile.
func (PackageFile) Edges() []ent.Edge {
	return []ent.Edge{edge.From("package", Release.Type).Ref("files").Field("package_id").Required().Unique().Immutable()}
}

// Indexes of PackageFile.
func (PackageFile) Indexes() []ent.Index {
	return []ent.Index{index.Fields("package_id", "name").Unique()}
}

// Annotations of PackageFile.
func (PackageFile) Annotations() []schema.Annotation { return table("package_files") }

// PackageAction is the postinstall action of an operating system package.
type PackageAction struct{ ent.Schema }

// Fields of PackageAction.
func (PackageAction) Fields() []ent.Field {
	return []ent.Field{
		id(),
		foreign("package_id"),
		field.String("event").Default("postinstall"),
		field.String("sha256").Comment("base64 of the payload's SHA-256"),
		field.String("chromeos_version").Default(""),
		field.Bool("needs_admin").Default(false),
		field.Bool("is_delta").Default(false),
		field.Bool("disable_payload_backoff").Default(true),
		field.String("metadata_signature_rsa").Default(""),
		field.String("metadata_size").Default(""),
		field.String("deadline").Default(""),
		createdAt(),
	}
}

// Edges of PackageAction.
func (PackageAction) Edges() []ent.Edge {
	return []ent.Edge{edge.From("package", Release.Type).Ref("action").Field("package_id").Required().Unique().Immutable()}
}

// Annotations of PackageAction.
func (PackageAction) Annotations() []schema.Annotation { return table("package_actions") }
