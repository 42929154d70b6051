package updater

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestUpdateOfAnotherProgram(t *testing.T) {
	s := newServer(t)
	m := newMachine(t, s, false)
	m.o.Probe, m.o.Secret = []string{"--version"}, "crm_secret"
	var steps []string
	m.o.OnProgress = func(p Progress) { steps = append(steps, string(p.Step)) }
	u := m.open(t)
	if err := u.Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	m.expect(t, string(newBytes))
	s.expect(t, started, downloaded, installed, running)
	if m.restarts != 1 || u.Version() != "2.0.0" || u.OnTrial() {
		t.Errorf("%d restarts, version %s", m.restarts, u.Version())
	}
	if got := s.last.Header.Get("Authorization"); got != "Bearer crm_secret" {
		t.Errorf("Authorization %q", got)
	}
	if got, want := strings.Join(steps, ", "), "offered, downloading, downloading, downloaded, installed, confirmed"; got != want {
		t.Errorf("steps %s, want %s", got, want)
	}
	if old, _ := os.ReadFile(m.o.File + oldSuffix); string(old) != oldBytes {
		t.Error("the old version was not kept")
	}
	id := u.MachineID()
	stop(t, u)

	// The next process remembers the version and the machine, until a person replaces the file.
	u = m.open(t)
	if err := u.Once(t.Context()); err != nil || u.Version() != "2.0.0" || u.MachineID() != id {
		t.Errorf("version %s, machine %s, %v", u.Version(), u.MachineID(), err)
	}
	stop(t, u)
	m.write(t, m.o.File, oldBytes)
	if u = m.open(t); u.Version() != "1.0.0" {
		t.Errorf("version %s after the file was replaced by hand", u.Version())
	}
	if _, err := New(m.o); err == nil || !strings.Contains(err.Error(), "another updater uses") {
		t.Errorf("two updaters of one directory: %v", err)
	}
}

func TestFirstInstallationOfAFile(t *testing.T) {
	s := newServer(t)
	m := newMachine(t, s, false)
	if err := os.Remove(m.o.File); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	m.o.Healthy = func(context.Context) error { return broken }
	u := m.open(t)
	if err := u.Once(t.Context()); !errors.Is(err, broken) {
		t.Fatal(err)
	}
	if _, err := os.Stat(m.o.File); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the broken file remains: %v", err)
	}
	m.o.Healthy = nil
	stop(t, u)
	if err := m.open(t).Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	m.expect(t, string(newBytes))
}

func TestFailedTrialPutsTheOldVersionBack(t *testing.T) {
	broken := errors.New("broken")
	for name, change := range map[string]func(m *machine){
		"the health check fails": func(m *machine) { m.o.Healthy = func(context.Context) error { return broken } },
		"the restart fails": func(m *machine) {
			m.o.Restart = func(context.Context) error {
				if m.restarts++; m.restarts == 1 {
					return broken
				}
				return nil
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			m := newMachine(t, s, false)
			change(m)
			u := m.open(t)
			var failed *RollbackError
			if err := u.Once(t.Context()); !errors.As(err, &failed) || !errors.Is(err, broken) || failed.Version != "2.0.0" {
				t.Fatal(err)
			}
			m.expect(t, oldBytes)
			s.expect(t, started, downloaded, installed, rolledBack)
			if m.restarts != 2 || u.Version() != "1.0.0" || u.failures() != 1 || !u.retryAt().After(time.Now()) {
				t.Errorf("%d restarts, version %s, %d failures, retry at %s", m.restarts, u.Version(), u.failures(), u.retryAt())
			}
		})
	}
}

func TestFailedProbeReplacesNothing(t *testing.T) {
	for name, content := range map[string]string{
		"no program":      "\x00\x01",
		"exits with 1":    "#!/bin/sh\necho 2.0.0\nexit 1\n",
		"another version": "#!/bin/sh\necho 2.0.01\n",
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			s.file = body([]byte(content))
			s.answer = func(w http.ResponseWriter, _ *appXML) { s.respond(w, "ok", s.offer(sums([]byte(content)))) }
			m := newMachine(t, s, false)
			m.o.Probe = []string{"--version"}
			var failed *InstallError
			if err := m.open(t).Once(t.Context()); !errors.As(err, &failed) {
				t.Fatal(err)
			}
			s.expect(t, started, downloaded, "3/0 5 1.0.0")
			if got, _ := os.ReadFile(m.o.File); string(got) != oldBytes || m.restarts != 0 {
				t.Errorf("the file is %.20q after %d restarts", got, m.restarts)
			}
		})
	}
}

// as makes this a process of another version.
func (m *machine) as(version string) *machine { m.o.Version = version; return m }

// installOwn updates the program itself up to the restart.
func installOwn(t *testing.T, s *fakeServer) *machine {
	t.Helper()
	m := newMachine(t, s, true)
	u := m.open(t)
	if err := u.Run(t.Context()); !errors.Is(err, ErrRestart) {
		t.Fatal(err)
	}
	m.expect(t, string(newBytes))
	s.expect(t, started, downloaded, installed)
	stop(t, u)
	return m.as("2.0.0")
}

