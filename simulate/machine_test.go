package simulate

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kinvolk/go-omaha/omaha"
)

var update = flag.Bool("update", false, "rewrite testdata; review the difference")

const testApp = "{e96281a6-d1af-4bde-9a0a-97b76e56dc57}"

const (
	noUpdate = `<?xml version="1.0" encoding="UTF-8"?><response protocol="3.0" server="t"><app appid="a" status="ok">` +
		`<ping status="ok"/><event status="ok"/><updatecheck status="noupdate" info="period_limit"/></app></response>`
	acknowledged = `<?xml version="1.0" encoding="UTF-8"?><response protocol="3.0" server="t"><app appid="a" status="ok">` +
		`<event status="ok"/></app></response>`
)

func offerOf(version string, backoff bool) string {
	return fmt.Sprintf(`<?xml version="1.0" encoding="UTF-8"?><response protocol="3.0" server="t">`+
		`<app appid="a" status="ok"><ping status="ok"/><event status="ok"/><updatecheck status="ok">`+
		`<urls><url codebase="https://x.test/%[1]s/"/></urls><manifest version="%[1]s"><packages>`+
		`<package name="update.gz" size="100" required="true"/></packages><actions>`+
		`<action event="postinstall" sha256="47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=" DisablePayloadBackoff="%[2]t"/>`+
		`</actions></manifest></updatecheck></app></response>`, version, !backoff)
}

// testMachine is machine 0 of seed 1 without randomness: every wait is close to
// the middle of its range.
func testMachine(program bool, s scenario) *Machine {
	b := DefaultBehavior()
	m := newMachine(&b, Identity{App: testApp, Track: "production", Board: "amd64-usr", Alias: "sim"}, program, "1.0.0", 1, 0)
	m.random = rand.New(middle{})
	m.scenario = func(*Machine) scenario { return s }
	return m
}

// middle is a rand.Source from which Float64 always returns 0.5.
type middle struct{}

func (middle) Uint64() uint64 { return 1 << 52 }

// Every scenario of update_engine and the updater library, as a transcript of the
// machine's requests. The requests equal those of update_engine 0.4.10
// (omaha_request_action.cc) and go-omaha. A changed file means that the simulation
// deviates from a real machine.
func TestScenariosSendTheRequestsOfRealMachines(t *testing.T) {
	ok := func(body string) Response { return Response{200, []byte(body)} }
	offer, ack := ok(offerOf("1.1.0", false)), ok(acknowledged)
	scenarios := []struct {
		name      string
		program   bool
		scenario  scenario
		responses []Response
	}{
		{"success", false, scenario{}, []Response{offer, ack, ack, ack, ok(noUpdate), ok(noUpdate)}},
		{"no-update", false, scenario{}, []Response{ok(noUpdate), ok(noUpdate)}},
		{"check-failed-http", false, scenario{}, []Response{{Status: 500}, {Status: 500}, {Status: 503}, {Status: 200}, {Status: 404}}},
		{"check-failed-no-answer", false, scenario{}, []Response{{}, {}, {}, {}, {}, ok(noUpdate)}},
		{"check-failed-not-xml", false, scenario{}, []Response{ok("<html>"), ack, ok(""), ack}},
		{"check-failed-invalid", false, scenario{}, []Response{ok(acknowledged), ack}},
		{"transfer-fails", false, scenario{transferFails, codeTransfer}, []Response{offer, ack, ack, ok(noUpdate)}},
		{"payload-hash-mismatch", false, scenario{transferFails, codePayloadHash}, []Response{offer, ack, ack}},
		{"install-fails", false, scenario{installFails, codePostinstall}, []Response{offer, ack, ack, ack, ok(noUpdate)}},
		{"install-exit-3", false, scenario{firmwareB, codeFirmwareB}, []Response{offer, ack, ack, ack, ok(noUpdate)}},
		{"backoff", false, scenario{installFails, codePostinstall},
			[]Response{ok(offerOf("1.1.0", true)), ack, ack, ack, ok(offerOf("1.1.0", true)), ack, ok(noUpdate)}},
		{"restarted-while-downloading", false, scenario{kind: restarts}, []Response{offer, ack, ok(noUpdate)}},
		{"silent", false, scenario{kind: goesSilent}, []Response{offer, ack, ok(noUpdate)}},
		{"rolled-back", false, scenario{kind: rollsBack}, []Response{offer, ack, ack, ack, ok(noUpdate), ok(noUpdate)}},
		{"deferred", false, scenario{defers, codeBackoff}, []Response{offer, ack, ok(noUpdate)}},
		{"program-success", true, scenario{}, []Response{offer, ack, ack, ack, ack, ok(noUpdate)}},
		{"program-fails", true, scenario{installFails, 0}, []Response{offer, ack, ack, ack, ack, ok(noUpdate)}},
		{"program-check-failed", true, scenario{}, []Response{{}, {Status: 503}, ok(noUpdate)}},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			compare(t, filepath.Join("testdata", "scenarios", s.name+".txt"), transcript(t, testMachine(s.program, s.scenario), s.responses))
		})
	}
}

