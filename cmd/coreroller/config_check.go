package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/fleet/account"
	"github.com/coreroller/coreroller/store"
	"github.com/coreroller/coreroller/store/migrations"
)

func configCommand(p process) *cobra.Command {
	config := &cobra.Command{Use: "config", Short: "check the configuration of a server", Args: cobra.NoArgs}
	c := &Config{}
	check := command("check", "say what is wrong with the flags and environment variables of serve", `
Reads flags and environment variables as serve does, the files they name and the
database. It starts nothing and changes nothing. Each problem is named with what
to do. Exits with 1 if there are errors; warnings alone exit with 0.`,
		func(cmd *cobra.Command) error {
			f := &findings{}
			f.checkAll(cmd.Context(), c, p.Environ)
			for _, text := range f.warnings {
				_, _ = fmt.Fprintln(p.Stdout, "warning:", text)
			}
			for _, text := range f.errors {
				_, _ = fmt.Fprintln(p.Stdout, "error:", text)
			}
			if n := len(f.errors); n > 0 {
				return fmt.Errorf("the configuration has errors: %d", n)
			}
			_, err := fmt.Fprintln(p.Stdout, "the configuration has no errors")
			return err
		})
	c.serverFlags(check.Flags())
	c.databaseFlags(check.Flags())
	config.AddCommand(check)
	return config
}

// findings are the problems of a configuration, with what to do.
type findings struct{ errors, warnings []string }

func (f *findings) fail(err error) {
	if err != nil {
		f.errors = append(f.errors, err.Error())
	}
}

func (f *findings) warn(format string, args ...any) {
	f.warnings = append(f.warnings, fmt.Sprintf(format, args...))
}

func (f *findings) checkAll(ctx context.Context, c *Config, environ []string) {
	err := c.readSecretFiles()
	f.fail(err)
	c.Payloads.Keys, err = readBucketKeys(environ)
	f.fail(err)
	c.Notify.SMTPPassword, err = readSecret(environ, smtpPassword, smtpPasswordFile)
	f.fail(err)
	f.fail(c.check())
	_, err = c.logger(os.Stderr)
	f.fail(err)
	f.checkAddresses(c)
	f.checkCertificate(c.Web)
	f.checkFirstPassword(environ)
	if c.DatabaseURL == "" {
		f.checkFiles(c.DataDir)
	}
	f.checkDatabase(ctx, c)
}

// checkAddresses looks at what is reachable, and from where.
func (f *findings) checkAddresses(c *Config) {
	seen := map[string]string{}
	for _, l := range []struct{ flag, address string }{
		{"listen", c.Listen}, {"listen-machines", c.Web.ListenMachines}, {"listen-metrics", c.Web.ListenMetrics}, {"admin-listen", c.AdminListen},
	} {
		if l.address == "" {
			continue
		}
		_, port, err := net.SplitHostPort(l.address)
		switch other := seen[l.address]; {
		case err != nil:
			f.fail(fmt.Errorf("--%s is %q: use host:port, or :port for all addresses", l.flag, l.address))
		case other != "" && port != "0":
			f.fail(fmt.Errorf("--%s and --%s are both %s: give each its own port", other, l.flag, l.address))
		}
		seen[l.address] = l.flag
	}
	for _, proxy := range c.TrustedProxies {
		if proxy.Bits() == 0 {
			f.fail(fmt.Errorf("--trusted-proxies has %s, every address: each client could claim any address; list your proxies only", proxy))
		}
	}
	switch {
	case c.Web.TLSCert != "" || len(c.TrustedProxies) > 0:
	case loopback(c.Listen):
		f.warn("--listen is an address of this machine: if a proxy forwards requests to it, list the proxy in --trusted-proxies; else session cookies lack Secure, and all clients have its address")
	default:
		f.warn("passwords travel in the clear to --listen %s: set --tls-cert and --tls-key, or list the proxy that adds TLS in --trusted-proxies", c.Listen)
	}
	if c.AdminListen != "" && !loopback(c.AdminListen) {
		f.warn("--admin-listen %s is reachable from other machines, and profiles reveal memory contents: use an address such as localhost:6060", c.AdminListen)
	}
}

// loopback reports whether only this machine reaches an address.
func loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

func (f *findings) checkCertificate(w Web) {
	_, err := readMachineCA(w, discard(), time.Now)
	f.fail(err)
	c, err := readCertificate(w, discard(), time.Now)
	f.fail(err)
	if err != nil || c == nil {
		return
	}
	if until := c.current.Leaf.NotAfter; time.Now().After(until) {
		f.fail(fmt.Errorf("--tls-cert %s expired on %s: renew it", w.TLSCert, until.Format(time.DateOnly)))
	}
	if info, err := os.Stat(w.TLSKey); err == nil && info.Mode().Perm()&0o007 != 0 {
		f.warn("every user of this machine can read --tls-key %s: chmod 600 it", w.TLSKey)
	}
}

func (f *findings) checkFirstPassword(environ []string) {
	password, err := readFirstPassword(environ)
	f.fail(err)
	if err == nil && password != "" {
		if err := account.CheckFirstPassword(password); err != nil {
			f.fail(fmt.Errorf("%s%s: %w", envPrefix, firstPassword, err))
		}
	}
}

// checkFiles looks at the modes of the data directory, before anything opens it.
func (f *findings) checkFiles(dir string) {
	path := filepath.Join(dir, databaseFile)
	for _, name := range []string{dir, path, path + "-wal", path + "-shm"} {
		switch info, err := os.Stat(name); {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			f.fail(fmt.Errorf("--data-dir: %w: change its owner or mode", err))
		case !store.Private(info):
			f.warn("other users can read %s (mode %o): chmod go= it; serve does so when it starts", name, info.Mode().Perm())
		}
	}
}

// checkDatabase reaches the database, and looks whether the documented password is in use.
func (f *findings) checkDatabase(ctx context.Context, c *Config) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	database := filepath.Join(c.DataDir, databaseFile)
	if c.DatabaseURL == "" {
		if _, err := os.Stat(database); errors.Is(err, fs.ErrNotExist) {
			return // the first start creates it
		}
	} else {
		var err error
		if database, err = c.database(); err != nil {
			f.fail(err)
			return
		}
	}
	all, err := migrations.List(ctx, database)
	if err != nil {
		f.fail(c.explainOpen(err))
		return
	}
	for _, m := range all {
		if !m.Applied {
			f.warn("%s is of an earlier version: the next start of serve migrates it", c.databaseName())
			return
		}
	}
	s, err := store.Open(ctx, store.Options{URL: database, Log: discard(), Unchanged: true})
	if err != nil {
		f.fail(c.explainOpen(err))
		return
	}
	defer func() { _ = s.Close() }()
	accounts := account.New(account.Options{Store: s, Now: time.Now, Log: discard()})
	first, err := accounts.FirstPasswordIsUsed(auth.With(ctx, commandPrincipal("coreroller config check")))
	if err != nil {
		f.fail(err)
		return
	}
	if first && !loopback(c.Listen) {
		f.fail(fmt.Errorf("the user admin still has the password admin, and --listen %s is reachable from other machines: run `coreroller user password admin`", c.Listen))
	} else if first {
		f.warn("the user admin still has the password admin: run `coreroller user password admin`")
	}
}
