package fleet

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/application"
	"github.com/coreroller/coreroller/ent/db/mirrorrun"
	"github.com/coreroller/coreroller/ent/db/upstream"
	"github.com/coreroller/coreroller/ent/db/upstreamchannel"
	"github.com/coreroller/coreroller/event"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/input"
	"github.com/coreroller/coreroller/fleet/view"
	"github.com/coreroller/coreroller/remote/mirror"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
)

const (
	// channelLease is how long one process works on an upstream without a sign of life. It
	// is renewed before each channel, which takes two minutes at most, and while a file is
	// fetched.
	channelLease = 10 * time.Minute
	// defaultLeaseEvery is the time between two renewals while a file is fetched.
	defaultLeaseEvery = 3 * time.Minute
	// maxBackoff bounds the time until a channel that failed is tried again.
	maxBackoff = 30 * time.Minute
	// defaultPoliteness is the pause between two channels of the public server.
	defaultPoliteness = 5 * time.Second
	// keptRuns is how many runs of one channel are kept, besides their age.
	keptRuns = 500
)

// mirroring asks upstreams.
type mirroring struct {
	client     *mirror.Client
	politeness time.Duration                  // see Options
	leaseEvery time.Duration                  // see Options
	states     *atomic.Pointer[[]MirrorState] // for the metrics
	log        *slog.Logger
}

func newMirroring(o Options) mirroring {
	return mirroring{
		client:     mirror.NewClient(cmp.Or(o.Agent, "CoreRoller"), input.Or(o.AskLimits, mirror.DefaultLimits())),
		politeness: input.Or(o.Politeness, defaultPoliteness), leaseEvery: input.Or(o.LeaseEvery, defaultLeaseEvery),
		states: &atomic.Pointer[[]MirrorState]{}, log: o.Log,
	}
}

// MirrorState is one channel of a mirror for the metrics.
type MirrorState struct {
	Upstream, Channel string // ids
	Track, Arch       string
	LastSuccess       *time.Time
	Failures          int // in a row
}

// MirrorStates returns the channels of the enabled mirrors as they were when this process
// looked for due ones, a few seconds ago.
func (s *Service) MirrorStates() []MirrorState {
	if all := s.mirror.states.Load(); all != nil {
		return *all
	}
	return nil
}

// WorkUpstreams runs the channels of upstreams that are due. Several processes and
// goroutines can call it: a lease on each upstream admits one. The lease is a row, because a
// lock would need a transaction or a connection for as long as an upstream is slow.
func (s *Service) WorkUpstreams(ctx context.Context) error {
	rows, err := s.store.Reader().UpstreamChannel.Query().
		Where(upstreamchannel.HasUpstreamWith(upstream.Enabled(true), upstream.HasApplicationWith(application.DeletedAtIsNil()))).
		WithUpstream().WithChannel().All(ctx)
	if err != nil {
		return fmt.Errorf("read mirrors: %w", err)
	}
	s.keepMirrorStates(rows)
	due := map[uuid.UUID]*db.Upstream{}
	for _, row := range rows {
		if up := row.Edges.Upstream; up != nil && !row.NextRunAt.After(s.now()) {
			due[up.ID] = up
		}
	}
	var work sync.WaitGroup
	errs := make(chan error, len(due))
	for _, up := range due {
		work.Go(func() { errs <- s.workUpstream(ctx, up) })
	}
	work.Wait()
	close(errs)
	for one := range errs {
		err = errors.Join(err, one)
	}
	return err
}

func (s *Service) keepMirrorStates(rows []*db.UpstreamChannel) {
	all := make([]MirrorState, 0, len(rows))
	for _, row := range rows {
		if up, ch := row.Edges.Upstream, row.Edges.Channel; up != nil && ch != nil {
			all = append(all, MirrorState{Upstream: up.ID.String(), Channel: ch.ID.String(), Track: row.Track, Arch: ch.Arch, LastSuccess: row.LastSuccessAt, Failures: row.Failures})
		}
	}
	slices.SortFunc(all, func(a, b MirrorState) int {
		return cmp.Or(cmp.Compare(a.Upstream, b.Upstream), cmp.Compare(a.Track, b.Track), cmp.Compare(a.Arch, b.Arch))
	})
	s.mirror.states.Store(&all)
}

