package reach

import (
	"context"
	"fmt"

	"entgo.io/ent"
	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/fleet/catalog"
)

// Restrict adds to every query of a client the conditions of the caller's reach, also to
// the queries of edges. current returns the catalog.
func Restrict(client *db.Client, current func() *catalog.Catalog) {
	client.Intercept(ent.TraverseFunc(func(ctx context.Context, q ent.Query) error {
		if r := of(ctx, current()); r != nil {
			return r.restrict(q)
		}
		return nil
	}))
}

// restrict adds the conditions for one kind of record. A kind that it does not know is an
// error, so that no new one is readable by everyone.
func (r *reach) restrict(q ent.Query) error { //nolint:cyclop // one case for each table
	switch q := q.(type) {
	case *db.ApplicationQuery:
		q.Where(in("id", r.apps))
	case *db.ChannelQuery:
		q.Where(in("application_id", r.apps))
	case *db.ReleaseQuery:
		q.Where(in("application_id", r.apps))
	case *db.ReassignmentQuery:
		q.Where(in("application_id", r.apps))
	case *db.UpstreamQuery:
		q.Where(in("application_id", r.apps))
	case *db.UpstreamChannelQuery:
		q.Where(below("channel_id", "channels", "application_id", r.apps))
	case *db.MirrorRunQuery:
		q.Where(in("application_id", r.apps))
	case *db.PromotionQuery:
		q.Where(below("channel_id", "channels", "application_id", r.apps))
	case *db.FloorQuery:
		q.Where(below("channel_id", "channels", "application_id", r.apps))
	case *db.BlacklistingQuery:
		q.Where(below("channel_id", "channels", "application_id", r.apps))
	case *db.PackageFileQuery:
		q.Where(below("package_id", "packages", "application_id", r.apps))
	case *db.StoredFileQuery:
		q.Where(below("package_id", "packages", "application_id", r.apps))
	case *db.PackageActionQuery:
		q.Where(below("package_id", "packages", "application_id", r.apps))
	case *db.GroupQuery:
		q.Where(in("id", r.groups))
	case *db.LedgerQuery:
		q.Where(in("group_id", r.groups))
	case *db.GroupCountQuery:
		q.Where(in("group_id", r.groups))
	case *db.GroupRolloutQuery:
		q.Where(in("group_id", r.groups))
	case *db.StatPointQuery:
		q.Where(in("group_id", r.groups))
	case *db.PacePointQuery:
		q.Where(in("group_id", r.groups))
	case *db.RebootSlotQuery:
		q.Where(in("group_id", r.groups))
	case *db.MirrorQuery:
		q.Where(in("group_id", r.groups))
	case *db.WaveQuery:
		q.Where(below("rollout_id", "rollouts", "group_id", r.groups))
	case *db.FailureQuery:
		q.Where(below("rollout_id", "rollouts", "group_id", r.groups))
	case *db.FailureShareQuery:
		q.Where(below("rollout_id", "rollouts", "group_id", r.groups))
	case *db.AttemptQuery:
		q.Where(below("rollout_id", "rollouts", "group_id", r.groups))
	case *db.HistoryEntryQuery:
		q.Where(r.history)
	case *db.MachineLabelQuery:
		q.Where(r.history) // of a readable machine
	case *db.MachineSecretQuery:
		q.Where(r.groupOrWhole("group_id"))
	case *db.InstanceQuery:
		q.Where(r.groupOrWhole("group_id"))
	case *db.ActivityQuery:
		q.Where(r.groupOrWhole("group_id"))
	case *db.ProposalQuery:
		q.Where(r.groupOrWhole("group_id"))
	case *db.MachineJobQuery:
		q.Where(r.jobs)
	case *db.MachineJobItemQuery:
		q.Where(in("application_id", r.apps)) // of a job that was read before
	case *db.NotifierQuery:
		q.Where(in("team_id", r.teams()))
	case *db.DeliveryQuery:
		q.Where(below("notifier_id", "notifiers", "team_id", r.teams()))
	case *db.AuditQuery:
		q.Where(r.audits)
	case *db.RefusalQuery:
		q.Where(in("group_id", asText(r.groups)))
	case *db.RefusedRequestQuery:
		q.Where(r.refused)
	case *db.UserQuery, *db.SessionQuery, *db.TokenQuery, *db.TeamQuery: // fleet/account decides
	case *db.AuditHeadQuery: // numbers and a hash
	case *db.ImportReportQuery: // fleet/view asks for the role on the whole installation
	default:
		return fmt.Errorf("reach: no rule for %T", q)
	}
	return nil
}

