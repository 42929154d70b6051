package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/coreroller/coreroller/fleet/account"
	"github.com/coreroller/coreroller/fleet/quota"
	"github.com/coreroller/coreroller/remote/payload"
	"github.com/coreroller/coreroller/store"
)

// Only this file and main.go read flags and environment variables; other packages
// get structs. The variable of a flag --some-name is COREROLLER_SOME_NAME. Flags
// take precedence over variables, and variables over defaults.

// envPrefix is the prefix of our environment variables.
const envPrefix = "COREROLLER_"

// Config is the configuration of serve, demo, migrate and user.
type Config struct {
	Listen          string // host:port; port 0 chooses a free port
	MaxConnections  int    // 0 is the default
	Web             Web
	AdminListen     string // host:port of the profiles; "" serves none
	DataDir         string // contains the SQLite file
	DatabaseURL     string // PostgreSQL; "" uses SQLite
	TrustedProxies  []netip.Prefix
	OmahaSecret     string
	WaitForDatabase time.Duration // how long the start waits for PostgreSQL
	MigrationBackup bool          // copy an embedded database before its migration
	DatabaseTimeout time.Duration // how long PostgreSQL may take to answer
	StopDelay       time.Duration // between /readyz answering that the server stops, and stopping
	StopWithin      time.Duration // limit for requests in flight; 0: defaultStopWithin
	SessionIdle     time.Duration // an unused browser is signed out after it
	Keep            store.Keep    // the periods after which records are deleted
	Quotas          quota.Quotas
	Inspect         payload.Sources
	Payloads        Payloads
	Disk            Disk
	MirrorFlatcar   bool   // follow the public Flatcar server
	FirstPassword   string // of the first user of a new database; "" is the documented one
	SignIn          SignIn
	Notify          Notify
	LogLevel        string
	LogFormat       string // text or json

	databaseURLFile, databasePasswordFile, omahaSecretFile secretFile
}

const (
	defaultListen     = ":8000"
	defaultStopWithin = 10 * time.Second
	databaseFile      = "coreroller.db" // in the data directory
	// A connection takes about 20 kB. Ten million machines that check every 45
	// minutes and keep a connection for 100 ms have 400 open.
	defaultMaxConnections = 10_000
)

// databaseFlags adds the flags of commands that open the database.
func (c *Config) databaseFlags(f *pflag.FlagSet) {
	f.StringVar(&c.DataDir, "data-dir", "data", "directory of the embedded database; created if missing")
	f.StringVar(&c.DatabaseURL, "database-url", "",
		"PostgreSQL database instead of the embedded one: postgres://user:password@host/name?sslmode=…")
	c.databaseFileFlags(f)
}

// backupFlag is for the commands that migrate as their main work.
func (c *Config) backupFlag(f *pflag.FlagSet) {
	f.BoolVar(&c.MigrationBackup, "migration-backup", true,
		"copy the embedded database to backups in --data-dir before it is migrated; the last three copies are kept")
}

func (c *Config) serverFlags(f *pflag.FlagSet) {
	f.StringVar(&c.Listen, "listen", defaultListen, "address to listen on: host:port, or :port for all addresses")
	f.IntVar(&c.MaxConnections, "max-connections", defaultMaxConnections,
		"maximum number of open connections, including dashboards; further ones wait until one closes")
	f.StringVar(&c.AdminListen, "admin-listen", "",
		"address of the profiles (/debug/pprof/), such as localhost:6060; profiles reveal memory contents, so use a local address; default: no profiles")
	f.Var((*prefixes)(&c.TrustedProxies), "trusted-proxies",
		"trusted reverse proxies: addresses and networks such as 10.0.0.0/8, separated by commas; their X-Forwarded-For, X-Forwarded-Proto and X-Request-Id headers are used")
	c.Web.flags(f)
	f.StringVar(&c.OmahaSecret, "omaha-secret", "",
		"secret at the end of the update URL: machines must use /v1/update/<secret>")
	f.Var(&c.omahaSecretFile, "omaha-secret-file", "file with --omaha-secret on one line")
	f.DurationVar(&c.SessionIdle, "session-idle", account.DefaultSessionIdle,
		"time after which an unused browser is signed out; used ones are signed out after 14 days")
	f.DurationVar(&c.WaitForDatabase, "wait-for-database", 0,
		"how long the start waits for a PostgreSQL that is not reached yet; 0: it fails at once")
	c.backupFlag(f)
	f.DurationVar(&c.DatabaseTimeout, "database-timeout", store.DefaultAnswerWithin,
		"how long PostgreSQL may take to answer before its connection is closed; reads may take three times that")
	f.DurationVar(&c.StopDelay, "stop-delay", 0,
		"how long the server goes on after SIGTERM while /readyz answers 503, so that load balancers notice; a second signal ends it at once")
	f.DurationVar(&c.StopWithin, "stop-within", defaultStopWithin,
		"how long requests in flight may take to end at a stop; then their connections are closed")
	c.keepFlags(f)
	c.Quotas = quota.Defaults()
	f.Var((*mirrorsFlag)(&c.Quotas.Mirrors), "mirrors",
		"who may fetch packages as a mirror, which no limit of a policy holds back: any, none, or machine ids separated by commas; others are answered like machines")
	f.IntVar(&c.Quotas.NewMachinesPerAddress, "new-machines-per-address", c.Quotas.NewMachinesPerAddress,
		"maximum number of machines that one address (in IPv6: one /64 network) registers per minute; further ones get no update and are not stored until a later check; 0: no maximum")
	f.IntVar(&c.Quotas.NewMachinesPerGroup, "new-machines-per-group", c.Quotas.NewMachinesPerGroup,
		"maximum number of machines that register in one group per minute; 0: no maximum")
	f.IntVar(&c.Quotas.HistoryPerMachine, "history-per-machine", c.Quotas.HistoryPerMachine,
		"maximum number of history entries stored for one machine per hour; 0: no maximum")
	f.IntVar(&c.Quotas.ValuesPerGroup, "values-per-group", c.Quotas.ValuesPerGroup,
		"maximum number of versions, and of platforms, that the machines of one group are counted by; further ones are stored as \"other\"; 0: no maximum")
	f.BoolVar(&c.MirrorFlatcar, "mirror-flatcar", false,
		"mirror the channels stable, beta and alpha of the public Flatcar server, unless the database has a mirror of it; new versions are imported and wait for a person")
	c.Inspect = payload.Sources{Public: true}
	f.Var((*sourcesFlag)(&c.Inspect), "inspect-from",
		"from where the server fetches files of packages: none, or public, addresses and networks such as 10.0.0.0/8, separated by commas; public is every address of the internet, but no private or local one")
	c.Payloads.flags(f)
	c.Disk.flags(f)
	c.SignIn.flags(f)
	c.Notify.flags(f)
	c.logFlags(f)
}

