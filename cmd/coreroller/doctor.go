package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/coreroller/coreroller/client"
	"github.com/coreroller/coreroller/fleet/clock"
	"github.com/coreroller/coreroller/fleet/disk"
	"github.com/coreroller/coreroller/remote/payload/storage"
	"github.com/coreroller/coreroller/store"
	"github.com/coreroller/coreroller/store/migrations"
)

// lookAtDatabase is what to do about an error without a better remedy.
const lookAtDatabase = "look at the log of the database; coreroller restore replaces a damaged one by a backup"

// databaseWithin bounds what doctor waits for a database that does not answer.
const databaseWithin = 10 * time.Second

// localDoctorCommand returns the part of doctor that needs no running server.
func localDoctorCommand(p process) *cobra.Command {
	d := &doctor{}
	var output string
	cmd := command("local", "check the database and the disks on the server's machine, without the server", `
Checks the data directory, the free space, the database, its schema, the clock, the counters, the first
password, machines that are refused, policies that do not reach all machines, mirrors, and what else
needs attention. Each finding names what repairs it. It works while the server runs, and when it does not
start. Nothing is changed.

Give it the flags or environment variables of serve that name the database and the directories. Run it
as the user of the server, so that it sees the same rights.

The exit code is 1 when a check failed; warnings do not change it.`,
		func(cmd *cobra.Command) error {
			if err := d.config.readSecretFiles(); err != nil {
				return err
			}
			d.examine(cmd.Context())
			return p.terminal().Report(output, d.all)
		})
	cmd.Example = "  coreroller doctor local --data-dir /var/lib/coreroller\n  coreroller doctor local --recount -o json"
	f := cmd.Flags()
	d.config.databaseFlags(f)
	f.StringVar(&d.config.Payloads.Dir, "payload-dir", "", "directory of the stored files of packages; default: payloads in --data-dir")
	d.config.Disk.flags(f)
	f.BoolVar(&d.recount, "recount", false, fmt.Sprintf("recount all counters; without it, only those of up to %d machines", recountedMachines))
	f.StringVarP(&output, "output", "o", "table", "table, json or yaml")
	return cmd
}

// doctor checks an installation without its server.
type doctor struct {
	config  Config
	recount bool
	check   string // that runs now
	all     []client.Finding
}

func (d *doctor) find(level client.Level, fix, format string, args ...any) {
	d.all = append(d.all, client.Finding{Check: d.check, Level: level, Text: fmt.Sprintf(format, args...), Fix: fix})
}

// fine is the finding of a check that found nothing else since it began.
func (d *doctor) fine(format string, args ...any) {
	for _, f := range d.all {
		if f.Check == d.check {
			return
		}
	}
	d.find(client.Fine, "", format, args...)
}

// examine runs all checks. Those of the contents need a database with this program's schema.
func (d *doctor) examine(ctx context.Context) {
	d.check = "Folders"
	for _, f := range d.config.folders() {
		d.checkFolder(f.Dir)
	}
	d.fine("this user can write to them, others cannot read them")
	d.check = "Disk"
	d.checkDisks()
	d.check = "Database"
	database, ok := d.locate()
	if !ok || !d.checkSchema(ctx, database) {
		return
	}
	d.checkContents(ctx, database)
}

// checkFolder looks whether this user, and only this one, can use a folder.
func (d *doctor) checkFolder(dir string) {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		d.find(client.Note, "", "%s does not exist: the first start creates it", dir)
		return
	case err != nil:
		d.find(client.Failed, "run it as the user of the server, or change the owner of the directory", "%v", err)
		return
	case !info.IsDir():
		d.find(client.Failed, "name a directory by --data-dir or --payload-dir", "%s is no directory", dir)
		return
	}
	f, err := os.CreateTemp(dir, ".writable-*")
	if err == nil {
		err = errors.Join(f.Close(), os.Remove(f.Name()))
	}
	if err != nil {
		d.find(client.Failed, "change the owner of the directory to the user of the server, or make room", "user %d cannot write to %s: %v", os.Getuid(), dir, err)
	}
	path := filepath.Join(dir, databaseFile)
	for _, name := range []string{dir, path, path + "-wal", path + "-shm"} {
		one, err := os.Stat(name)
		if err != nil {
			continue // not this folder, or checked with the database
		}
		if !store.Private(one) {
			d.find(client.Warning, "run chmod go= "+name+"; serve does so when it starts", "other users can read %s (mode %o)", name, one.Mode().Perm())
		}
		if !sameOwner(info, one) {
			d.find(client.Warning, "run chown --reference="+dir+" "+name, "%s belongs to another user than its directory: the server may not be able to write it", name)
		}
	}
}