// workUpstream runs the due channels of one upstream, one after the other.
func (s *Service) workUpstream(ctx context.Context, up *db.Upstream) error {
	lease, err := s.leaseUpstream(ctx, up.ID, nil, channelLease)
	if lease == nil || err != nil {
		return err
	}
	defer func() {
		// Without a success the lease expires by itself.
		_, _ = s.writeLease(context.WithoutCancel(ctx), up.ID, lease, nil)
	}()
	for first := true; ; first = false {
		row, err := s.store.Reader().UpstreamChannel.Query().
			Where(upstreamchannel.UpstreamID(up.ID), upstreamchannel.NextRunAtLTE(s.now()), upstreamchannel.HasUpstreamWith(upstream.Enabled(true))).
			WithUpstream().Order(upstreamchannel.ByNextRunAt(), upstreamchannel.ByID()).First(ctx)
		if db.IsNotFound(err) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read due channels of a mirror: %w", err)
		}
		if !first && isPublic(up.URL) && !pause(ctx, s.mirror.politeness) {
			return nil
		}
		if lease, err = s.leaseUpstream(ctx, up.ID, lease, channelLease); lease == nil || err != nil {
			return err
		}
		r := &mirrorRun{s: s, up: row.Edges.Upstream, row: row, started: s.now(), renew: func() error {
			next, err := s.leaseUpstream(ctx, up.ID, lease, channelLease)
			if err == nil && next == nil {
				err = errors.New("another process works on the mirror")
			}
			if err == nil {
				lease = next
			}
			return err
		}}
		if err := r.run(ctx); err != nil {
			return fmt.Errorf("mirror channel %s: %w", row.Track, err)
		}
	}
}

// pause waits, and reports whether the context is still alive.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// leaseUpstream takes the lease, or renews the one that the caller has. It returns nil if
// another process has it. One that ends too late was written under a wrong clock.
func (s *Service) leaseUpstream(ctx context.Context, id uuid.UUID, mine *time.Time, d time.Duration) (*time.Time, error) {
	until := s.now().Add(d)
	if n, err := s.writeLease(ctx, id, mine, &until); n == 0 || err != nil {
		return nil, err
	}
	return &until, nil
}

// holding runs f, which may take hours, and renews a lease meanwhile.
func (s *Service) holding(renew, f func() error) error {
	end, lost := make(chan struct{}), make(chan error, 1)
	go func() {
		tick := time.NewTicker(s.mirror.leaseEvery)
		defer tick.Stop()
		for {
			select {
			case <-end:
				lost <- nil
				return
			case <-tick.C:
				if err := renew(); err != nil {
					lost <- err
					return
				}
			}
		}
	}()
	err := f()
	close(end)
	if other := <-lost; err == nil {
		err = other
	}
	return err
}

