// Package checkin answers machines. A check-in that changes nothing is answered
// from the idle cache; every other one goes through the lane, which decides a
// batch of check-ins in one transaction under the ledger locks of their groups.
package checkin

import (
	"context"
	"errors"
	"hash/maphash"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/disk"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/membership"
	"github.com/coreroller/coreroller/fleet/pace"
	"github.com/coreroller/coreroller/fleet/quota"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/rollout/version"
	"github.com/coreroller/coreroller/store"
	"github.com/coreroller/coreroller/store/lane"
)

const (
	// MaxMachineID is the longest machine id in bytes; real ones have 32 to 38.
	MaxMachineID = 50
	// laneBatch check-ins amortise one commit without adding noticeable latency.
	laneBatch = 400
	// laneWaiting is the queue length at which machines are asked to come back
	// later: ten batches, well under a second of work.
	laneWaiting = 4000
)

// Options are what a Service needs. Now must return UTC microseconds, the
// precision of the databases.
type Options struct {
	Store   *store.Store
	Catalog *catalog.Cache
	Now     func() time.Time
	Log     *slog.Logger
	Quotas  quota.Quotas
	Disk    *disk.Watch // nil: no machine is refused because of it
}

// Service answers check-ins. It is safe for concurrent use.
type Service struct {
	store   *store.Store
	catalog *catalog.Cache
	now     func() time.Time
	log     *slog.Logger
	quotas  quota.Quotas
	disk    *disk.Watch

	refusals     *quota.Refusals
	failedChecks burst
	newcomers    quota.Newcomers
	values       valueSets
	histories    histories

	lane    *lane.Lane[*call]
	idle    *idleCache
	rate    rate // of answered check-ins
	counts  *counts
	meters  *pace.Meters
	mirrors mirrorLog
	refused refusedLog
	secrets secretUses
	batches atomic.Uint64 // numbers batches, so that the newest view of a group wins
}

// New makes a Service. Close it before the store.
func New(o Options) *Service {
	s := &Service{
		store: o.Store, catalog: o.Catalog, now: o.Now, log: o.Log, quotas: o.Quotas, disk: o.Disk, refusals: quota.NewRefusals(), histories: histories{seed: maphash.MakeSeed()},
		idle: newIdleCache(), counts: newCounts(), meters: pace.NewMeters(o.Now()),
	}
	s.lane = store.NewLane(s.store, lane.Options{Batch: laneBatch, Waiting: laneWaiting}, s.now, s.process)
	return s
}

// Run fills the idle cache, removes entries that other processes changed and writes
// last-seen times until the context ends. It calls report after each write of
// last-seen times.
func (s *Service) Run(ctx context.Context, report func(error)) {
	var g sync.WaitGroup
	g.Go(func() { s.watch(ctx) })
	g.Go(func() { s.writeLastSeen(ctx, report) })
	g.Go(func() { s.fill(ctx) })
	g.Wait()
}

// Close commits the waiting check-ins and accepts no more.
func (s *Service) Close() { s.lane.Close() }

// Meters measure the groups of this process.
func (s *Service) Meters() *pace.Meters { return s.meters }

// Refusals counts what this process refused.
func (s *Service) Refusals() *quota.Refusals { return s.refusals }

// RefuseCrossSite counts a request that a browser sent for another site.
func (s *Service) RefuseCrossSite() { s.refusals.Add(quota.CrossSite, uuid.Nil, 1) }

// Status is the load of the service in this process.
type Status struct {
	ChecksPerSecond float64 // answered check-ins, mean of the last half minute
	Waiting         int     // check-ins waiting for a transaction
	WaitingLimit    int     // at this many, machines are asked to come back later
	KnownMachines   int     // in the idle cache
}

// Status reads the load; it asks no database.
func (s *Service) Status() Status {
	return Status{
		ChecksPerSecond: s.rate.perSecond(s.now()),
		Waiting:         s.lane.Waiting(),
		WaitingLimit:    laneWaiting,
		KnownMachines:   s.idle.size(),
	}
}

// RequestAttributes returns the names of the attributes of <app> that the application
// keeps which a machine names.
func (s *Service) RequestAttributes(appID string) []string {
	return s.catalog.Catalog().RequestAttributes(appID)
}

// Forget drops the changed groups and machines of a committed change from the
// idle cache, so that their next check sees the change.
func (s *Service) Forget(b *store.Batch) {
	for _, st := range b.Groups {
		s.idle.views.Delete(st.GroupID)
	}
	for _, m := range b.Machines {
		s.idle.forget(m.InstanceID)
	}
}

// CheckIn answers one machine about one application. When it returns an Answer,
// everything the machine reported and was granted is on disk; only its last-seen
// time may follow later (see touchRows). It fails with Unavailable when the
// lane is full or closed, or when the disk has no room for a new machine.
func (s *Service) CheckIn(ctx context.Context, in CheckIn) (Answer, error) {
	in.tidy()
	answer, err := s.checkIn(ctx, in)
	if answer.Verdict != catalog.VerdictOK {
		s.counts.note(uuid.Nil, resultRefused, rollout.ReasonNone)
		s.refuse(answer.Verdict, in)
	}
	return answer, err
}

