package view

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/importreport"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/importing"
)

// Import is the report of an import from another server, without the columns of its row
// that can be long.
type Import struct {
	*db.ImportReport
	Counts []*importing.Count

	view *Service
}

// maxImports limits the reports that are returned.
const maxImports = 100

// Imports returns the newest reports of imports, or only the one with an id. It needs the
// role on the whole installation, because a report names what other teams had.
func (s *Service) Imports(ctx context.Context, first int, id *uuid.UUID) ([]*Import, error) {
	if err := requireImports(ctx); err != nil {
		return nil, err
	}
	if first < 0 || first > maxImports {
		return nil, fault.Errorf(fault.Invalid, "first", "must be from 0 to %d", maxImports)
	}
	if first == 0 { // ent takes it for no limit
		return nil, nil
	}
	query := s.db().ImportReport.Query().Order(db.Desc(importreport.FieldID)).Limit(first)
	if id != nil {
		query = query.Where(importreport.ID(*id))
	}
	rows, err := query.Select(importreport.FieldID, importreport.FieldSource, importreport.FieldPlace, importreport.FieldBy,
		importreport.FieldStartedAt, importreport.FieldEndedAt, importreport.FieldCounts).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("read imports: %w", err)
	}
	out := make([]*Import, len(rows))
	for i, row := range rows {
		out[i] = &Import{ImportReport: row, view: s}
		if err := json.Unmarshal([]byte(row.Counts), &out[i].Counts); err != nil {
			return nil, fmt.Errorf("read import %s: %w", row.ID, err)
		}
	}
	return out, nil
}

// Notes reads the notes of the report.
func (i *Import) Notes(ctx context.Context) (notes []*importing.Note, err error) {
	if err := requireImports(ctx); err != nil {
		return nil, err
	}
	row, err := i.view.db().ImportReport.Query().Where(importreport.ID(i.ID)).Select(importreport.FieldID, importreport.FieldNotes).Only(ctx)
	if err == nil {
		err = json.Unmarshal([]byte(row.Notes), &notes)
	}
	if err != nil {
		return nil, fmt.Errorf("read the notes of import %s: %w", i.ID, err)
	}
	return notes, nil
}

func requireImports(ctx context.Context) error {
	who, err := fault.RequireVerb(ctx, "imports")
	if err != nil {
		return err
	}
	return fault.RequireOn(who, "imports", auth.Place{})
}
