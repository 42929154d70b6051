package view

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/refusedrequest"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/rollout/phrase"
)

// unknownTrack is checkin.RefusedUnknownTrack as it is stored.
const unknownTrack = "unknown_track"

// RefusedRequests returns the requests that were refused before they reached a
// group, the last seen first.
func (s *Service) RefusedRequests() *List[*db.RefusedRequest] {
	return listOf(s.db().RefusedRequest.Query(), byTime("last_seen_at", func(r *db.RefusedRequest) (time.Time, uuid.UUID) { return r.LastSeenAt, r.ID }))
}

// Refused returns the application that a refused request named and the group that has
// its track and architecture now; zero for none.
func (s *Service) Refused(ctx context.Context, r *db.RefusedRequest) (app, group uuid.UUID, err error) {
	if _, err := fault.Require(ctx, auth.Viewer); err != nil {
		return app, group, err
	}
	app, group = s.named(ctx, r)
	return app, group, nil
}

func (s *Service) named(ctx context.Context, r *db.RefusedRequest) (app, group uuid.UUID) {
	c := s.seen(ctx)
	if a := c.Named(r.App); a != nil {
		app = a.ID
	}
	if g, _ := c.Find(r.App, r.Track, catalog.Arch(r.Board, "")); g != nil {
		group = g.ID
	}
	return app, group
}

// addUnknownTracks adds the requests of the last day whose track no group has, also
// now.
func (s *Service) addUnknownTracks(ctx context.Context, out *attentions) error {
	rows, err := s.db().RefusedRequest.Query().Where(refusedrequest.Reason(unknownTrack),
		refusedrequest.LastSeenAtGT(s.now().Add(-24*time.Hour))).Order(db.Desc(refusedrequest.FieldRequests)).All(ctx)
	if err != nil {
		return fmt.Errorf("read refused requests: %w", err)
	}
	tracks, example := 0, ""
	for _, row := range rows {
		if app, group := s.named(ctx, row); app != uuid.Nil && group == uuid.Nil {
			if tracks++; tracks == 1 {
				example = row.Track
			}
		}
	}
	if tracks > 0 {
		out.add(nil, AttentionUnknownTrack, rollout.SeverityWarning, nil,
			fmt.Sprintf("machines ask for %s that no group has, such as %q", phrase.Count(tracks, "track"), example))
	}
	return nil
}