func (s *Service) checkIn(ctx context.Context, in CheckIn) (Answer, error) {
	group, verdict := s.catalog.Catalog().Find(in.AppID, in.Track, catalog.Arch(in.Board, in.Arch))
	if verdict != catalog.VerdictOK {
		return Answer{Verdict: verdict}, nil
	}
	now := s.now()
	if verdict = group.Certify(in.Certificate, in.Machine, now); verdict != catalog.VerdictOK {
		return Answer{Verdict: verdict}, nil
	}
	secret, verdict := group.Identify(in.Secret, now)
	if verdict != catalog.VerdictOK {
		return Answer{Verdict: verdict}, nil
	}
	if secret != nil {
		s.secrets.note(secret.ID, now)
	}
	version, ok := runningVersion(group.App.Versioning, in.Version)
	if !ok {
		return Answer{Verdict: catalog.VerdictInvalidVersion}, nil
	}
	if !ValidMachineID(in.Machine) {
		return Answer{Verdict: catalog.VerdictInvalidMachine}, nil
	}
	if in.declaresMirror() && s.admitsMirror(&in, group) {
		answer, err := s.mirror(ctx, group, in, version)
		s.counts.note(uuid.Nil, mirrorResult(err), rollout.ReasonNone)
		return answer, err
	}
	asked := call{in: in, version: version, group: group, instance: store.InstanceID(group.App.ID, in.Machine), secret: secret}
	if answer, ok := s.idle.answer(&asked, now); ok {
		s.rate.note(now)
		s.counts.note(asked.instance, resultCached, answer.Decision.Reason)
		return answer, nil
	}
	answer, err := s.commit(ctx, &asked, now)
	s.counts.wait.note(s.now().Sub(now).Seconds())
	if err != nil {
		s.counts.note(asked.instance, resultFailed, rollout.ReasonNone)
		return Answer{}, err
	}
	s.counts.note(asked.instance, resultCommitted, answer.Decision.Reason)
	s.counts.noteEvents(in.Events)
	s.rate.note(now)
	return answer, nil
}

// commit answers a check-in after its transaction.
func (s *Service) commit(ctx context.Context, asked *call, now time.Time) (Answer, error) {
	queued := new(call) // it outlives this function when the context ends first
	*queued = *asked
	switch err := s.lane.Do(ctx, queued); {
	case errors.Is(err, lane.ErrFull):
		return Answer{}, fault.Errorf(fault.Unavailable, "", "too many machines are waiting: try again later")
	case errors.Is(err, lane.ErrClosed):
		return Answer{}, fault.Errorf(fault.Unavailable, "", "the server is stopping: try again later")
	case err != nil:
		return Answer{}, err
	}
	if queued.noRoom {
		return Answer{}, s.disk.Refuse()
	}
	if queued.answer.Refused {
		s.refusals.Add(quota.NewMachine, queued.group.ID, 1)
	}
	if queued.view != nil {
		if queued.view.committed() {
			s.committed(queued.view)
		}
		if asked.in.UpdateCheck {
			queued.view.meter.Checks.Add(1)
		}
		s.noteFailedChecks(asked.in.Events, now)
	}
	s.idle.remember(queued)
	return queued.answer, nil
}

// committed notes what the batch of a view wrote, once.
func (s *Service) committed(v *view) {
	if v.history != nil {
		s.histories.committed(v.history, v.group.ID, s.refusals)
	}
}

// call is one check-in in the lane.
type call struct {
	in       CheckIn
	version  rollout.Version
	group    *catalog.Group  // named by the machine
	secret   *catalog.Secret // that was right for group; nil: none
	instance uuid.UUID
	also     []uuid.UUID // further groups to lock, known after the first try
	admitted bool        // as a new machine, in an earlier try
	outdated bool        // expressions are evaluated, see outdates
	noRoom   bool        // it is new, and the disk has no room for it
	choice   membership.Choice

	answer Answer
	after  *store.Machine // as written; nil: nothing was written
	view   *view          // of its group after the batch
}

// runningVersion parses the version of a request. An empty text, zeroes and
// update_engine's "ForcedUpdate" mean "no version", which is below every package.
func runningVersion(versioning version.Versioning, text string) (v rollout.Version, ok bool) {
	switch text {
	case "", "0.0.0", "0.0.0.0", "ForcedUpdate":
		return rollout.Version{}, true
	}
	if len(text) > 100 {
		return rollout.Version{}, false
	}
	return versioning.Parse(text)
}

// ValidMachineID reports whether a machine may have this id: printable text of at most
// MaxMachineID bytes.
func ValidMachineID(id string) bool {
	if id == "" || len(id) > MaxMachineID || !utf8.ValidString(id) {
		return false
	}
	for _, r := range id {
		if !unicode.IsGraphic(r) {
			return false
		}
	}
	return true
}
