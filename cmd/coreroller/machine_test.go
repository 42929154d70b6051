package main

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

var update = flag.Bool("update", false, "rewrite testdata from what the machines do; review the difference")

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

// testMachine is machine 0 of seed 1 with the chances of its life taken away:
// every spread wait is at its middle or close to it.
func testMachine(program bool, s story) *machine {
	h := defaultHabits()
	m := newMachine(&h, identity{App: testApp, Track: "production", Board: "amd64-usr", Alias: "sim"}, program, "1.0.0", 1, 0)
	m.random = rand.New(middle{})
	m.draw = func(*machine) story { return s }
	return m
}

// middle is a source from which Float64 is always 0.5.
type middle struct{}

func (middle) Uint64() uint64 { return 1 << 52 }

// Each story that update_engine and the updater library can tell, as the
// requests of the machine. The wording is that of update_engine 0.4.10
// (omaha_request_action.cc) and go-omaha; a change of a file is a change of what
// the simulation claims a real machine does.
func TestStories(t *testing.T) {
	ok := func(body string) reply { return reply{200, []byte(body)} }
	offer, ack := ok(offerOf("1.1.0", false)), ok(acknowledged)
	stories := []struct {
		name    string
		program bool
		story   story
		replies []reply
	}{
		{"success", false, story{}, []reply{offer, ack, ack, ack, ok(noUpdate), ok(noUpdate)}},
		{"nothing-new", false, story{}, []reply{ok(noUpdate), ok(noUpdate)}},
		{"check-failed-http", false, story{}, []reply{{Status: 500}, {Status: 500}, {Status: 503}, {Status: 200}, {Status: 404}}},
		{"check-failed-no-answer", false, story{}, []reply{{}, {}, {}, {}, {}, ok(noUpdate)}},
		{"check-failed-not-xml", false, story{}, []reply{ok("<html>"), ack, ok(""), ack}},
		{"check-failed-invalid", false, story{}, []reply{ok(acknowledged), ack}},
		{"transfer-bad", false, story{storyTransferFails, codeTransfer}, []reply{offer, ack, ack, ok(noUpdate)}},
		{"payload-bad", false, story{storyTransferFails, codePayloadHash}, []reply{offer, ack, ack}},
		{"install-fails", false, story{storyInstallFails, codePostinstall}, []reply{offer, ack, ack, ack, ok(noUpdate)}},
		{"install-exit-3", false, story{storyFirmwareB, codeFirmwareB}, []reply{offer, ack, ack, ack, ok(noUpdate)}},
		{"backoff", false, story{storyInstallFails, codePostinstall},
			[]reply{ok(offerOf("1.1.0", true)), ack, ack, ack, ok(offerOf("1.1.0", true)), ack, ok(noUpdate)}},
		{"killed-while-downloading", false, story{kind: storyKilled}, []reply{offer, ack, ok(noUpdate)}},
		{"silent", false, story{kind: storySilent}, []reply{offer, ack, ok(noUpdate)}},
		{"rolled-back", false, story{kind: storyRollsBack}, []reply{offer, ack, ack, ack, ok(noUpdate), ok(noUpdate)}},
		{"deferred", false, story{storyDefers, codeBackoff}, []reply{offer, ack, ok(noUpdate)}},
		{"program-success", true, story{}, []reply{offer, ack, ack, ack, ack, ok(noUpdate)}},
		{"program-fails", true, story{storyInstallFails, 0}, []reply{offer, ack, ack, ack, ack, ok(noUpdate)}},
		{"program-check-failed", true, story{}, []reply{{}, {Status: 503}, ok(noUpdate)}},
	}
	for _, s := range stories {
		t.Run(s.name, func(t *testing.T) {
			compare(t, filepath.Join("testdata", "stories", s.name+".txt"), transcript(t, testMachine(s.program, s.story), s.replies))
		})
	}
}

// transcript lets a machine live through the replies.
func transcript(t *testing.T, m *machine, replies []reply) string {
	var b strings.Builder
	var now time.Duration
	for _, r := range replies {
		sent := m.act(now)
		body := daemonXML(&m.id, sent)
		if m.program {
			body = programXML(&m.id, sent)
		}
		if _, err := omaha.ParseRequest("text/xml", strings.NewReader(string(body))); err != nil {
			t.Errorf("go-omaha does not understand %s: %v", body, err)
		}
		turn := m.hear(now, r)
		fmt.Fprintf(&b, "--- after %s\n%s", now.Round(time.Second), strings.TrimSuffix(string(body), "\n"))
		fmt.Fprintf(&b, "\n... answer %d, so:%s wait %s\n", r.Status, meaning(turn), turn.Wait.Round(time.Second))
		now += turn.Wait
	}
	return b.String()
}

