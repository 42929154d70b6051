package store

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/machinelabel"
	"github.com/coreroller/coreroller/store/bulk"
)

// Label is one row of machine_labels: an attribute or a tag that people gave a machine,
// or a request attribute.
type Label struct {
	InstanceID    uuid.UUID
	ApplicationID uuid.UUID
	MachineID     string
	Tag           bool // else an attribute
	Name          string
	Value         string // of an attribute
	By            string // "" if Sent
	At            time.Time
	Sent          bool // a request attribute that the application names
}

// labels overwrites a label that exists.
var labels = bulk.NewTable("machine_labels",
	"ON CONFLICT (id) DO UPDATE SET value = EXCLUDED.value, set_by = EXCLUDED.set_by, set_at = EXCLUDED.set_at, sent = EXCLUDED.sent",
	"id id, instance_id id, application_id id, machine_id text, tag bool, name text, value text, set_by text, set_at time, sent bool")

// LabelID is the id of an attribute or tag of a machine, derived like InstanceID.
func LabelID(instance uuid.UUID, tag bool, name string) uuid.UUID {
	kind := byte('a')
	if tag {
		kind = 't'
	}
	sum := sha256.Sum256(append(append(instance[:], kind), name...))
	id := uuid.UUID(sum[:16])
	id[6] = id[6]&0x0f | 0x80
	id[8] = id[8]&0x3f | 0x80
	return id
}

// Labels returns the attributes and tags of machines by their instance ids, sorted by
// kind and name. The caller holds the locks of the machines, see Machines.
func (tx *Tx) Labels(ctx context.Context, machines []uuid.UUID) (map[uuid.UUID][]*db.MachineLabel, error) {
	return labelsOf(ctx, tx.Client(), machines)
}

// Labels is Tx.Labels without a lock.
func (s *Store) Labels(ctx context.Context, machines []uuid.UUID) (map[uuid.UUID][]*db.MachineLabel, error) {
	return labelsOf(ctx, s.client, machines)
}

func labelsOf(ctx context.Context, client *db.Client, machines []uuid.UUID) (map[uuid.UUID][]*db.MachineLabel, error) {
	rows, err := client.MachineLabel.Query().Where(machinelabel.InstanceIDIn(machines...)).
		Order(machinelabel.ByInstanceID(), machinelabel.ByTag(), machinelabel.ByName()).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("read attributes and tags: %w", err)
	}
	found := map[uuid.UUID][]*db.MachineLabel{}
	for _, row := range rows {
		found[row.InstanceID] = append(found[row.InstanceID], row)
	}
	return found, nil
}

// saveLabels writes and deletes the changed labels of a batch. A check-in has some only
// if the request attributes of its machine changed.
func (tx *Tx) saveLabels(ctx context.Context, b *Batch) error {
	if len(b.Unlabeled) > 0 {
		if _, err := tx.sql.Change(ctx, "DELETE FROM machine_labels WHERE id @in", tx.sql.List(b.Unlabeled)); err != nil {
			return fmt.Errorf("delete attributes and tags: %w", err)
		}
	}
	if len(b.Unsent) > 0 {
		if _, err := tx.sql.Change(ctx, "DELETE FROM machine_labels WHERE id @in AND sent", tx.sql.List(b.Unsent)); err != nil {
			return fmt.Errorf("delete request attributes: %w", err)
		}
	}
	if len(b.Labels) == 0 {
		return nil
	}
	rows := make([]bulk.Value, 0, len(b.Labels)*labels.Width())
	for i := range b.Labels {
		l := &b.Labels[i]
		rows = append(rows, bulk.ID(LabelID(l.InstanceID, l.Tag, l.Name)), bulk.ID(l.InstanceID), bulk.ID(l.ApplicationID), bulk.Text(l.MachineID),
			bulk.Bool(l.Tag), bulk.Text(l.Name), bulk.Text(l.Value), bulk.Text(l.By), bulk.Time(l.At), bulk.Bool(l.Sent))
	}
	if _, err := tx.write(ctx, bulk.Insert(labels, rows)); err != nil {
		return fmt.Errorf("write attributes and tags: %w", err)
	}
	return nil
}
