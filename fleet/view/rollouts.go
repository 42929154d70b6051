package view

import (
	"context"
	"time"

	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/application"
	"github.com/coreroller/coreroller/ent/db/group"
	"github.com/coreroller/coreroller/ent/db/grouprollout"
	"github.com/coreroller/coreroller/ent/db/ledger"
	"github.com/coreroller/coreroller/ent/db/wave"
	"github.com/coreroller/coreroller/rollout"
)

// Rollouts returns the list of the rollouts of a group.
func (s *Service) Rollouts(group uuid.UUID, with With) *List[*db.GroupRollout] {
	return listOf(loading(s.db().GroupRollout.Query().Where(grouprollout.GroupID(group)), with.rollouts),
		byCreation(func(r *db.GroupRollout) (time.Time, uuid.UUID) { return r.CreatedAt, r.ID }))
}

// Rollout reads one rollout with its group.
func (s *Service) Rollout(ctx context.Context, id uuid.UUID, with With) (*db.GroupRollout, error) {
	return one(ctx, "rollout", loading(s.db().GroupRollout.Query().Where(grouprollout.ID(id), grouprollout.HasGroupWith(group.DeletedAtIsNil(), group.HasApplicationWith(application.DeletedAtIsNil()))), with.rollouts).Only)
}

// RolloutByID reads rollouts with their groups, by id.
func (s *Service) RolloutByID(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*db.GroupRollout, error) {
	return indexed(ctx, "rollouts", s.db().GroupRollout.Query().Where(grouprollout.IDIn(ids...), grouprollout.HasGroupWith(group.DeletedAtIsNil())).WithGroup().All,
		func(r *db.GroupRollout) uuid.UUID { return r.ID })
}

// CurrentRollouts reads the current rollouts of groups, by group.
func (s *Service) CurrentRollouts(ctx context.Context, groups []uuid.UUID) (map[uuid.UUID]*db.GroupRollout, error) {
	return indexed(ctx, "rollouts", s.db().GroupRollout.Query().Where(grouprollout.GroupIDIn(groups...), current).All,
		func(r *db.GroupRollout) uuid.UUID { return r.GroupID })
}

// current is the condition that a rollout is the one in the ledger of its group.
func current(s *sql.Selector) {
	t := sql.Table(ledger.Table)
	s.Where(sql.In(s.C(grouprollout.FieldID), sql.Select(t.C(ledger.FieldRolloutID)).From(t).
		Where(sql.ColumnsEQ(t.C(ledger.FieldGroupID), s.C(grouprollout.FieldGroupID)))))
}

// Waves reads the counters of rollouts by rollout, first wave first.
func (s *Service) Waves(ctx context.Context, rollouts []uuid.UUID) (map[uuid.UUID][]*db.Wave, error) {
	return grouped(ctx, "waves", s.db().Wave.Query().Where(wave.RolloutIDIn(rollouts...)).Order(wave.ByPosition()).All,
		func(w *db.Wave) uuid.UUID { return w.RolloutID })
}

// WaveCounts are the counters of one wave as the engine names them.
func WaveCounts(w *db.Wave) rollout.Counts {
	return rollout.Counts{
		Granted: w.Granted, Downloading: w.Downloading, Downloaded: w.Downloaded, Installed: w.Installed,
		Succeeded: w.Succeeded, Failed: w.Failed, TimedOut: w.TimedOut, RolledBack: w.RolledBack, NotRunning: w.NotRunning, Lost: w.Lost, Looping: w.Looping, Released: w.Released,
	}
}

// SumWaves returns the attempts of all waves of a rollout.
func SumWaves(waves []*db.Wave) (sum rollout.Counts) {
	for _, w := range waves {
		sum = sum.Plus(WaveCounts(w))
	}
	return sum
}
