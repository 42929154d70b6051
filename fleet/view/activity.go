package view

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/activity"
	"github.com/coreroller/coreroller/ent/db/audit"
	"github.com/coreroller/coreroller/ent/db/predicate"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
)

// ActivityFilter are conditions on activities; all must hold. A nil list is no
// condition, an empty one is never met.
type ActivityFilter struct {
	Application *uuid.UUID
	Group       *uuid.UUID
	Channel     *uuid.UUID
	Instance    *uuid.UUID
	MachineID   *string // the id that the machine reports
	Version     *string
	Kinds       []rollout.ActivityKind
	Severities  []rollout.Severity
	Text        *string    // in a name, the machine id, the version, the actor or the detail
	Since       *time.Time // including
	Until       *time.Time // excluding
	StoredSince *time.Time // by the time in the id, in milliseconds
}

// Activities returns the list of activities that match.
func (s *Service) Activities(f ActivityFilter) *List[*db.Activity] {
	all := listOf(s.db().Activity.Query().Where(f.conditions()...), byID(func(a *db.Activity) uuid.UUID { return a.ID }))
	return all.search(f.Text, func(a *db.Activity) []string {
		return []string{a.ApplicationName, a.GroupName, a.ChannelName, a.MachineID, a.Version, a.Actor, a.Detail}
	})
}

func (f *ActivityFilter) conditions() []predicate.Activity {
	var where []predicate.Activity
	where = when(where, f.Application, activity.ApplicationID)
	where = when(where, f.Group, activity.GroupID)
	where = when(where, f.Channel, activity.ChannelID)
	where = when(where, f.Instance, activity.InstanceID)
	where = when(where, f.MachineID, activity.MachineID)
	where = when(where, f.Version, activity.Version)
	if f.Kinds != nil {
		where = append(where, activity.KindIn(distinct(f.Kinds)...))
	}
	if f.Severities != nil {
		where = append(where, activity.SeverityIn(distinct(f.Severities)...))
	}
	if f.Since != nil {
		where = append(where, activity.AtGTE(*f.Since), activity.IDGTE(firstID(*f.Since)))
	}
	if f.Until != nil {
		where = append(where, activity.AtLT(*f.Until), activity.IDLT(firstID(f.Until.Add(time.Millisecond))))
	}
	if f.StoredSince != nil {
		where = append(where, activity.IDGTE(firstID(*f.StoredSince)))
	}
	return where
}

// distinct drops repetitions: a statement takes a limited number of values.
func distinct[T cmp.Ordered](values []T) []T {
	return slices.Compact(slices.Sorted(slices.Values(values)))
}

// when appends a condition unless the value is nil.
func when[P, V any](where []P, value *V, condition func(V) P) []P {
	if value == nil {
		return where
	}
	return append(where, condition(*value))
}

// AuditFilter are conditions on audit entries; all must hold.
type AuditFilter struct {
	Application *uuid.UUID
	Object      *uuid.UUID
	Actor       *string
	Verb        *string
	Text        *string    // in the actor, the address, the verb, the object, the reason or the values
	Since       *time.Time // including
	Until       *time.Time // excluding
	StoredSince *time.Time // by the time in the id, in milliseconds
}

// Audits returns the list of audit entries that match.
func (s *Service) Audits(f AuditFilter) *List[*db.Audit] {
	all := listOf(s.db().Audit.Query().Where(f.conditions()...), byID(func(a *db.Audit) uuid.UUID { return a.ID }))
	return all.search(f.Text, func(a *db.Audit) []string {
		return []string{a.Actor, a.Address, a.Verb, a.Object, a.Reason, a.Before, a.After}
	})
}

// AuditChain returns the end of the chain of audit entries. It verifies nothing.
func (s *Service) AuditChain(ctx context.Context) (store.AuditHead, error) {
	if _, err := fault.Require(ctx, auth.Viewer); err != nil {
		return store.AuditHead{}, err
	}
	return s.store.AuditHead(ctx)
}

func (f *AuditFilter) conditions() []predicate.Audit {
	var where []predicate.Audit
	where = when(where, f.Application, audit.ApplicationID)
	where = when(where, f.Object, audit.ObjectID)
	where = when(where, f.Actor, audit.Actor)
	where = when(where, f.Verb, audit.Verb)
	if f.Since != nil {
		where = append(where, audit.AtGTE(*f.Since), audit.IDGTE(firstID(*f.Since)))
	}
	if f.Until != nil {
		where = append(where, audit.AtLT(*f.Until), audit.IDLT(firstID(f.Until.Add(time.Millisecond))))
	}
	if f.StoredSince != nil {
		where = append(where, audit.IDGTE(firstID(*f.StoredSince)))
	}
	return where
}
