package main

import (
	"fmt"
	"maps"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// This file is the only reader of flags and environment. Everybody else gets a
// plain struct. Every flag --some-name can be given as COREROLLER_SOME_NAME; a
// flag wins over the environment, the environment over the default.

// envPrefix begins the name of every variable of ours.
const envPrefix = "COREROLLER_"

// process is what a command needs of the outside world.
type process struct {
	Environ []string // as os.Environ
	Stdin   *os.File
	Stdout  *os.File
	Stderr  *os.File
}

// Config is what serve, demo, migrate and user are told.
type Config struct {
	Listen         string // host:port; port 0 chooses a free one
	MaxConnections int
	AdminListen    string // the same for profiles; "": none
	DataDir        string // for the SQLite file
	DatabaseURL    string // PostgreSQL instead
	TrustedProxies []netip.Prefix
	OmahaSecret    string
	LogLevel       string
	LogFormat      string // text or json
}

const (
	defaultListen = ":8000"
	// Each connection costs some 20 kB. Ten million machines that ask every 45
	// minutes, each over a connection of its own for a tenth of a second, have
	// 400 open.
	defaultMaxConnections = 10_000
)

// databaseFlags are those of every command that opens the database.
func (c *Config) databaseFlags(f *pflag.FlagSet) {
	f.StringVar(&c.DataDir, "data-dir", "data", "folder of the embedded database; made when missing")
	f.StringVar(&c.DatabaseURL, "database-url", "",
		"PostgreSQL database to use instead of the embedded one: postgres://user:password@host/name?sslmode=…")
}

func (c *Config) serverFlags(f *pflag.FlagSet) {
	f.StringVar(&c.Listen, "listen", defaultListen, "address to listen on: host:port, or :port for all addresses")
	f.IntVar(&c.MaxConnections, "max-connections", defaultMaxConnections,
		"connections open at the same time, dashboards among them; more wait until one is closed")
	f.StringVar(&c.AdminListen, "admin-listen", "",
		"address on which profiles are served (/debug/pprof/), such as localhost:6060; they show parts of the memory, so keep it local; left out: none")
	f.Var((*prefixes)(&c.TrustedProxies), "trusted-proxies",
		"proxies whose X-Forwarded-For header is believed: addresses and networks such as 10.0.0.0/8, separated by commas")
	f.StringVar(&c.OmahaSecret, "omaha-secret", "",
		"secret at the end of the update URL: machines then ask /v1/update/<secret>, and the plain address is refused")
	c.logFlags(f)
}

func (c *Config) logFlags(f *pflag.FlagSet) {
	f.StringVar(&c.LogLevel, "log-level", "info", "least level that is logged: debug, info, warn or error")
	f.StringVar(&c.LogFormat, "log-format", "text", "how the log is written: text or json")
}

// database is what store.Open takes: a PostgreSQL URL or the SQLite file, whose
// folder is made and tried.
func (c *Config) database() (string, error) {
	if c.DatabaseURL == "" {
		if err := makeDataDir(c.DataDir); err != nil {
			return "", err
		}
		return filepath.Join(c.DataDir, "coreroller.db"), nil
	}
	u, err := url.Parse(c.DatabaseURL)
	if err != nil {
		// The error would show the password.
		return "", fmt.Errorf("--database-url cannot be read as a URL; %s", databaseURLForm)
	}
	if u.Scheme != "postgres" && u.Scheme != "postgresql" {
		return "", fmt.Errorf("--database-url is no PostgreSQL URL; %s", databaseURLForm)
	}
	return c.DatabaseURL, nil
}

const databaseURLForm = "it has the form postgres://user:password@host:5432/name?sslmode=require " +
	"(a / or @ in the password is written %2F or %40); leave it out to use the embedded database in --data-dir"

// databaseName is how messages call the database.
func (c *Config) databaseName() string {
	if u, err := url.Parse(c.DatabaseURL); err == nil && c.DatabaseURL != "" {
		return "the PostgreSQL database " + strings.TrimPrefix(u.Path, "/") + " at " + u.Host
	}
	return "the database file " + filepath.Join(c.DataDir, "coreroller.db")
}

// makeDataDir makes the folder and tries whether it can be written, so that
// the message is about the folder and not about SQLite.
func makeDataDir(dir string) error {
	err := os.MkdirAll(dir, 0o700) // it holds password hashes
	if err == nil {
		var f *os.File
		if f, err = os.CreateTemp(dir, ".writable-*"); err == nil {
			_ = f.Close()
			err = os.Remove(f.Name())
		}
	}
	if err != nil {
		return fmt.Errorf("the data directory cannot be written by user %d: %w; choose another with --data-dir (%sDATA_DIR) or change its owner",
			os.Getuid(), err, envPrefix)
	}
	return nil
}

// prefixes is a flag of addresses and networks.
type prefixes []netip.Prefix

func (p *prefixes) String() string {
	parts := make([]string, len(*p))
	for i, prefix := range *p {
		parts[i] = prefix.String()
	}
	return strings.Join(parts, ",")
}

func (p *prefixes) Type() string { return "networks" }

func (p *prefixes) Set(text string) error {
	var all prefixes
	for part := range strings.SplitSeq(text, ",") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		prefix, err := netip.ParsePrefix(part)
		if err != nil {
			address, err := netip.ParseAddr(part)
			if err != nil {
				return fmt.Errorf("%q is neither an address nor a network such as 10.0.0.0/8", part)
			}
			prefix = netip.PrefixFrom(address, address.BitLen())
		}
		all = append(all, prefix.Masked())
	}
	*p = all
	return nil
}

// variable is the name of a flag in the environment.
func variable(flag string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// readEnvironment sets the flags of a command that were not given from the
// environment. An empty variable counts as not set.
func readEnvironment(cmd *cobra.Command, environ []string) error {
	values := environment(environ)
	var err error
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		name := variable(f.Name)
		value := values[name]
		if err != nil || f.Changed || value == "" || f.Name == "help" {
			return
		}
		if e := cmd.Flags().Set(f.Name, value); e != nil {
			err = fmt.Errorf("the environment variable %s: %w", name, e)
		}
	})
	return err
}

func environment(environ []string) map[string]string {
	values := map[string]string{}
	for _, line := range environ {
		if name, value, _ := strings.Cut(line, "="); strings.HasPrefix(name, envPrefix) {
			values[name] = value
		}
	}
	return values
}

// unknownVariables are those that look like ours and are no flag of any
// command: most likely misspelt. Kubernetes sets some for a service that is
// called coreroller; those and the variables of our tests are left out.
func unknownVariables(root *cobra.Command, environ []string) []string {
	known := map[string]bool{}
	var visit func(*cobra.Command)
	visit = func(cmd *cobra.Command) {
		cmd.Flags().VisitAll(func(f *pflag.Flag) { known[variable(f.Name)] = true })
		for _, c := range cmd.Commands() {
			visit(c)
		}
	}
	visit(root)
	unknown := slices.Sorted(maps.Keys(environment(environ)))
	return slices.DeleteFunc(unknown, func(name string) bool {
		rest := strings.TrimPrefix(name, envPrefix)
		for _, other := range []string{"TEST_", "SERVICE_HOST", "SERVICE_PORT", "PORT_"} {
			if strings.HasPrefix(rest, other) {
				return true
			}
		}
		return known[name] || rest == "PORT"
	})
}

// localURL is the address of a server that listens on an address, seen from
// the same machine.
func localURL(address string) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "http://" + address
	}
	if ip, err := netip.ParseAddr(host); host == "" || (err == nil && ip.IsUnspecified()) {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, port)
}
