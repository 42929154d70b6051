package client

import (
	"cmp"
	"context"
	"crypto/x509"
	"fmt"
	"strings"
	"time"

	"github.com/coreroller/coreroller/client/api"
)

// The limits of the checks.
const (
	mostClockOffset     = 30 * time.Second       // the server's own limit is for its host; this one also finds a wrong clock here
	mostDatabaseLatency = 100 * time.Millisecond // a check-in needs several such round trips
	certificateNotice   = 21 * 24 * time.Hour    // time to renew a certificate by hand
	mostAttention       = 20                     // findings; the page has all
)

func lookAtServer(ctx context.Context, s *session) ([]Finding, error) {
	began := time.Now()
	answer, err := read[struct {
		ServerInfo struct{ Version string }
		Me         *struct{ ID string }
	}](ctx, s, `{ serverInfo { version } me { id } }`, nil)
	if err != nil {
		return nil, err
	}
	if answer.Me == nil {
		return nil, &api.Problem{Server: s.URL, Code: api.Unauthenticated, Message: "the token is not accepted"}
	}
	version := answer.ServerInfo.Version
	all := []Finding{{Level: Fine, Text: fmt.Sprintf("%s, answers in %s", version, time.Since(began).Round(time.Millisecond))}}
	if version != s.terminal.Version {
		all = append(all, Finding{Level: Note, Text: fmt.Sprintf("this program is %s, the server %s", s.terminal.Version, version), Fix: "use the program of the server's version"})
	}
	return all, nil
}

func lookAtConnection(ctx context.Context, s *session) ([]Finding, error) {
	if unencrypted(s.URL) {
		return []Finding{{
			Level: Warning, Text: "the token is sent unencrypted to another machine",
			Fix: "serve TLS (coreroller serve --tls-cert), and run coreroller login https://…",
		}}, nil
	}
	certificate, err := s.Certificate(ctx)
	if err != nil {
		return nil, err
	}
	if certificate == nil {
		return []Finding{{Level: Fine, Text: "unencrypted, but on this machine only"}}, nil
	}
	return []Finding{certificateFinding(certificate, time.Now())}, nil
}

func certificateFinding(certificate *x509.Certificate, now time.Time) Finding {
	left := certificate.NotAfter.Sub(now)
	f := Finding{Level: Fine, Text: fmt.Sprintf("TLS, certificate valid until %s, %s", certificate.NotAfter.UTC().Format(time.DateOnly), several(int(left.Hours()/24), "day"))}
	if left < certificateNotice {
		f.Level, f.Fix = Warning, "renew the certificate of "+strings.Join(certificate.DNSNames, ", ")
	}
	return f
}

func lookAtToken(ctx context.Context, s *session) ([]Finding, error) {
	answer, err := read[struct {
		Me struct{ Username, Role string }
	}](ctx, s, `{ me { username role } }`, nil)
	if err != nil {
		return nil, err
	}
	me := answer.Me
	f := Finding{Level: Fine, Text: fmt.Sprintf("from %s, acts for %s as %s", s.from, me.Username, enum(me.Role))}
	if me.Role == "ADMIN" || me.Role == "OWNER" {
		f.Level, f.Fix = Note, "scripts need less: make a token with a lower role on "+s.page("account", "tokens")
	}
	return []Finding{f}, nil
}

func lookAtClock(ctx context.Context, s *session) ([]Finding, error) {
	before := time.Now()
	answer, err := read[struct{ ServerInfo struct{ Now time.Time } }](ctx, s, `{ serverInfo { now } }`, nil)
	if err != nil {
		return nil, err
	}
	return []Finding{clockFinding(answer.ServerInfo.Now, before, time.Now())}, nil
}

// clockFinding compares the server's time with that of this machine before and after the request.
func clockFinding(server, before, after time.Time) Finding {
	offset := max(server.Sub(after), before.Sub(server), 0)
	if offset <= mostClockOffset {
		return Finding{Level: Fine, Text: "agrees with the clock of this machine"}
	}
	direction := "ahead of"
	if server.Before(before) {
		direction = "behind"
	}
	return Finding{
		Level: Warning, Text: fmt.Sprintf("the server's clock is %s %s the clock of this machine", offset.Round(time.Second), direction),
		Fix: "set the wrong one by a time server; timedatectl shows the state of a machine",
	}
}

// healthOf are the numbers of the server process that answers.
type healthOf struct {
	DatabaseLatency                      string
	ChecksPerSecond                      float64
	WaitingCheckIns, WaitingCheckInLimit int
	Jobs                                 []struct{ Name, LastError string }
}

func (s *session) health(ctx context.Context) (healthOf, error) {
	answer, err := read[struct{ ServerHealth healthOf }](ctx, s,
		`{ serverHealth { databaseLatency checksPerSecond waitingCheckIns waitingCheckInLimit jobs { name lastError } } }`, nil)
	return answer.ServerHealth, err
}

func lookAtDatabase(ctx context.Context, s *session) ([]Finding, error) {
	answer, err := read[struct{ ServerInfo struct{ Database string } }](ctx, s, `{ serverInfo { database } }`, nil)
	if err != nil {
		return nil, err
	}
	h, err := s.health(ctx)
	if err != nil {
		return nil, err
	}
	return databaseFindings(answer.ServerInfo.Database, h), nil
}

func databaseFindings(database string, h healthOf) []Finding {
	// The API's durations are such as PT0.0006S.
	latency, err := time.ParseDuration(strings.ToLower(strings.TrimPrefix(h.DatabaseLatency, "PT")))
	f := Finding{Level: Fine, Text: fmt.Sprintf("%s, answers in %s", enum(database), latency.Round(10*time.Microsecond))}
	if err != nil || latency > mostDatabaseLatency {
		f.Level, f.Text = Warning, fmt.Sprintf("%s is slow: a trivial query takes %s", enum(database), h.DatabaseLatency)
		f.Fix = "look at the load, the disk and the network of the database"
	}
	all := []Finding{f}
	if h.WaitingCheckIns*2 > h.WaitingCheckInLimit {
		all = append(all, Finding{
			Level: Warning, Text: fmt.Sprintf("%s check-ins wait, at %s further ones are rejected", count(h.WaitingCheckIns), count(h.WaitingCheckInLimit)),
			Fix: "let machines ask less often (pollInterval of the policies), or give the database a faster disk",
		})
	}
	return all
}

func lookAtJobs(ctx context.Context, s *session) ([]Finding, error) {
	h, err := s.health(ctx)
	if err != nil {
		return nil, err
	}
	return jobFindings(h), nil
}

func jobFindings(h healthOf) []Finding {
	var all []Finding
	for _, job := range h.Jobs {
		if job.LastError != "" {
			all = append(all, Finding{Level: Failed, Text: job.Name + ": " + job.LastError, Fix: "the log of the server has the details"})
		}
	}
	if len(all) == 0 {
		all = []Finding{{Level: Fine, Text: "background work runs without errors"}}
	}
	return all
}

func lookAtMachines(ctx context.Context, s *session) ([]Finding, error) {
	answer, err := read[struct {
		Fleet struct{ Total, Active int }
	}](ctx, s, `{ fleet { total active } }`, nil)
	if err != nil {
		return nil, err
	}
	h, err := s.health(ctx)
	if err != nil {
		return nil, err
	}
	total, active := answer.Fleet.Total, answer.Fleet.Active
	connect := "connect machines as the page shows: " + s.page("connect")
	switch {
	case total == 0:
		return []Finding{{Level: Note, Text: "no machine has asked for updates yet", Fix: connect}}, nil
	case active == 0:
		return []Finding{{Level: Failed, Text: "none of " + several(total, "machine") + " was seen in 24 h", Fix: connect}}, nil
	}
	return []Finding{{Level: Fine, Text: fmt.Sprintf("%s of %s seen in 24 h, %.0f checks a minute in this process", count(active), count(total), h.ChecksPerSecond*60)}}, nil
}

func lookAtAttention(ctx context.Context, s *session) ([]Finding, error) {
	answer, err := read[struct {
		Fleet struct{ Attention []attention }
	}](ctx, s, `{ fleet { `+attentionFields+` } }`, nil)
	if err != nil {
		return nil, err
	}
	var all []Finding
	for _, a := range answer.Fleet.Attention {
		if len(all) == mostAttention {
			more := len(answer.Fleet.Attention) - len(all)
			return append(all, Finding{Level: Warning, Text: fmt.Sprintf("and %d more", more), Fix: "open " + s.page()}), nil
		}
		f := Finding{Level: cmp.Or(severities[a.Severity], Warning), Text: a.Sentence, Fix: s.remedy(a)}
		if a.Group != nil && a.Application != nil {
			f.Text = a.Application.Name + "/" + a.Group.Name + ": " + a.Sentence
		}
		all = append(all, f)
	}
	if len(all) == 0 {
		all = []Finding{{Level: Fine, Text: "nothing needs attention"}}
	}
	return all, nil
}

// severities are those of the API.
var severities = map[string]Level{"ERROR": Failed, "WARNING": Warning, "INFO": Note, "SUCCESS": Fine}

// remedies are commands for what needs attention in a group, with its id for GROUP.
var remedies = map[string]string{
	"HALTED":               "coreroller rollback GROUP --to VERSION, or coreroller resume GROUP",
	"WAITING_FOR_APPROVAL": "coreroller advance GROUP",
	"PAUSED":               "coreroller resume GROUP",
	"FAILED_MACHINES":      "coreroller machines --group GROUP --counted-as failed,quarantined",
	"BAD_VERSION":          "coreroller machines --group GROUP --counted-as bad-version",
	"PROPOSED":             "coreroller proposals list",
}

// remedy returns what to do about something that needs attention.
func (s *session) remedy(a attention) string {
	page := s.page()
	switch {
	case a.Kind == "DEFAULT_PASSWORD":
		return "sign in as this user and change it: " + s.page("account", "password")
	case a.Kind == "REFUSALS" || a.Kind == "UNKNOWN_TRACK":
		return "open " + s.page("refused")
	case a.Kind == "CLOCK":
		return "set the clock of the server's host by a time server"
	case a.Kind == "DISK":
		return "make room on the disk of the server; coreroller doctor local shows it there"
	case a.Group != nil && a.Application != nil:
		page = s.page("apps", a.Application.ID, "groups", a.Group.ID)
	}
	command := remedies[a.Kind]
	if a.Group != nil {
		command = strings.ReplaceAll(command, "GROUP", a.Group.ID)
	}
	if command == "" || strings.Contains(command, "GROUP") {
		return "open " + page
	}
	return "run " + command + ", or open " + page
}
