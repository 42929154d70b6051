package importing

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/importreport"
	entteam "github.com/coreroller/coreroller/ent/db/team"
	"github.com/coreroller/coreroller/fleet/change"
	"github.com/coreroller/coreroller/store"
	"github.com/coreroller/coreroller/store/foreign"
)

// DefaultSince is how much history and activity is taken unless the caller says otherwise.
const DefaultSince = 90 * 24 * time.Hour

// Options say what is imported, and how.
type Options struct {
	Applications []uuid.UUID   // none: all
	Since        time.Duration // age of the oldest history and activity that is taken; 0: DefaultSince
	KeepRunning  bool          // groups do not arrive paused
	Force        bool          // overwrites what people changed here
	Syncers      bool          // also takes machines whose id is a UUID in braces
}

// Server is what an import writes to.
type Server struct {
	Store   *store.Store
	Changes *change.Writer
	Now     func() time.Time
	By      auth.Principal
	// AddUser adds a user who cannot sign in yet. It returns false if there is one of
	// this name.
	AddUser func(ctx context.Context, name string, team uuid.UUID) (added bool, err error)
}

// Importer is one import. It is used by one goroutine.
type Importer struct {
	store   *store.Store
	changes *change.Writer
	now     func() time.Time
	by      auth.Principal
	addUser func(ctx context.Context, name string, team uuid.UUID) (bool, error)

	source  *foreign.Source
	options Options
	since   time.Time

	last     map[string]string // hashes after the last import
	teams    []team            // to create
	users    []foreign.User
	apps     []*application
	plan     *Report
	open     map[uuid.UUID]bool // machines in the middle of an update there
	rollouts map[rolloutKey]*store.ImportedRollout
}

// Prepare reads the configuration there and plans the import. Nothing is written.
func Prepare(ctx context.Context, to Server, from *foreign.Source, o Options) (*Importer, *Report, error) {
	if o.Since == 0 {
		o.Since = DefaultSince
	}
	i := &Importer{store: to.Store, changes: to.Changes, now: to.Now, by: to.By, addUser: to.AddUser, source: from, options: o,
		since: from.Now.Add(-o.Since).Truncate(24 * time.Hour), open: map[uuid.UUID]bool{}, rollouts: map[rolloutKey]*store.ImportedRollout{}}
	i.plan = i.newReport()
	if err := i.readPrints(ctx); err != nil {
		return nil, nil, err
	}
	c, err := from.Configuration(ctx)
	if err != nil {
		return nil, nil, err
	}
	i.apps, i.users = mapAll(c, o, i.plan), c.Users
	if err := i.mapTeams(ctx, c); err != nil {
		return nil, nil, err
	}
	for _, app := range i.apps {
		if err := i.prepare(ctx, app); err != nil {
			return nil, nil, fmt.Errorf("application %s: %w", app.ID, err)
		}
	}
	if err := i.planUsers(ctx); err != nil {
		return nil, nil, err
	}
	i.plan.finish()
	return i, i.plan, nil
}

func (i *Importer) newReport() *Report {
	return &Report{Source: string(i.source.Kind), Place: i.source.Place, Schema: i.source.Schema, StartedAt: i.now()}
}

func (i *Importer) readPrints(ctx context.Context) error {
	i.last = map[string]string{}
	row, err := i.store.Reader().ImportReport.Query().Order(db.Desc(importreport.FieldID)).First(ctx)
	if db.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the last import: %w", err)
	}
	if err := json.Unmarshal([]byte(row.Prints), &i.last); err != nil {
		return fmt.Errorf("read the last import: %w", err)
	}
	return nil
}

// mapTeams uses the teams that have an id or a name of those there.
func (i *Importer) mapTeams(ctx context.Context, c *foreign.Configuration) error {
	needed := map[uuid.UUID]bool{}
	for _, app := range i.apps {
		needed[app.TeamID] = true
	}
	rows, err := i.store.Reader().Team.Query().All(ctx)
	if err != nil {
		return fmt.Errorf("read the teams: %w", err)
	}
	here, names := map[uuid.UUID]bool{}, map[string]uuid.UUID{}
	for _, row := range rows {
		here[row.ID], names[row.Name] = true, row.ID
	}
	becomes := map[uuid.UUID]uuid.UUID{}
	for _, t := range c.Teams {
		stored, _ := name(t.Name, 200, "imported "+t.ID.String()[:8])
		becomes[t.ID] = t.ID
		switch other, taken := names[stored]; {
		case !needed[t.ID]:
		case here[t.ID]:
			i.plan.count(KindTeams).Same++
		case taken:
			becomes[t.ID] = other
			i.plan.count(KindTeams).Same++
			i.plan.note(KindTeams, t.ID.String(), t.Name, "its applications belong to the team of this name here")
		default:
			i.plan.count(KindTeams).New++
			i.teams = append(i.teams, team{ID: t.ID, Name: stored, CreatedAt: t.CreatedAt.UTC()})
			names[stored] = t.ID
		}
	}
	for _, app := range i.apps {
		app.TeamID = becomes[app.TeamID]
	}
	for k := range i.users {
		i.users[k].TeamID = becomes[i.users[k].TeamID]
	}
	return nil
}