func TestOwnVersionIsConfirmed(t *testing.T) {
	t.Run("by Confirm", func(t *testing.T) {
		s := newServer(t)
		u := installOwn(t, s).open(t)
		if _, err := u.Check(t.Context()); !errors.Is(err, ErrOnTrial) {
			t.Errorf("a check during the trial: %v", err)
		}
		for range 2 {
			if err := u.Confirm(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		s.expect(t, started, downloaded, installed, running)
	})
	t.Run("by Run", func(t *testing.T) {
		s := newServer(t)
		m := installOwn(t, s)
		m.o.ConfirmAfter = time.Minute
		if err := m.open(t).Once(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.expect(t, started, downloaded, installed, running)
	})
	t.Run("by Confirm while Run waits", func(t *testing.T) {
		s := newServer(t)
		u := installOwn(t, s).open(t)
		u.sleep = sleep // ends by Confirm: ConfirmWithin is 5 minutes
		done := make(chan error)
		go func() { done <- u.finishTrial(t.Context()) }()
		if err := u.Confirm(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		s.expect(t, started, downloaded, installed, running)
	})
}

func TestOwnVersionIsPutBack(t *testing.T) {
	t.Run("after too many starts", func(t *testing.T) {
		s := newServer(t)
		m := installOwn(t, s)
		for range defaultTrialStarts {
			stop(t, m.open(t)) // the program crashes
		}
		if _, err := New(m.o); !errors.Is(err, ErrRestart) {
			t.Fatal(err)
		}
		m.expect(t, oldBytes)
		u := m.as("1.0.0").open(t)
		if err := u.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.expect(t, started, downloaded, installed, rolledBack)
	})
	t.Run("when it does not confirm in time", func(t *testing.T) {
		s := newServer(t)
		m := installOwn(t, s)
		var failed *RollbackError
		if err := m.open(t).Run(t.Context()); !errors.Is(err, ErrRestart) || !errors.As(err, &failed) {
			t.Fatal(err)
		}
		m.expect(t, oldBytes)
		s.expect(t, started, downloaded, installed, rolledBack)
	})
	t.Run("when it is another version than the server announced", func(t *testing.T) {
		s := newServer(t)
		m := installOwn(t, s).as("1.9.0")
		if _, err := New(m.o); !errors.Is(err, ErrRestart) {
			t.Fatal(err)
		}
		m.expect(t, oldBytes)
	})
}

// TestCrashAtEachStep starts a process with what a crash left between two steps.
func TestCrashAtEachStep(t *testing.T) {
	sum := digestOf(t, string(newBytes))
	base := trial{Version: "2.0.0", Previous: "1.0.0", SHA256: sum, HadOld: true}
	with := func(change func(*trial)) trial { c := base; change(&c); return c }
	for _, c := range []struct {
		name    string
		trial   trial
		file    string
		old     bool
		content string // in the end
		events  []string
	}{
		{"before the rename", base, oldBytes, true, string(newBytes), []string{started, downloaded, installed, running}},
		{"after the rename", base, string(newBytes), true, string(newBytes), []string{installed, running}},
		{"before the restart", with(func(t *trial) { t.Installed = true }), string(newBytes), true, string(newBytes), []string{running}},
		{"before the old version is back", with(func(t *trial) { t.Installed, t.Undo = true, true }), string(newBytes), true, oldBytes, []string{rolledBack}},
		{"after the old version is back", with(func(t *trial) { t.Installed, t.Undo = true, true }), oldBytes, false, oldBytes, []string{rolledBack}},
		{"after the old file was put back by hand", with(func(t *trial) { t.Installed = true }), oldBytes, true, oldBytes, []string{rolledBack}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newServer(t)
			if c.content == oldBytes { // as CoreRoller does for a machine in quarantine
				s.answer = func(w http.ResponseWriter, _ *appXML) {
					s.respond(w, "ok", `<updatecheck status="noupdate" info="quarantined"/>`)
				}
			}
			m := newMachine(t, s, false)
			stop(t, m.open(t))
			m.write(t, m.o.File, c.file)
			if c.old {
				m.write(t, m.o.File+oldSuffix, oldBytes)
			}
			var left state
			if err := left.load(m.o.Dir); err != nil {
				t.Fatal(err)
			}
			left.Trial = &c.trial
			if err := left.save(m.o.Dir); err != nil {
				t.Fatal(err)
			}
			if err := m.open(t).Once(t.Context()); err != nil {
				t.Fatal(err)
			}
			m.expect(t, c.content)
			s.expect(t, c.events...)
		})
	}
}

func digestOf(t *testing.T, content string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	sum, err := sha256Of(name)
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

// The confirmation of one trial does not shorten the next.
func TestEachTrialWaitsForConfirmAfter(t *testing.T) {
	s := newServer(t)
	m := newMachine(t, s, false)
	m.o.ConfirmAfter = time.Hour
	u := m.open(t)
	u.confirmed <- struct{}{} // as an earlier Confirm leaves it
	waited := false
	u.sleep = func(ctx context.Context, d time.Duration) error {
		waited = waited || d == time.Hour
		select {
		case <-ctx.Done():
			t.Error("the wait was ended")
		case <-time.After(50 * time.Millisecond):
		}
		return ctx.Err()
	}
	if err := u.Once(t.Context()); err != nil || !waited {
		t.Errorf("waited %t, %v", waited, err)
	}
}
