package acceptance

import (
	"os"
	"testing"
	_ "time/tzdata" // the zones of the tests, whatever the machine has

	"go.uber.org/goleak"
)

// TestMain looks for goroutines that outlive the tests, and is a server
// process instead when a test started it as one.
func TestMain(m *testing.M) {
	if url := os.Getenv(processVariable); url != "" {
		os.Exit(serveProcess(url))
	}
	goleak.VerifyTestMain(m)
}
