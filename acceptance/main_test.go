package acceptance

import (
	"os"
	"testing"
	_ "time/tzdata" // the tests need time zones that the host may not have

	"go.uber.org/goleak"
)

// TestMain runs the tests and fails on leaked goroutines. With processVariable
// set it runs a server process instead.
func TestMain(m *testing.M) {
	if url := os.Getenv(processVariable); url != "" {
		os.Exit(serveProcess(url))
	}
	goleak.VerifyTestMain(m)
}
