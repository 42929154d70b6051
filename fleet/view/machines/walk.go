package machines

import (
	"context"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/instance"
	"github.com/coreroller/coreroller/fleet/fault"
)

// walkRows is the page of Walk. A statement sends the ids of a page, and databases
// limit their number.
const walkRows = 2_000

// Walk reads the machines that match, at most limit, and calls visit with each page.
// Rows have only the given columns, besides those of a place. A machine that changes
// meanwhile can appear twice or not at all.
func (r *Reader) Walk(ctx context.Context, f Filter, limit int, columns []string, visit func([]*db.Instance)) error {
	if _, err := fault.Require(ctx, auth.Viewer); err != nil {
		return err
	}
	columns = append([]string{
		instance.FieldID, instance.FieldApplicationID, instance.FieldGroupID, instance.FieldState, instance.FieldVersion, instance.FieldMachineID,
	}, columns...)
	l := List{Filter: f}
	for limit > 0 {
		l.Limit = min(limit, walkRows)
		rows, err := r.Machines(ctx, l, func(q *db.InstanceQuery) { q.Select(columns...) })
		if err != nil {
			return err
		}
		visit(rows)
		if len(rows) < l.Limit {
			return nil
		}
		limit -= len(rows)
		l.after = placeOf(rows[len(rows)-1])
	}
	return nil
}
