package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// writeSecret returns the name of a file with a text.
func writeSecret(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestSecretsOfFilesCompleteTheConfiguration(t *testing.T) {
	const whole = "postgres://a:b@h/n"
	address, password := writeSecret(t, whole+"\n"), writeSecret(t, "p/w@1 é\r\n")
	for _, c := range []struct {
		name       string
		environ    []string
		args       []string
		want, fail string // of the database's URL
	}{
		{"URL", nil, []string{"--database-url-file", address}, whole, ""},
		{"variable", []string{"COREROLLER_DATABASE_URL_FILE=" + address}, nil, whole, ""},
		{"password", []string{"COREROLLER_DATABASE_PASSWORD_FILE=" + password}, []string{"--database-url", "postgres://a@h/n?sslmode=disable"}, "postgres://a:p%2Fw%401%20%C3%A9@h/n?sslmode=disable", ""},
		{"two URLs", []string{"COREROLLER_DATABASE_URL_FILE=" + address}, []string{"--database-url", "postgres://h/n"}, "", "use --database-url or --database-url-file, not both"},
		{"two passwords", nil, []string{"--database-url-file", address, "--database-password-file", password}, "", "--database-url has a password"},
		{"no user", nil, []string{"--database-url", "postgres://h/n", "--database-password-file", password}, "", "needs a user"},
		{"no URL", nil, []string{"--database-password-file", password}, "", "no effect without --database-url"},
		{"no file", []string{"COREROLLER_DATABASE_URL_FILE=/none"}, nil, "", "COREROLLER_DATABASE_URL_FILE"},
		{"empty file", nil, []string{"--database-url-file", writeSecret(t, "\n")}, "", "one line"},
		{"two lines", nil, []string{"--database-url-file", writeSecret(t, "a\nb\n")}, "", "one line"},
	} {
		config, err := parse(t, c.environ, c.args...)
		var got string
		for range 2 { // open and databaseName may both need it
			if err == nil {
				got, err = config.database()
			}
		}
		if c.fail == "" && (err != nil || got != c.want) || c.fail != "" && (err == nil || !strings.Contains(err.Error(), c.fail)) {
			t.Errorf("%s: %q %v, want %q %q", c.name, got, err, c.want, c.fail)
		}
		if err != nil && strings.Contains(err.Error(), "p/w@1") {
			t.Errorf("%s: the password is in %v", c.name, err)
		}
	}
}

func TestOmahaSecretOfAFile(t *testing.T) {
	config, err := parse(t, []string{"COREROLLER_OMAHA_SECRET_FILE=" + writeSecret(t, "s1\n")})
	if err == nil {
		err = config.readSecretFiles()
	}
	if err != nil || config.OmahaSecret != "s1" {
		t.Errorf("secret %q %v", config.OmahaSecret, err)
	}
	config, err = parse(t, nil, "--omaha-secret", "other", "--omaha-secret-file", writeSecret(t, "s1"))
	if err == nil {
		err = config.readSecretFiles()
	}
	if err == nil || err.Error() != "use --omaha-secret or --omaha-secret-file, not both" {
		t.Errorf("error %v", err)
	}
	if out, _, code := execute(t, "", nil, "config", "check", "--data-dir", t.TempDir(), "--omaha-secret", "other", "--omaha-secret-file", writeSecret(t, "s1")); code != 1 || !strings.Contains(out, "not both") {
		t.Errorf("config check: %d %s", code, out)
	}
}
