// Command crash is a version of the example that ends at once.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"

	"github.com/coreroller/coreroller/updater"
)

var version = "0.0.0" // set by the linker

func main() {
	o := updater.Options{Version: version}
	print := flag.Bool("version", false, "")
	flag.StringVar(&o.URL, "url", "", "")
	flag.StringVar(&o.AppID, "app", "io.example.tool", "")
	flag.StringVar(&o.Track, "track", "stable", "")
	flag.StringVar(&o.Dir, "dir", "", "")
	flag.String("interval", "", "")
	flag.String("confirm-after", "", "")
	flag.Parse()
	if *print {
		fmt.Println(version)
		return
	}
	if _, err := updater.New(o); errors.Is(err, updater.ErrRestart) {
		fmt.Fprintln(os.Stderr, updater.Exec(os.Args, os.Environ()))
	}
	panic("broken")
}
