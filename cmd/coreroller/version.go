package main

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"
)

func versionCommand(p process) *cobra.Command {
	return command("version", "print the version", "", func(*cobra.Command) error {
		_, err := fmt.Fprintf(p.Stdout, "coreroller %s (%s, %s/%s)\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
		return err
	})
}