func (c *Config) logFlags(f *pflag.FlagSet) {
	f.StringVar(&c.LogLevel, "log-level", "info", "minimum log level: debug, info, warn or error")
	f.StringVar(&c.LogFormat, "log-format", "text", "log format: text or json")
}

// database returns the URL for store.Open: a PostgreSQL URL, or the SQLite file
// after creating its directory.
func (c *Config) database() (string, error) {
	if err := c.readSecretFiles(); err != nil {
		return "", err
	}
	if c.DatabaseURL == "" {
		if c.databasePasswordFile.secret != "" {
			return "", errors.New("--database-password-file has no effect without --database-url")
		}
		if err := makeDataDir(c.DataDir); err != nil {
			return "", err
		}
		return filepath.Join(c.DataDir, databaseFile), nil
	}
	u, err := url.Parse(c.DatabaseURL)
	if err != nil {
		// err is omitted, because it contains the password.
		return "", fmt.Errorf("--database-url is not a valid URL; %s", databaseURLForm)
	}
	if u.Scheme != "postgres" && u.Scheme != "postgresql" {
		return "", fmt.Errorf("--database-url is not a PostgreSQL URL; %s", databaseURLForm)
	}
	return c.withPassword(u)
}

const databaseURLForm = "use the form postgres://user:password@host:5432/name?sslmode=require " +
	"(write / and @ in the password as %2F and %40), or omit it to use the embedded database in --data-dir"

// databaseName names the database in messages, without the password.
func (c *Config) databaseName() string {
	if u, err := url.Parse(c.DatabaseURL); err == nil && c.DatabaseURL != "" {
		return "the PostgreSQL database " + strings.TrimPrefix(u.Path, "/") + " at " + u.Host
	}
	return "the database file " + filepath.Join(c.DataDir, databaseFile)
}

// makeDataDir creates the directory and checks that it is writable, because
// SQLite's own error would not name the directory.
func makeDataDir(dir string) error {
	err := os.MkdirAll(dir, 0o700) // private, because it contains password hashes
	if err == nil {
		var f *os.File
		if f, err = os.CreateTemp(dir, ".writable-*"); err == nil {
			_ = f.Close()
			err = os.Remove(f.Name())
		}
	}
	if err != nil {
		return fmt.Errorf("the data directory is not writable by user %d: %w; choose another with --data-dir (%sDATA_DIR), or change its owner",
			os.Getuid(), err, envPrefix)
	}
	return nil
}

// variable is the environment variable of a flag.
func variable(flag string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// readEnvironment sets flags that the command line does not set from environment
// variables. An empty variable is ignored.
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
			err = fmt.Errorf("environment variable %s: %w", name, e)
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

// unknownVariables returns variables with our prefix that match no flag, which
// are probably misspelled. It ignores those that Kubernetes sets for a service
// called coreroller, and those of our tests.
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
		return known[name] || rest == "PORT" || slices.ContainsFunc(secretVariables(), func(v secretVariable) bool { return v.name == rest })
	})
}

// secretVariable is an environment variable without a flag.
type secretVariable struct{ name, meaning string } // the name has no prefix

func secretVariables() []secretVariable {
	return []secretVariable{
		{secretToken, "token of the commands for a running server"},
		{secretPassword, "password of their --user, instead of a token"},
		{firstPassword, "password of the user admin of a new database"},
		{firstPasswordFile, "file with it"},
		{bucketAccess, "access key of --payload-s3"},
		{bucketSecret, "secret key of --payload-s3"},
		{bucketSecretFile, "file with it"},
		{smtpPassword, "password of --smtp-url"},
		{smtpPasswordFile, "file with it"},
	}
}

// localURL is the URL of a server that listens on address, for clients on the
// same machine.
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

// logger returns the logger that the flags describe.
func (c *Config) logger(w io.Writer) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		return nil, fmt.Errorf("--log-level is %q: use debug, info, warn or error", c.LogLevel)
	}
	options := &slog.HandlerOptions{Level: level}
	switch c.LogFormat {
	case "text":
		return slog.New(newSampler(slog.NewTextHandler(w, options), time.Now)), nil
	case "json":
		return slog.New(newSampler(slog.NewJSONHandler(jsonLog{w}, options), time.Now)), nil
	default:
		return nil, fmt.Errorf("--log-format is %q: use text or json", c.LogFormat)
	}
}

// discard is the logger of commands that print their results.
func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }
