// Package fleet is the service layer: it has one method, called a verb, for
// everything an operator can do. Every verb checks the permission, validates its
// input and runs as one change (package change), which records activity and audit.
// The packages below it do the rest: catalog (configuration in memory), checkin
// (machines), view (reads), account (people), upkeep (background work), seed (first
// contents).
//
// It knows no protocol (Omaha, REST and GraphQL translate to it), contains no SQL
// text and does not decide about a rollout itself.
package fleet

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/coreroller/coreroller/fleet/account"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/change"
	"github.com/coreroller/coreroller/fleet/checkin"
	"github.com/coreroller/coreroller/fleet/clock"
	"github.com/coreroller/coreroller/fleet/disk"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/hosting"
	"github.com/coreroller/coreroller/fleet/input"
	"github.com/coreroller/coreroller/fleet/notice"
	"github.com/coreroller/coreroller/fleet/quota"
	"github.com/coreroller/coreroller/fleet/reach"
	"github.com/coreroller/coreroller/fleet/reassign"
	"github.com/coreroller/coreroller/fleet/reboot"
	"github.com/coreroller/coreroller/fleet/seed"
	"github.com/coreroller/coreroller/fleet/upkeep"
	"github.com/coreroller/coreroller/fleet/view"
	"github.com/coreroller/coreroller/remote/mirror"
	"github.com/coreroller/coreroller/remote/notify"
	"github.com/coreroller/coreroller/remote/payload"
	"github.com/coreroller/coreroller/store"
)

// Options are what a Service needs. It reads no clock but Clock, or Now if that is
// nil.
type Options struct {
	Store *store.Store
	Now   func() time.Time
	Clock *clock.Clock
	Log   *slog.Logger
	Demo  DemoFleet // nil: the demo cannot be started

	Quotas  quota.Quotas    // on what clients without credentials can store
	Inspect payload.Sources // from where the server fetches payloads; see InspectPayload
	Hosting Hosting         // of payloads
	Disk    *disk.Watch     // nil: the free space is not watched

	Agent      string         // the User-Agent of mirrors; "" = CoreRoller
	AskLimits  *mirror.Limits // of the questions of mirrors; nil = mirror.DefaultLimits
	Politeness *time.Duration // between two channels of the public Flatcar server; nil = 5 s
	LeaseEvery *time.Duration // between two renewals of a mirror's lease during a download; nil = 3 min

	// MachineCertificates says that the server asks machines for client certificates.
	MachineCertificates bool

	Sender    *notify.Sender // sends messages of notifiers; nil: only to public addresses, and no mail
	PublicURL string         // of the dashboard, for links in messages

	SessionIdle time.Duration // an unused session ends after it; 0: account.DefaultSessionIdle
}

// Service has the operators' verbs and the services of the packages below. It is
// safe for concurrent use.
type Service struct {
	Machines *checkin.Service
	Reboots  *reboot.Service
	Accounts *account.Service
	View     *view.Service
	Upkeep   *upkeep.Worker
	Notices  *notice.Worker
	Disk     *disk.Watch // nil: the free space is not watched

	store   *store.Store
	catalog *catalog.Cache
	changes *change.Writer
	now     func() time.Time // UTC microseconds, the precision of the databases
	demo    DemoFleet
	demoing sync.Mutex // held while the demo is started or stopped

	certificates bool // the server asks machines for client certificates

	// Hosting knows the stored files of packages.
	Hosting  *hosting.Service
	hostedAt func(context.Context) string

	fetch    fetching
	mirror   mirroring
	messages messages
}