// transcript returns the machine's requests, given the responses.
func transcript(t *testing.T, m *Machine, responses []Response) string {
	var b strings.Builder
	var now time.Duration
	for _, r := range responses {
		sent := m.next(now)
		body := daemonXML(&m.Identity, sent)
		if m.program {
			body = programXML(&m.Identity, sent)
		}
		if _, err := omaha.ParseRequest("text/xml", strings.NewReader(string(body))); err != nil {
			t.Errorf("go-omaha cannot parse %s: %v", body, err)
		}
		result := m.receive(now, r)
		fmt.Fprintf(&b, "--- after %s\n%s", now.Round(time.Second), strings.TrimSuffix(string(body), "\n"))
		fmt.Fprintf(&b, "\n... status %d:%s wait %s\n", r.Status, describe(result), result.Wait.Round(time.Second))
		now += result.Wait
	}
	return b.String()
}

func describe(r Result) string {
	var b strings.Builder
	for _, w := range []struct {
		set  bool
		name string
	}{
		{r.Checked, "checked"}, {r.Held, "held"}, {r.Offered, "offered"}, {r.Updated, "updated"}, {r.Failed, "failed"},
		{r.RolledBack, "rolled back"}, {r.Deferred, "deferred"}, {r.Silent, "silent"}, {r.Unanswered, "unanswered"},
		{r.Refused, "refused"}, {r.Downgrade, "downgrade"},
	} {
		if w.set {
			b.WriteString(" " + w.name + ",")
		}
	}
	return b.String()
}

func compare(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; got\n%s", name, got)
	}
}

func TestDaemonRejectsUnusableResponses(t *testing.T) {
	good := offerOf("1.1.0", false)
	for _, c := range []struct {
		name, body string
		code       int32
	}{
		{"good", good, 0},
		{"noupdate", noUpdate, 0},
		{"empty", "", codeEmptyResponse},
		{"text", "no", codeNotXML},
		{"blank before the prologue", " " + good, codeNotXML},
		{"other root", strings.ReplaceAll(good, "response", "reply"), codeInvalidResponse},
		{"namespace", strings.Replace(good, "<response", `<response xmlns="urn:x"`, 1), codeInvalidResponse},
		{"upper case status", strings.Replace(good, `updatecheck status="ok"`, `updatecheck status="OK"`, 1), codeInvalidResponse},
		{"error status", strings.Replace(good, `updatecheck status="ok"`, `updatecheck status="error-internal"`, 1), codeInvalidResponse},
		{"no updatecheck", acknowledged, codeInvalidResponse},
		{"no codebase", strings.Replace(good, "codebase", "other", 1), codeInvalidResponse},
		{"no name", strings.Replace(good, "name=", "other=", 1), codeInvalidResponse},
		{"no size", strings.Replace(good, `size="100"`, `size="0"`, 1), codeInvalidResponse},
		{"no hash", strings.Replace(good, "sha256", "other", 1), codeInvalidResponse},
		{"no postinstall", strings.Replace(good, "postinstall", "install", 1), codeInvalidResponse},
	} {
		if _, code := ReadAnswer([]byte(c.body), true); code != c.code {
			t.Errorf("%s: code %d, want %d", c.name, code, c.code)
		}
	}
}

func TestPollIntervalIsAppliedWithinLimits(t *testing.T) {
	for _, c := range []struct{ requested, want time.Duration }{
		{0, 45 * time.Minute},
		{time.Minute, 45 * time.Minute},
		{2 * time.Hour, 2 * time.Hour},
		{9 * time.Hour, 4 * time.Hour},
	} {
		m := testMachine(false, scenario{})
		body := strings.Replace(noUpdate, "<updatecheck ", fmt.Sprintf("<updatecheck PollInterval=%q ", fmt.Sprint(int(c.requested.Seconds()))), 1)
		m.next(0)
		if got := m.receive(0, Response{200, []byte(body)}).Wait.Round(time.Second); got != c.want {
			t.Errorf("PollInterval %s: waits %s, want %s", c.requested, got, c.want)
		}
	}
}

func TestServerErrorsDoubleTheIntervalUpToFourHours(t *testing.T) {
	m := testMachine(false, scenario{})
	for _, want := range []time.Duration{90 * time.Minute, 3 * time.Hour, 4 * time.Hour, 4 * time.Hour} {
		m.next(0)
		m.receive(0, Response{Status: 503})
		m.next(0) // reports the failed check
		if got := m.receive(0, Response{Status: 503}).Wait.Round(time.Second); got != want {
			t.Fatalf("waits %s, want %s", got, want)
		}
	}
	m.next(0)
	if got := m.receive(0, Response{200, []byte(noUpdate)}).Wait.Round(time.Second); got != 45*time.Minute {
		t.Errorf("waits %s after a successful check", got)
	}
}

func TestSameSeedGivesTheSameMachines(t *testing.T) {
	b := DefaultBehavior()
	id := Identity{App: testApp, Track: "production"}
	ids := map[string]bool{}
	for i := range 1000 {
		one, two := newMachine(&b, id, false, "1.0.0", 7, i), newMachine(&b, id, false, "1.0.0", 7, i)
		if one.Identity != two.Identity || one.bootID() != two.bootID() || one.random.Uint64() != two.random.Uint64() {
			t.Fatalf("machine %d differs between two runs", i)
		}
		if len(one.Identity.Machine) != 32 {
			t.Fatalf("machine id %q is not 32 hexadecimal digits", one.Identity.Machine)
		}
		ids[one.Identity.Machine] = true
	}
	if len(ids) != 1000 {
		t.Errorf("%d different machine ids, want 1000", len(ids))
	}
	if other := newMachine(&b, id, false, "1.0.0", 8, 0); ids[other.Identity.Machine] {
		t.Error("another seed gives the same machine id")
	}
}
