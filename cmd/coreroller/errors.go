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

// Errors that keep a server from starting, with what to do.

// explainListen explains why an address cannot be listened on.
func explainListen(flag, address string, err error) error {
	_, port, splitErr := net.SplitHostPort(address)
	if splitErr != nil {
		return fmt.Errorf("--%s is %q: use host:port, or :port for all addresses", flag, address)
	}
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("port %s is in use by another program: stop it, or choose another port with --%s %s (%s)",
			port, flag, net.JoinHostPort("", nextPort(port)), variable(flag))
	case errors.Is(err, os.ErrPermission):
		return fmt.Errorf("user %d is not permitted to open port %s: choose a port from 1024 with --%s :8000 (%s)",
			os.Getuid(), port, flag, variable(flag))
	default:
		return fmt.Errorf("--%s %s: %w", flag, address, err)
	}
}

// nextPort returns another port to suggest.
func nextPort(port string) string {
	if n, err := strconv.Atoi(port); err == nil && n > 0 && n < 65535 {
		return strconv.Itoa(n + 1)
	}
	return "8001"
}

// sqlError is an error that PostgreSQL returned.
type sqlError interface {
	error
	SQLState() string
}

// explainOpen explains why the database cannot be used.
func (c *Config) explainOpen(err error) error {
	if errors.Is(err, migrations.ErrNewer) {
		return fmt.Errorf("%s: %w", c.databaseName(), err)
	}
	if c.DatabaseURL == "" {
		return fmt.Errorf("could not open %s: %w", c.databaseName(), err)
	}
	if _, ok := errors.AsType[sqlError](err); ok {
		return fmt.Errorf("%s rejected the connection: %w; check user, password and name in --database-url (%sDATABASE_URL)",
			c.databaseName(), err, envPrefix)
	}
	return fmt.Errorf("could not reach %s: %w; check that it is running and that --database-url (%sDATABASE_URL) is correct",
		c.databaseName(), err, envPrefix)
}