// in is the condition that a column has one of the values.
func in[V any](column string, values []V) func(*sql.Selector) {
	return func(s *sql.Selector) { s.Where(oneOf(s.C(column), values)) }
}

func oneOf[V any](column string, values []V) *sql.Predicate {
	all := make([]any, len(values))
	for i, v := range values {
		all[i] = v
	}
	return sql.In(column, all...) // false without values
}

// below is the condition that a row belongs to a row of another table whose column has
// one of the values.
func below(key, table, column string, values []uuid.UUID) func(*sql.Selector) {
	return func(s *sql.Selector) {
		t := sql.Dialect(s.Dialect()).Table(table)
		s.Where(sql.In(s.C(key), sql.Dialect(s.Dialect()).Select(t.C("id")).From(t).Where(oneOf(t.C(column), values))))
	}
}

// groupOrWhole is the condition that a row belongs to a group or to an application that
// is readable as a whole.
func (r *reach) groupOrWhole(group string) func(*sql.Selector) {
	return func(s *sql.Selector) {
		s.Where(sql.Or(oneOf(s.C(group), r.groups), oneOf(s.C("application_id"), r.whole)))
	}
}

// jobs is the condition that a job concerns a readable group or application, or a whole team
// of the caller.
func (r *reach) jobs(s *sql.Selector) {
	s.Where(sql.Or(
		oneOf(s.C("within_group_id"), r.groups), oneOf(s.C("application_id"), r.whole),
		sql.And(sql.IsNull(s.C("within_group_id")), sql.IsNull(s.C("application_id")), oneOf(s.C("team_id"), r.teams()))))
}

// teams are those on all of which the caller has a role.
func (r *reach) teams() (ids []uuid.UUID) {
	for _, g := range r.caller.AllGrants() {
		if g.Team != uuid.Nil && g.Application == uuid.Nil {
			ids = append(ids, g.Team)
		}
	}
	return ids
}

// history is the condition that the machine of a row is readable. It looks at the machine of
// each row by its id, because a list is that of one machine or of a page of them.
func (r *reach) history(s *sql.Selector) {
	t := sql.Dialect(s.Dialect()).Table("instances").As("seen")
	s.Where(sql.Exists(sql.Dialect(s.Dialect()).Select(t.C("id")).From(t).Where(sql.And(
		sql.ColumnsEQ(t.C("id"), s.C("instance_id")),
		sql.Or(oneOf(t.C("group_id"), r.groups), oneOf(t.C("application_id"), r.whole))))))
}

// audits is the condition that a change concerns a readable group or application, or a
// whole team of the caller.
func (r *reach) audits(s *sql.Selector) {
	s.Where(sql.Or(
		oneOf(s.C("object_id"), r.groups), oneOf(s.C("application_id"), r.whole),
		sql.And(sql.IsNull(s.C("application_id")), oneOf(s.C("team_id"), r.teams()))))
}

// refused is the condition that a refused request named a readable application.
func (r *reach) refused(s *sql.Selector) {
	s.Where(sql.P(func(b *sql.Builder) {
		if len(r.names) == 0 {
			b.WriteString("1 = 0")
			return
		}
		b.WriteString("LOWER(").Ident(s.C("app")).WriteString(") IN (").Args(r.names...).WriteString(")")
	}))
}

func asText(ids []uuid.UUID) []string {
	all := make([]string, len(ids))
	for i, id := range ids {
		all[i] = id.String()
	}
	return all
}
