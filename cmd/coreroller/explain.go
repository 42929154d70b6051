package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"syscall"

	"github.com/coreroller/coreroller/store/migrations"
)

// What goes wrong before a server runs, in words that say what to do.

// explainListen says why an address cannot be listened on.
func explainListen(flag, address string, err error) error {
	_, port, splitErr := net.SplitHostPort(address)
	if splitErr != nil {
		return fmt.Errorf("--%s is %q: it has the form host:port, or :port for all addresses", flag, address)
	}
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("port %s is taken by another program; choose another with --%s %s (%s), or stop that one",
			port, flag, net.JoinHostPort("", nextPort(port)), variable(flag))
	case errors.Is(err, os.ErrPermission):
		return fmt.Errorf("port %s may not be opened by user %d; choose one from 1024 with --%s :8000 (%s)",
			port, os.Getuid(), flag, variable(flag))
	default:
		return fmt.Errorf("--%s %s: %w", flag, address, err)
	}
}

// nextPort is another port to suggest.
func nextPort(port string) string {
	if n, err := strconv.Atoi(port); err == nil && n > 0 && n < 65535 {
		return strconv.Itoa(n + 1)
	}
	return "8001"
}

// refusal is an answer of PostgreSQL itself.
type refusal interface {
	error
	SQLState() string
}

// explainOpen says why the database cannot be used.
func (c *Config) explainOpen(err error) error {
	if errors.Is(err, migrations.ErrNewer) {
		return fmt.Errorf("%s: %w", c.databaseName(), err)
	}
	if c.DatabaseURL == "" {
		return fmt.Errorf("%s cannot be opened: %w", c.databaseName(), err)
	}
	if _, ok := errors.AsType[refusal](err); ok { // it answered, and said no
		return fmt.Errorf("%s refuses: %w; check user, password and name in --database-url (%sDATABASE_URL)",
			c.databaseName(), err, envPrefix)
	}
	return fmt.Errorf("%s cannot be reached: %w; is it running, and is --database-url (%sDATABASE_URL) right?",
		c.databaseName(), err, envPrefix)
}
