package view

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/importreport"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/importing"
)

// Import is the report of an import from another server.
type Import struct {
	*db.ImportReport
	Counts []*importing.Count
	Notes  []*importing.Note
}

// maxImports limits the reports that are returned.
const maxImports = 100

// Imports returns the reports of imports, newest first. It needs the role on the whole
// installation, because a report names what other teams had.
func (s *Service) Imports(ctx context.Context) ([]*Import, error) {
	who, err := fault.RequireVerb(ctx, "imports")
	if err != nil {
		return nil, err
	}
	if err := fault.RequireOn(who, "imports", auth.Place{}); err != nil {
		return nil, err
	}
	rows, err := s.db().ImportReport.Query().Order(db.Desc(importreport.FieldID)).Limit(maxImports).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("read imports: %w", err)
	}
	out := make([]*Import, len(rows))
	for i, row := range rows {
		out[i] = &Import{ImportReport: row}
		if err := json.Unmarshal([]byte(row.Counts), &out[i].Counts); err != nil {
			return nil, fmt.Errorf("read import %s: %w", row.ID, err)
		}
		if err := json.Unmarshal([]byte(row.Notes), &out[i].Notes); err != nil {
			return nil, fmt.Errorf("read import %s: %w", row.ID, err)
		}
	}
	return out, nil
}