func (d *doctor) checkDisks() {
	w := disk.New(disk.Options{Folders: d.config.folders(), Bounds: d.config.Disk.bounds(), Space: spaceOf})
	for _, s := range w.States() {
		level, fix := client.Fine, ""
		switch {
		case !s.Known:
			d.find(client.Note, "", "the free space of %s is not known", s.Dir)
			continue
		case s.Tight():
			level = client.Failed
		case s.Low():
			level = client.Warning
		}
		if level != client.Fine {
			fix = "make room or give it a larger disk; the bounds are --disk-warn and --disk-reserve of serve"
		}
		d.find(level, fix, "%s", s.Sentence())
	}
}

// spaceOf returns the space of the disk on which a folder is, or will be.
func spaceOf(dir string) (free, total int64, known bool) {
	for {
		if _, err := os.Stat(dir); err == nil || filepath.Dir(dir) == dir {
			return storage.Space(dir)
		}
		dir = filepath.Dir(dir)
	}
}

// locate returns the URL of the database for package store; false if there is none.
func (d *doctor) locate() (string, bool) {
	if d.config.DatabaseURL != "" {
		database, err := d.config.database()
		if err != nil {
			d.find(client.Failed, "correct --database-url", "%v", err)
		}
		return database, err == nil
	}
	path := filepath.Join(d.config.DataDir, databaseFile)
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		d.find(client.Failed, "name the directory of the server by --data-dir, or its PostgreSQL by --database-url; a first start creates the file", "there is no database file %s", path)
	case err != nil:
		d.find(client.Failed, "run it as the user of the server", "%v", err)
	case info.IsDir():
		d.find(client.Failed, "move it away, and restore the file", "%s is a directory", path)
	default:
		return path, true
	}
	return "", false
}

// checkSchema reaches the database. It returns false if this program cannot use it.
func (d *doctor) checkSchema(ctx context.Context, database string) bool {
	ctx, cancel := context.WithTimeout(ctx, databaseWithin)
	defer cancel()
	began := time.Now()
	all, err := migrations.List(ctx, database)
	if errors.Is(err, migrations.ErrNewer) {
		d.check = "Schema"
		d.find(client.Failed, "use the program of the server's version, or restore the backup made before the upgrade", "%v", err)
		return false
	}
	if err != nil {
		d.find(client.Failed, lookAtDatabase, "%v", d.config.explainOpen(err))
		return false
	}
	d.find(client.Fine, "", "%s answers; its schema was read in %s", d.config.databaseName(), time.Since(began).Round(time.Millisecond))
	d.check = "Schema"
	pending := 0
	for _, m := range all {
		if !m.Applied {
			pending++
		}
	}
	if pending > 0 {
		d.find(client.Warning, "make a backup (coreroller backup with the earlier program), then start serve or run coreroller migrate up",
			"%d of %d migrations are pending: the database is of an earlier version; its contents are not checked", pending, len(all))
		return false
	}
	d.fine("all %d migrations are applied", len(all))
	return true
}

// checkContents opens the database and looks into it.
func (d *doctor) checkContents(ctx context.Context, database string) {
	d.check = "Database"
	s, err := store.Open(ctx, store.Options{URL: database, Log: discard(), Unchanged: true})
	if err != nil {
		d.find(client.Failed, lookAtDatabase, "%v", d.config.explainOpen(err))
		return
	}
	defer func() { _ = s.Close() }()
	d.check = "Clock"
	d.checkClock(ctx, s)
	d.checkFleet(ctx, s)
}

// checkClock compares the clock of this machine with that of PostgreSQL, or with the last
// record of a server.
func (d *doctor) checkClock(ctx context.Context, s *store.Store) {
	const fix = "set the clock by a time server; timedatectl shows its state"
	if read := s.Clock(); read != nil {
		before := time.Now()
		theirs, err := read(ctx)
		after := time.Now()
		switch offset := max(theirs.Sub(after), before.Sub(theirs)); {
		case err != nil:
			d.find(client.Failed, lookAtDatabase, "%v", err)
		case offset > clock.Limit:
			d.find(client.Failed, fix, "the clocks of this machine and of PostgreSQL differ by %s", offset.Round(time.Second))
		default:
			d.find(client.Fine, "", "agrees with that of PostgreSQL")
		}
	}
	last, err := s.LastBeat(ctx)
	switch ahead := time.Until(last); {
	case err != nil:
		d.find(client.Failed, lookAtDatabase, "%v", err)
	case last.IsZero():
		d.find(client.Note, "", "no server has used the database yet")
	case ahead > clock.Limit:
		d.find(client.Failed, fix, "the last record of a server is %s in the future: the clock of this machine, or of the server then, is wrong", ahead.Round(time.Second))
	case -ahead < clock.Limit+store.BeatEvery:
		d.find(client.Fine, "", "a server uses the database now, and its time agrees")
	default:
		d.find(client.Note, "", "no server uses the database; the last one did until %s", last.UTC().Format(time.RFC3339))
	}
}