func meaning(t turn) string {
	var b strings.Builder
	for _, w := range []struct {
		is   bool
		word string
	}{
		{t.Checked, "checked"}, {t.Held, "held"}, {t.Offered, "offered"}, {t.Updated, "updated"}, {t.Failed, "failed"},
		{t.RolledBack, "rolled back"}, {t.Deferred, "deferred"}, {t.Silent, "silent"}, {t.Unanswered, "unanswered"},
		{t.Refused, "refused"}, {t.Downgrade, "downgrade"},
	} {
		if w.is {
			b.WriteString(" " + w.word + ",")
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

func TestAnswersThatTheDaemonRefuses(t *testing.T) {
	good := offerOf("1.1.0", false)
	for _, c := range []struct {
		name, body string
		code       int32
	}{
		{"good", good, 0},
		{"noupdate", noUpdate, 0},
		{"empty", "", codeEmptyAnswer},
		{"text", "no", codeNotXML},
		{"blank before the prologue", " " + good, codeNotXML},
		{"other root", strings.ReplaceAll(good, "response", "reply"), codeInvalidAnswer},
		{"namespace", strings.Replace(good, "<response", `<response xmlns="urn:x"`, 1), codeInvalidAnswer},
		{"upper case status", strings.Replace(good, `updatecheck status="ok"`, `updatecheck status="OK"`, 1), codeInvalidAnswer},
		{"error status", strings.Replace(good, `updatecheck status="ok"`, `updatecheck status="error-internal"`, 1), codeInvalidAnswer},
		{"no updatecheck", acknowledged, codeInvalidAnswer},
		{"no codebase", strings.Replace(good, "codebase", "other", 1), codeInvalidAnswer},
		{"no name", strings.Replace(good, "name=", "other=", 1), codeInvalidAnswer},
		{"no size", strings.Replace(good, `size="100"`, `size="0"`, 1), codeInvalidAnswer},
		{"no hash", strings.Replace(good, "sha256", "other", 1), codeInvalidAnswer},
		{"no postinstall", strings.Replace(good, "postinstall", "install", 1), codeInvalidAnswer},
	} {
		if _, code := readAnswer([]byte(c.body), true); code != c.code {
			t.Errorf("%s: code %d instead of %d", c.name, code, c.code)
		}
	}
}

func TestPollIntervalIsFollowedWithinLimits(t *testing.T) {
	for _, c := range []struct{ asked, want time.Duration }{
		{0, 45 * time.Minute},
		{time.Minute, 45 * time.Minute},
		{2 * time.Hour, 2 * time.Hour},
		{9 * time.Hour, 4 * time.Hour},
	} {
		m := testMachine(false, story{})
		body := strings.Replace(noUpdate, "<updatecheck ", fmt.Sprintf("<updatecheck PollInterval=%q ", fmt.Sprint(int(c.asked.Seconds()))), 1)
		m.act(0)
		if got := m.hear(0, reply{200, []byte(body)}).Wait.Round(time.Second); got != c.want {
			t.Errorf("asked %s: waits %s instead of %s", c.asked, got, c.want)
		}
	}
}

func TestOverloadDoublesTheIntervalUpToFourHours(t *testing.T) {
	m := testMachine(false, story{})
	for _, want := range []time.Duration{90 * time.Minute, 3 * time.Hour, 4 * time.Hour, 4 * time.Hour} {
		m.act(0)
		m.hear(0, reply{Status: 503})
		m.act(0) // reports the failed check
		if got := m.hear(0, reply{Status: 503}).Wait.Round(time.Second); got != want {
			t.Fatalf("waits %s instead of %s", got, want)
		}
	}
	m.act(0)
	if got := m.hear(0, reply{200, []byte(noUpdate)}).Wait.Round(time.Second); got != 45*time.Minute {
		t.Errorf("waits %s after a good answer", got)
	}
}

func TestTheSameSeedIsTheSameFleet(t *testing.T) {
	h := defaultHabits()
	id := identity{App: testApp, Track: "production"}
	ids := map[string]bool{}
	for i := range 1000 {
		a, b := newMachine(&h, id, false, "1.0.0", 7, i), newMachine(&h, id, false, "1.0.0", 7, i)
		if a.id != b.id || a.bootID() != b.bootID() || a.random.Uint64() != b.random.Uint64() {
			t.Fatalf("machine %d differs between two runs", i)
		}
		if len(a.id.Machine) != 32 {
			t.Fatalf("machine id %q is not 32 hexadecimal digits", a.id.Machine)
		}
		ids[a.id.Machine] = true
	}
	if len(ids) != 1000 {
		t.Errorf("%d different machines of 1000", len(ids))
	}
	if other := newMachine(&h, id, false, "1.0.0", 8, 0); ids[other.id.Machine] {
		t.Error("another seed has the same machine")
	}
}