// New makes a Service and loads the catalog. The caller closes the store after
// the Service is no longer used.
func New(ctx context.Context, o Options) (*Service, error) {
	if o.Clock != nil {
		o.Now = o.Clock.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	now := func() time.Time { return o.Now().UTC().Truncate(time.Microsecond) }
	configuration, err := catalog.NewCache(ctx, o.Store, o.Log)
	if err != nil {
		return nil, fmt.Errorf("load the catalog: %w", err)
	}
	reach.Restrict(o.Store.Reader(), configuration.Catalog)
	machines := checkin.New(checkin.Options{Store: o.Store, Catalog: configuration, Now: now, Log: o.Log, Quotas: o.Quotas, Disk: o.Disk})
	changes := change.NewWriter(o.Store, configuration, now, machines.Forget)
	s := &Service{
		Machines: machines,
		Reboots:  reboot.New(reboot.Options{Store: o.Store, Catalog: configuration, Now: now, Quotas: o.Quotas, Refusals: machines.Refusals(), Disk: o.Disk}),
		Accounts: account.New(account.Options{Store: o.Store, Changes: changes, Now: now, Log: o.Log, Idle: o.SessionIdle}),
		Disk:     o.Disk,
		store:    o.Store, catalog: configuration, changes: changes, now: now, demo: o.Demo, certificates: o.MachineCertificates,
		fetch: newFetching(o), mirror: newMirroring(o), messages: newMessages(o),
	}
	s.openHosting(o)
	s.Upkeep = upkeep.New(upkeep.Options{
		Store: o.Store, Catalog: configuration, Machines: machines, WorkJobs: s.WorkJobs, WorkUpstreams: s.WorkUpstreams, Tasks: s.tasks(),
		Now: now, Clock: o.Clock, Log: o.Log,
	})
	s.View = view.New(o.Store, configuration, now, s.Upkeep.Clock, s.Hosting.Warning, s.Disk.States)
	s.Notices = notice.New(notice.Options{Store: o.Store, View: s.View, Sender: s.messages.sender, PublicURL: o.PublicURL, Now: now, Log: o.Log})
	return s, nil
}

// tasks are the background jobs of the services.
func (s *Service) tasks() []upkeep.Task {
	const soon, later = upkeep.WorkEvery, upkeep.RetainEvery
	walker := &reassign.Walker{Store: s.store, Catalog: s.catalog, Changes: s.changes, Now: s.now}
	signIns := func(all bool) func(context.Context) error {
		return func(ctx context.Context) error { return s.Accounts.FlushSignIns(ctx, all) }
	}
	return []upkeep.Task{
		{Name: "look at the free space of the disks", Every: soon, Do: upkeep.Timeless(s.Disk.Look)},
		{Name: "write failed sign-ins", Every: soon, Do: upkeep.Timeless(signIns(false)), Last: signIns(true)},
		{Name: "write the uses of sessions and tokens", Every: soon, Do: upkeep.Timeless(s.Accounts.FlushUses)},
		{Name: "write the numbers of downloads", Every: soon, Do: upkeep.Timeless(s.Hosting.FlushDownloads), Last: s.Hosting.FlushDownloads},
		// Each process has uploads of its own, unless they share a directory.
		{Name: "delete old uploads", Every: later, Do: upkeep.Timeless(s.Hosting.ExpireUploads), Who: upkeep.EachSteadyProcess},
		{Name: "end expired proposals", Every: soon, Do: s.expireProposals, Who: upkeep.OneProcess},
		{Name: "move machines by changed expressions", Every: soon, Do: walker.Work, Who: upkeep.OneProcess},
		{Name: "report and release overdue reboot slots", Every: soon, Do: s.Reboots.Work, Who: upkeep.OneProcess},
	}
}

// Preinstall fills a new database; see seed.Preinstall.
func (s *Service) Preinstall(ctx context.Context) error { return seed.Preinstall(ctx, s.changes) }

// Run does the background work until the context ends.
func (s *Service) Run(ctx context.Context) {
	var g sync.WaitGroup
	g.Go(func() { s.Notices.Run(ctx) })
	s.Upkeep.Run(ctx)
	g.Wait()
}

// Close ends the fetches of files, commits the waiting check-ins and accepts no more.
func (s *Service) Close() {
	s.fetch.close()
	s.Machines.Close()
}

// Catalog returns the current configuration; it never changes once returned.
func (s *Service) Catalog() *catalog.Catalog { return s.catalog.Catalog() }

// seen returns the part of the configuration that the caller may read.
func (s *Service) seen(ctx context.Context) *catalog.Catalog {
	return reach.Catalog(ctx, s.catalog.Catalog())
}

// begin checks the role that a verb needs, then its input.
func begin(ctx context.Context, v *change.Verb) (err error) {
	if v.By, err = fault.RequireVerb(ctx, v.Name); err != nil {
		return err
	}
	return cmp.Or(v.Invalid, input.CheckReason(v.Reason))
}

// configure runs a verb that changes the configuration.
func (s *Service) configure(ctx context.Context, v change.Verb, f func(c *change.Change) error) error {
	if err := begin(ctx, &v); err != nil {
		return err
	}
	return s.changes.Configure(ctx, v, f)
}
