package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/coreroller/coreroller/simulate/year"
)

// yearCommand runs a server through a year in simulated time, prints what it brought, and
// fails if something was wrong.
func yearCommand(ctx context.Context, args []string) (err error) {
	flags := flag.NewFlagSet("year", flag.ExitOnError)
	o := year.Options{Progress: func(line string) { fmt.Println(line) }}
	database := flags.String("database", "sqlite", "sqlite or postgres")
	flags.IntVar(&o.Machines, "machines", 100_000, "number of machines at the beginning")
	flags.IntVar(&o.Days, "days", 365, "simulated days")
	flags.DurationVar(&o.Interval, "interval", 12*time.Hour, "time between two checks of a machine")
	flags.DurationVar(&o.Step, "step", 20*time.Minute, "simulated time of one step")
	flags.Uint64Var(&o.Seed, "seed", 1, "the same seed gives the same machines and choices")
	_ = flags.Parse(args) // exits on an error
	dir, err := os.MkdirTemp("", "coreroller-year")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	o.Database = filepath.Join(dir, "coreroller.db")
	if *database == "postgres" {
		cluster := os.Getenv("COREROLLER_TEST_POSTGRES")
		if cluster == "" {
			return errors.New("COREROLLER_TEST_POSTGRES is not set: run make year")
		}
		var drop func() error
		if o.Database, drop, err = createDatabase(ctx, cluster); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, drop()) }()
	}
	began := time.Now()
	r, err := year.Run(ctx, o)
	if err != nil {
		return err
	}
	fmt.Printf("%d days of %d machines on %s in %v\n", o.Days, o.Machines, *database, time.Since(began).Round(time.Second))
	r.Print(os.Stdout)
	if len(r.Problems) > 0 || r.Stuck > 0 {
		return errors.New("the year had problems")
	}
	return nil
}
