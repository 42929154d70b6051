package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/pflag"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/server"
)

// Web is the part of the configuration that matters once a server is reachable from
// the internet.
type Web struct {
	TLSCert, TLSKey          string // files; "" serves without TLS
	MachineClientCA          string // file; "" asks machines for no certificates
	ListenMachines           string // host:port of the update URL alone; "" is Listen
	ListenMetrics            string // host:port of the metrics alone; "" is Listen
	MetricsToken             secretFile
	MaxConnectionsPerAddress int    // 0 is a quarter of MaxConnections
	Seconds, Megabytes       int    // of the APIs, per minute and caller; 0 is no limit
	Introspection            string // users, none or anyone
}

func (w *Web) flags(f *pflag.FlagSet) {
	f.StringVar(&w.TLSCert, "tls-cert", "", "file with the certificate and its chain (PEM): the server uses TLS; a changed file is used for new connections, without a restart")
	f.StringVar(&w.TLSKey, "tls-key", "", "file with the key of --tls-cert (PEM)")
	f.StringVar(&w.MachineClientCA, "machine-client-ca", "", "file with the certificates (PEM) of the authorities that sign client certificates of machines: the server asks for one; groups can require it; a changed file is used for new connections, without a restart")
	f.StringVar(&w.ListenMachines, "listen-machines", "", "address of the update URL, if machines use another than people: host:port; --listen then serves no machines")
	f.StringVar(&w.ListenMetrics, "listen-metrics", "", "address of /metrics, without TLS, if it must not be public: host:port; --listen then serves no metrics")
	f.Var(&w.MetricsToken, "metrics-token-file", "file with a token on one line, without which /metrics answers nothing: Authorization: Bearer TOKEN; default: /metrics asks for no token")
	f.IntVar(&w.MaxConnectionsPerAddress, "max-connections-per-address", 0,
		"maximum number of open connections of one address (in IPv6: one /64 network), or of requests in progress behind a trusted proxy; further ones are closed; 0: a quarter of --max-connections")
	f.IntVar(&w.Seconds, "api-seconds", 60, "seconds that the server works for one caller of the APIs per minute; 0: no limit")
	f.IntVar(&w.Megabytes, "api-megabytes", 100, "megabytes of answers for one caller of the APIs per minute; 0: no limit")
	f.StringVar(&w.Introspection, "introspection", "users", "who may read the schema of the GraphQL API: users (those who are signed in), none, or anyone")
}

// budget is what each caller of the APIs may use per minute.
func (w *Web) budget() auth.Budget {
	return auth.Budget{Time: time.Duration(w.Seconds) * time.Second, Bytes: int64(w.Megabytes) << 20}
}

// perAddress is the limit of one address.
func (c *Config) perAddress() int { return c.perAddressOf(c.maxConnections()) }

// perAddressOf is the limit of one address on a listener with a limit of all connections.
func (c *Config) perAddressOf(all int) int {
	if c.Web.MaxConnectionsPerAddress > 0 {
		return c.Web.MaxConnectionsPerAddress
	}
	return max(all/4, 1)
}

func (c *Config) maxConnections() int {
	if c.MaxConnections == 0 {
		return defaultMaxConnections
	}
	return c.MaxConnections
}

// check returns what is wrong with the numbers and choices.
func (c *Config) check() error {
	var errs []error
	if c.MaxConnections < 0 {
		errs = append(errs, errors.New("--max-connections must be above zero"))
	}
	for flag, n := range map[string]int{"max-connections-per-address": c.Web.MaxConnectionsPerAddress, "api-seconds": c.Web.Seconds, "api-megabytes": c.Web.Megabytes} {
		if n < 0 {
			errs = append(errs, fmt.Errorf("--%s must not be negative", flag))
		}
	}
	if c.SessionIdle < 0 {
		errs = append(errs, errors.New("--session-idle must be above zero"))
	}
	_, err := server.ParseIntrospection(c.Web.Introspection)
	return errors.Join(append(errs, err, c.Payloads.check(), c.Disk.check(), c.Notify.check())...)
}

// The environment variables, without their prefix, that set the password of the first
// user of a new database. They are no flags, because other users can see the arguments
// of a command.
const (
	firstPassword     = "ADMIN_PASSWORD"
	firstPasswordFile = "ADMIN_PASSWORD_FILE"
)

// readFirstPassword returns the password of the first user, or "" for the documented one.
func readFirstPassword(environ []string) (string, error) {
	return readSecret(environ, firstPassword, firstPasswordFile)
}
