package main

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/pflag"
)

// secretFile is a flag with the name of a file that has a secret on one line, as
// secrets of containers and credentials of systemd are.
type secretFile struct{ path, secret string }

func (s *secretFile) String() string { return s.path }

func (s *secretFile) Type() string { return "string" }

// Set reads the file, so that a missing one is reported with the name of the flag.
func (s *secretFile) Set(path string) error {
	text, err := os.ReadFile(path) //nolint:gosec // G304: the operator names the file
	if err != nil {
		return err
	}
	secret := strings.TrimSpace(string(text))
	if secret == "" || strings.ContainsAny(secret, "\r\n") {
		return fmt.Errorf("%s must have the secret on one line", path)
	}
	*s = secretFile{path, secret}
	return nil
}

func (c *Config) databaseFileFlags(f *pflag.FlagSet) {
	f.Var(&c.databaseURLFile, "database-url-file", "file with --database-url on one line")
	f.Var(&c.databasePasswordFile, "database-password-file", "file with the password of --database-url on one line; the URL then has none")
}

// readSecretFiles completes the configuration with what is in files. It may be called again.
func (c *Config) readSecretFiles() error {
	for _, f := range []struct {
		flag  string
		value *string
		file  secretFile
	}{
		{"database-url", &c.DatabaseURL, c.databaseURLFile}, {"omaha-secret", &c.OmahaSecret, c.omahaSecretFile},
	} {
		if f.file.secret == "" {
			continue
		}
		if *f.value != "" && *f.value != f.file.secret {
			return fmt.Errorf("use --%s or --%s-file, not both", f.flag, f.flag)
		}
		*f.value = f.file.secret
	}
	return nil
}

// withPassword returns the database's URL with the password of a file.
func (c *Config) withPassword(u *url.URL) (string, error) {
	password := c.databasePasswordFile.secret
	if password == "" {
		return c.DatabaseURL, nil
	}
	if u.User == nil || u.User.Username() == "" {
		return "", errors.New("--database-password-file needs a user in --database-url; " + databaseURLForm)
	}
	if _, has := u.User.Password(); has {
		return "", errors.New("--database-url has a password: remove it, or omit --database-password-file")
	}
	complete := *u
	complete.User = url.UserPassword(u.User.Username(), password)
	return complete.String(), nil
}
