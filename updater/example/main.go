// Command example is a program that updates itself. Build it with
//
//	go build -ldflags "-X main.version=1.0.0" ./updater/example
//
// and run it below a supervisor that starts it again when it ends, such as systemd with
// Restart=always.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/coreroller/coreroller/updater"
)

// version is set by the linker.
var version = "0.0.0"

func main() {
	err := run()
	if errors.Is(err, updater.ErrRestart) {
		err = updater.Exec(os.Args, os.Environ()) // returns only if it failed
	}
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "example:", err)
		os.Exit(1)
	}
}

func run() error {
	var o updater.Options
	print := flag.Bool("version", false, "print the version")
	flag.StringVar(&o.URL, "url", "http://localhost:8000/v1/update/", "update URL")
	flag.StringVar(&o.AppID, "app", "io.example.tool", "application")
	flag.StringVar(&o.Track, "track", "stable", "track of the group")
	flag.StringVar(&o.Dir, "dir", "state", "directory for the state and downloads")
	flag.DurationVar(&o.Interval, "interval", 0, "time between two checks")
	flag.DurationVar(&o.ConfirmAfter, "confirm-after", 10*time.Second, "how long a new version must run until it stays")
	flag.Parse()
	if *print {
		fmt.Println(version)
		return nil
	}
	o.Version = version
	o.Probe = []string{"-version"}
	o.OnProgress = func(p updater.Progress) {
		fmt.Println(p.Step, p.Version, p.Reason, p.Done, p.Size, p.Err)
	}
	u, err := updater.New(o)
	if err != nil {
		return err
	}
	defer func() { _ = u.Close() }()

	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	updated := make(chan error, 1)
	go func() { updated <- u.Run(ctx) }()
	fmt.Println("example", version, "works") // here is what the program does

	if err := <-updated; ctx.Err() == nil {
		return err
	}
	return nil
}
