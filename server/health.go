package server

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/coreroller/coreroller/fleet/disk"
)

const (
	// beatLate is the age of the last commit from which the server is not ready. The
	// background work commits every three seconds.
	beatLate = 15 * time.Second
	// listenLate is the age of the last answer on the connection that receives the events
	// of other processes from which it is reported.
	listenLate = 20 * time.Second
	// fullFor is how long a full disk of the database is reported after a transaction found
	// it full.
	fullFor = 30 * time.Second
)

// databaseState is the part of the store that the probes need. They ask no database, so
// that they answer at once whatever it does.
type databaseState interface {
	Condition() (committed, failing, listened time.Time, problem error)
	FoundFull() time.Time
}

// probes answer what a load balancer, Kubernetes or systemd asks.
type probes struct {
	database databaseState
	now      func() time.Time
	clock    func() string // what is wrong with the clock of this host, "" for nothing
	disks    func() []disk.State
	stopping *atomic.Bool
}

// mount adds the probes: /livez says that the process serves; /healthz that the database
// can be used; /readyz also that the server does not stop.
func (p *probes) mount(handle func(pattern string, h http.Handler)) {
	for _, name := range []string{"/livez", "/live"} {
		handle("GET "+name, answerProbe(func() (string, string) { return "", "" }))
	}
	for _, name := range []string{"/healthz", "/health"} {
		handle("GET "+name, answerProbe(func() (string, string) { return p.problem(), "" }))
	}
	for _, name := range []string{"/readyz", "/ready"} {
		handle("GET "+name, answerProbe(func() (string, string) {
			if p.stopping.Load() {
				return "the server stops", ""
			}
			return p.problem(), p.remarks()
		}))
	}
}

// problem says why nothing can be committed, "" if it can.
func (p *probes) problem() string {
	committed, failing, _, problem := p.database.Condition()
	now := p.now()
	var public interface{ Public() string }
	switch late := now.Sub(committed); {
	case errors.As(problem, &public):
		return public.Public()
	case problem != nil:
		return fmt.Sprintf("the database cannot be used for %s; the log has the cause", now.Sub(failing).Round(time.Second))
	case !committed.IsZero() && late > beatLate:
		return fmt.Sprintf("the last commit was %s ago", late.Round(time.Second))
	}
	return ""
}

// remarks are what a person should know although the server is ready: it answers machines
// with the right time although the clock of its host is wrong, and decides right although
// it does not receive the events of other processes. If it were not ready, the wrong clock
// of a database would stop all processes at once.
func (p *probes) remarks() string {
	var all []string
	if text := p.clock(); text != "" {
		all = append(all, text)
	}
	if _, _, at, _ := p.database.Condition(); !at.IsZero() && p.now().Sub(at) > listenLate {
		all = append(all, fmt.Sprintf("no events of other servers are received since %s", at.UTC().Format(time.RFC3339)))
	}
	if at := p.database.FoundFull(); !at.IsZero() && p.now().Sub(at) < fullFor {
		all = append(all, "the disk of the database is full: what needs room is refused")
	}
	for _, d := range p.disks() {
		if d.Low() {
			all = append(all, d.Sentence())
		}
	}
	return strings.Join(all, "\n")
}

// answerProbe answers 503 with a problem, else 200 with remarks.
func answerProbe(state func() (problem, remarks string)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		problem, remarks := state()
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		if problem != "" {
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = io.WriteString(w, problem+"\n")
			return
		}
		_, _ = io.WriteString(w, "ok\n")
		if remarks != "" {
			_, _ = io.WriteString(w, remarks+"\n")
		}
	})
}