func (s *Service) writeLease(ctx context.Context, id uuid.UUID, mine, until *time.Time) (n int, err error) {
	now := s.now()
	err = s.store.Write(ctx, now, func(tx *store.Tx) error {
		q := tx.Client().Upstream.Update().Where(upstream.ID(id))
		if mine != nil {
			q.Where(upstream.LeasedUntil(*mine))
		} else {
			q.Where(upstream.Or(upstream.LeasedUntilIsNil(), upstream.LeasedUntilLTE(now), upstream.LeasedUntilGT(now.Add(channelLease))))
		}
		if until == nil {
			q.ClearLeasedUntil()
		} else {
			q.SetLeasedUntil(*until)
		}
		n, err = q.Save(ctx)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("lease a mirror: %w", err)
	}
	return n, nil
}

// mirrorRun is one run of one channel.
type mirrorRun struct {
	s       *Service
	up      *db.Upstream
	row     *db.UpstreamChannel
	started time.Time
	renew   func() error

	bytes   int64
	changes []string
	found   string // version of the upstream's channel; "" = not known
	gone    bool   // the upstream offers less than the channel has
	problem string // why a right answer is not followed
	waits   string // a version that was found, and waits for a person
}

func (r *mirrorRun) changed(format string, args ...any) {
	r.changes = append(r.changes, fmt.Sprintf(format, args...))
}

// run asks, imports and stores the result. Its error is one of the database, or the end of
// the context; then there is no result, and the channel stays due.
func (r *mirrorRun) run(ctx context.Context) error {
	app := r.s.Catalog().App(r.up.ApplicationID)
	if app == nil {
		return errors.New("the application is not known to this process")
	}
	by := auth.Principal{
		UserID: r.up.ID, // other than that of each user, so that a person can approve what it proposes
		Name:   "mirror " + r.up.Name, TeamID: app.TeamID, Role: auth.Publisher, Credential: auth.CredentialMirror,
		Grants: []auth.Grant{{Role: auth.Publisher, Team: app.TeamID, Application: app.ID}},
	}
	err := r.follow(auth.With(ctx, by))
	if ctx.Err() != nil {
		return ctx.Err()
	}
	text := ""
	if err != nil {
		if _, own := errors.AsType[*mirror.Error](err); !own && fault.CodeOf(err) == "" {
			r.s.mirror.log.Error("a mirror failed", "mirror", r.up.Name, "track", r.row.Track, "error", err)
			err = errors.New("an internal error, which is in the log of the server")
		}
		text = limited(err.Error())
	}
	return r.finish(ctx, by.Name, text)
}

// limited shortens text for the page and the activities.
func limited(text string) string {
	const most = 1000
	if len(text) <= most {
		return text
	}
	cut := most
	for cut > 0 && text[cut]&0xC0 == 0x80 {
		cut--
	}
	return text[:cut] + "…"
}

// finish stores the run and the state of the channel.
func (r *mirrorRun) finish(ctx context.Context, actor, failure string) error {
	now := r.s.now()
	outcome := view.MirrorUnchanged
	switch {
	case failure != "":
		outcome = view.MirrorFailed
	case len(r.changes) > 0:
		outcome = view.MirrorChanged
	}
	return r.s.store.Write(ctx, now, func(tx *store.Tx) error {
		row, err := tx.Client().UpstreamChannel.Query().Where(upstreamchannel.ID(r.row.ID)).WithChannel().WithUpstream(func(q *db.UpstreamQuery) { q.WithApplication() }).Only(ctx)
		if db.IsNotFound(err) {
			return nil // removed meanwhile
		}
		if err != nil {
			return err
		}
		up, ch := row.Edges.Upstream, row.Edges.Channel
		batch := &store.Batch{}
		note := func(kind rollout.ActivityKind, severity rollout.Severity, version, detail string) {
			batch.Activities = append(batch.Activities, store.Activity{
				Activity: rollout.Activity{Kind: kind, Severity: severity, Version: version, Detail: detail}, Actor: actor,
				ApplicationID: up.ApplicationID, ApplicationName: up.Edges.Application.Name, ChannelID: ch.ID, ChannelName: ch.Name,
			})
		}
		wait := view.UpstreamInterval(up)
		u := row.Update().SetLastRunAt(now)
		if failure != "" {
			wait = min(wait, maxBackoff)
			u.SetLastError(failure).SetFailures(row.Failures + 1)
			if row.FailingSince == nil {
				u.SetFailingSince(now)
				note(rollout.ActivityMirrorFailed, rollout.SeverityError, "", failure)
			}
		} else {
			u.SetLastSuccessAt(now).ClearFailingSince().SetFailures(0).SetLastError("").SetProblem(r.problem).SetWithdrawn(r.gone)
			if r.found != "" && !r.gone {
				u.SetUpstreamVersion(r.found)
			}
			if row.FailingSince != nil {
				note(rollout.ActivityMirrorWorks, rollout.SeveritySuccess, "", "the mirror works again after "+now.Sub(*row.FailingSince).Round(time.Second).String())
			}
			if r.waits != "" && r.waits != row.UpstreamVersion {
				note(rollout.ActivityMirrorFound, rollout.SeverityInfo, r.waits, "the upstream offers "+r.waits+", which waits for a person")
			}
			if r.problem != "" && r.problem != row.Problem {
				note(rollout.ActivityMirrorWithdrawn, rollout.SeverityWarning, r.found, r.problem)
			}
		}
		// 10 % more or less, so that the channels of many servers do not ask together. A run
		// that was ordered meanwhile stays due.
		if row.NextRunAt.Equal(r.row.NextRunAt) {
			u.SetNextRunAt(now.Add(wait + time.Duration((rand.Float64()-.5)*.2*float64(wait)))) //nolint:gosec // no secret
		}
		if err := u.Exec(ctx); err != nil {
			return err
		}
		if err := tx.Client().MirrorRun.Create().SetID(store.NewID(now)).SetApplicationID(up.ApplicationID).SetUpstreamID(up.ID).SetUpstreamChannelID(row.ID).
			SetStartedAt(r.started).SetEndedAt(now).SetOutcome(string(outcome)).SetChanges(r.lines(failure)).SetError(failure).SetBytes(r.bytes).Exec(ctx); err != nil {
			return err
		}
		if err := dropRuns(ctx, tx, row.ID); err != nil {
			return err
		}
		batch.Events = append(batch.Events, event.Event{Kind: event.UpstreamChanged, App: up.ApplicationID})
		return tx.Save(ctx, batch)
	})
}

// lines are the changes of a run, and what it says besides.
func (r *mirrorRun) lines(failure string) []string {
	all := slices.Clone(r.changes)
	if r.problem != "" && failure == "" {
		all = append(all, r.problem)
	}
	if all == nil {
		all = []string{}
	}
	return all
}

// dropRuns deletes the oldest runs of a channel above the number that is kept.
func dropRuns(ctx context.Context, tx *store.Tx, channel uuid.UUID) error {
	last, err := tx.Client().MirrorRun.Query().Where(mirrorrun.UpstreamChannelID(channel)).Order(db.Desc(mirrorrun.FieldID)).Offset(keptRuns).Limit(1).IDs(ctx)
	if err != nil || len(last) == 0 {
		return err
	}
	_, err = tx.Client().MirrorRun.Delete().Where(mirrorrun.UpstreamChannelID(channel), mirrorrun.IDLTE(last[0])).Exec(ctx)
	return err
}
