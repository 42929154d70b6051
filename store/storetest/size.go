package storetest

import "os"

// soakVariable selects the full size of long tests; `make soak` sets it.
const soakVariable = "COREROLLER_TEST_SOAK"

// Size returns how much of something a test uses: full if COREROLLER_TEST_SOAK
// is set, otherwise short.
func Size(short, full int) int {
	if os.Getenv(soakVariable) != "" {
		return full
	}
	return short
}