// prepare plans one application.
func (i *Importer) prepare(ctx context.Context, app *application) error {
	t, err := planApp(ctx, i.store.Reader(), app, i.last, i.options.Force, i.plan)
	if err != nil || t.skip {
		return err
	}
	if err := i.planMachines(ctx, app, t.here.app != nil); err != nil {
		return err
	}
	older, err := i.source.HistoryBefore(ctx, app.ID, i.since)
	if err != nil {
		return err
	}
	if older > 0 {
		i.plan.note(KindHistory, "", app.Name, "not taken: %d entries from before %s; see --since", older, i.since.Format(time.DateOnly))
	}
	return nil
}

func (i *Importer) planUsers(ctx context.Context) error {
	users, err := i.store.Reader().User.Query().All(ctx)
	if err != nil {
		return fmt.Errorf("read the users: %w", err)
	}
	known := map[string]bool{}
	for _, u := range users {
		known[u.Username] = true
	}
	for _, u := range i.users {
		if known[u.Name] {
			i.plan.count(KindUsers).Same++
			continue
		}
		i.plan.count(KindUsers).New++
		i.plan.note(KindUsers, "", u.Name, "arrives as a viewer without its password: set one with coreroller user password")
	}
	if n, err := i.source.Rows(ctx, "instance_stats"); err != nil {
		return err
	} else if n > 0 {
		i.plan.note(KindMachines, "", "instance_stats", "not taken: %d rows with numbers of machines by channel, because they are counted by group here", n)
	}
	return nil
}

// Run imports what was planned. What it has written when it fails stays; the next run
// goes on. progress is called with what it does.
func (i *Importer) Run(ctx context.Context, progress func(text string)) (*Report, error) {
	r := i.newReport()
	r.ID, r.Notes = store.NewID(i.now()), i.plan.Notes
	for _, kind := range []string{KindTeams, KindApplications, KindPackages, KindChannels, KindGroups} {
		if n := i.plan.counts[kind]; n != nil {
			*r.count(kind) = *n
		}
	}
	if err := i.begin(ctx, r); err != nil {
		return nil, err
	}
	if err := i.writeUsers(ctx, r); err != nil {
		return nil, err
	}
	for _, app := range i.apps {
		progress("application " + app.Name)
		if err := i.runApp(ctx, app, r, progress); err != nil {
			return nil, fmt.Errorf("application %s: %w", app.ID, err)
		}
	}
	return r, i.end(ctx, r)
}

func (i *Importer) runApp(ctx context.Context, app *application, r *Report, progress func(string)) error {
	if err := i.writeApp(ctx, app, r); err != nil {
		return err
	}
	here, err := read(ctx, i.store.Reader(), app.ID)
	if err != nil || here.app == nil {
		return err
	}
	for _, step := range []struct {
		name string
		run  func(context.Context, *application, *existing, *Report) error
	}{{"machines", i.writeMachines}, {"history", i.writeHistory}, {"activity", i.writeActivity}} {
		progress(step.name + " of " + app.Name)
		if err := step.run(ctx, app, here, r); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
	}
	return nil
}

// begin creates the report and the teams.
func (i *Importer) begin(ctx context.Context, r *Report) error {
	prints, err := json.Marshal(i.last)
	if err != nil {
		return err
	}
	v := change.Verb{Name: "import", By: i.by, Object: "import", ID: r.ID, Unique: "team"}
	return i.changes.Do(ctx, v, func(c *change.Change) error {
		for _, t := range i.teams {
			if exists, err := c.Tx.Client().Team.Query().Where(entteam.ID(t.ID)).Exist(ctx); err != nil || exists {
				return err
			}
			if err := c.Tx.Client().Team.Create().SetID(t.ID).SetName(t.Name).SetCreatedAt(t.CreatedAt).Exec(ctx); err != nil {
				return err
			}
		}
		c.After = map[string]string{"source": r.Source, "place": r.Place}
		return c.Tx.Client().ImportReport.Create().SetID(r.ID).SetSource(r.Source).SetPlace(r.Place).SetBy(i.by.Name).SetStartedAt(r.StartedAt).
			SetPrints(string(prints)).Exec(ctx)
	})
}

// end stores the result.
func (i *Importer) end(ctx context.Context, r *Report) error {
	r.EndedAt = i.now()
	r.finish()
	counts, err := json.Marshal(r.Counts)
	if err != nil {
		return err
	}
	notes, err := json.Marshal(r.Notes)
	if err != nil {
		return err
	}
	return i.store.Write(ctx, r.EndedAt, func(tx *store.Tx) error {
		return tx.Client().ImportReport.UpdateOneID(r.ID).SetCounts(string(counts)).SetNotes(string(notes)).SetEndedAt(r.EndedAt).Exec(ctx)
	})
}

func (i *Importer) writeUsers(ctx context.Context, r *Report) error {
	for _, u := range i.users {
		added, err := i.addUser(ctx, u.Name, u.TeamID)
		switch {
		case err != nil && ctx.Err() != nil:
			return err
		case err != nil:
			r.drop(KindUsers, "", u.Name, "%s", err)
		case added:
			r.count(KindUsers).New++
		default:
			r.count(KindUsers).Same++
		}
	}
	return nil
}
