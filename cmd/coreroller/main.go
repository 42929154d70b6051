// Command coreroller is the update server: `coreroller serve` runs it,
// `coreroller demo` shows it with a simulated fleet. This package reads flags
// and environment, wires the rooms together and stops them in order; what a
// machine is answered, what is stored and what a page shows is below it.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
	_ "time/tzdata" // policies name time zones, and a bare container has none
)

// version is set by the linker.
var version = "dev"

// sameSignal is shorter than a person needs to press the keys again on purpose.
const sameSignal = 500 * time.Millisecond

func main() {
	// The first signal asks to stop. A moment later signals do again what they
	// always do, so that another one ends the process at once; in between they
	// are the same request, sent to the process and to its group by make,
	// timeout and the like.
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		cancel()
		<-time.After(sameSignal)
		signal.Reset(os.Interrupt, syscall.SIGTERM)
	}()
	p := process{Environ: os.Environ(), Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}
	os.Exit(run(ctx, p, os.Args[1:]))
}

// run runs one command line and returns the exit code.
func run(ctx context.Context, p process, args []string) int {
	root := rootCommand(p)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil || errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return 0
	}
	_, _ = fmt.Fprintf(p.Stderr, "coreroller: %v\n", err)
	return 1
}
