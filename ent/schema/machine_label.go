package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// MachineLabel is an attribute or a tag that people gave a machine, or a request
// attribute that its application names. They are not columns of Instance, because
// check-ins rewrite its rows and do not need them. What every machine sends about
// itself is in Instance.
//
// The id is derived from the machine, the kind and the name (store.LabelID), so that
// writing the same label again replaces it.
type MachineLabel struct{ ent.Schema }

// Fields of MachineLabel. Application and machine id are those of the machine, which
// never change: an index sorts by them.
func (MachineLabel) Fields() []ent.Field {
	return []ent.Field{
		id(),
		foreign("instance_id"),
		foreign("application_id"),
		field.String("machine_id").Immutable(),
		field.Bool("tag").Immutable().Comment("else an attribute"),
		field.String("name").Immutable(),
		field.String("value").Default("").Comment("of an attribute"),
		field.String("set_by").Comment("\"\": the machine sent it"),
		field.Time("set_at"),
		field.Bool("sent").Default(false).Comment("a request attribute: people cannot change it"),
	}
}

// Edges of MachineLabel.
func (MachineLabel) Edges() []ent.Edge {
	return []ent.Edge{edge.From("instance", Instance.Type).Ref("labels").Field("instance_id").Required().Unique().Immutable()}
}

// Indexes of MachineLabel: a list of the machines with a label, in its order; the
// labels of a machine; what is deleted when an application no longer names a request
// attribute.
func (MachineLabel) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("tag", "name", "value", "application_id", "machine_id"),
		index.Fields("instance_id", "tag", "name").Unique(),
		index.Fields("application_id", "name").Annotations(entsql.IndexWhere("sent")),
	}
}

// Annotations of MachineLabel.
func (MachineLabel) Annotations() []schema.Annotation { return table("machine_labels") }
