package notify_test

import (
	"context"
	"encoding/json"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/coreroller/coreroller/remote/notify"
	"github.com/coreroller/coreroller/remote/payload"
)

// at is the time of the attempts in these tests.
var at = time.Unix(1795820400, 0)

// loopback permits the servers of the tests.
var loopback = payload.Sources{Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}}

func halted() notify.Delivery {
	return notify.Delivery{ID: "evt_1", Messages: []notify.Message{{
		Type: "rollout.halted", At: at, Severity: "ERROR", Title: "Rollout halted", URL: "https://updates.example/apps/1/groups/2",
		Sentence:    "the rollout was halted: <!channel> 3 of 12 attempts failed; resume it or promote another package",
		Application: notify.Object{ID: "1", Name: "Flatcar"}, Group: notify.Object{ID: "2", Name: "stable"}, Version: "4230.2.1",
	}}}
}

// receiver is a web server that keeps the requests.
type receiver struct {
	*httptest.Server
	bodies  []string
	headers []http.Header
}

func newReceiver(t *testing.T, answer func(w http.ResponseWriter, r *http.Request, n int)) *receiver {
	t.Helper()
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		r.bodies, r.headers = append(r.bodies, string(body)), append(r.headers, req.Header.Clone())
		answer(w, req, len(r.bodies))
	}))
	t.Cleanup(r.Close)
	return r
}

func ok(w http.ResponseWriter, _ *http.Request, _ int) { w.WriteHeader(http.StatusNoContent) }

func TestSignatureIsThatOfThePublishedRecipe(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, secret, id, body, want string }{
		{
			"vector", "whsec_Y29yZXJvbGxlci1leGFtcGxlLWtleS0zMi1ieXRlcyE=", "evt_01example",
			`{"type":"rollout.halted","timestamp":"2026-11-27T23:00:00Z","data":{"rolloutId":"7c1b"}}`,
			"v1,zDezAf77bW9R6b4A4YYDsWaFEUzqyTaEJZ+8Jzx0l8A=",
		},
	} {
		got, err := notify.Sign([]string{c.secret}, c.id, time.Unix(1795820400, 0), []byte(c.body))
		if err != nil || got != c.want {
			t.Errorf("%s: signature %q, %v; want %q", c.name, got, err, c.want)
		}
	}
	if _, err := notify.Sign([]string{"secret"}, "a", at, nil); err == nil {
		t.Error("a secret without prefix signs")
	}
}

func TestWebhookIsSignedWithBothSecretsOfARotation(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, ok)
	secrets := []string{notify.NewSecret(), notify.NewSecret()}
	to := notify.Target{Kind: notify.Webhook, URL: r.URL + "/in", Secrets: secrets, Authorization: "Bearer hidden"}
	answer := notify.New(notify.Options{To: loopback, UserAgent: "CoreRoller/test"}).Send(t.Context(), to, halted(), at)
	if !answer.Delivered() || answer.Status != http.StatusNoContent {
		t.Fatalf("answer %+v", answer)
	}
	want, _ := notify.Sign(secrets, "evt_1", at, []byte(r.bodies[0]))
	h := r.headers[0]
	if h.Get("webhook-signature") != want || !strings.Contains(want, " ") || h.Get("webhook-id") != "evt_1" || h.Get("webhook-timestamp") != "1795820400" {
		t.Errorf("headers %v, want the signature %q", h, want)
	}
	if h.Get("Authorization") != "Bearer hidden" || strings.Contains(answer.Request, "hidden") || strings.Contains(answer.Request, "v1,") {
		t.Errorf("the log has a secret, or the request lacks it:\n%s", answer.Request)
	}
	var body struct {
		Type string
		Data struct{ Title, Sentence, URL string }
	}
	if err := json.Unmarshal([]byte(r.bodies[0]), &body); err != nil || body.Type != "rollout.halted" || body.Data.URL == "" || body.Data.Sentence == "" {
		t.Errorf("body %s: %v", r.bodies[0], err)
	}
}

func TestSlackGetsEscapedTextAndSurvivesRefusedBlocks(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, func(w http.ResponseWriter, _ *http.Request, n int) {
		if n == 1 {
			http.Error(w, "invalid_blocks", http.StatusBadRequest)
			return
		}
		_, _ = w.Write([]byte("ok"))
	})
	answer := notify.New(notify.Options{To: loopback}).Send(t.Context(), notify.Target{Kind: notify.Slack, URL: r.URL + "/services/T/B/secret"}, halted(), at)
	if !answer.Delivered() || len(r.bodies) != 2 {
		t.Fatalf("answer %+v after %d requests", answer, len(r.bodies))
	}
	if !strings.Contains(r.bodies[0], `"blocks"`) || strings.Contains(r.bodies[1], `"blocks"`) {
		t.Errorf("requests %q", r.bodies)
	}
	for _, body := range r.bodies {
		var decoded struct{ Text string }
		if err := json.Unmarshal([]byte(body), &decoded); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(decoded.Text, "<!channel>") || !strings.Contains(decoded.Text, "&lt;!channel&gt;") || !strings.Contains(decoded.Text, "<https://updates.example/apps/1/groups/2|Open>") {
			t.Errorf("text %q", decoded.Text)
		}
	}
	if strings.Contains(answer.Request, "secret") {
		t.Errorf("the log has the secret path: %s", answer.Request)
	}
}

func TestSlackMessagesStayBelowTheLimits(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, ok)
	d := halted()
	d.Messages[0].Sentence = strings.Repeat("&<ü>", 5000)
	d.Messages[0].Title = strings.Repeat("ü", 500)
	notify.New(notify.Options{To: loopback}).Send(t.Context(), notify.Target{Kind: notify.Slack, URL: r.URL}, d, at)
	var body struct {
		Blocks []struct{ Text *struct{ Type, Text string } }
	}
	if err := json.Unmarshal([]byte(r.bodies[0]), &body); err != nil {
		t.Fatal(err)
	}
	for _, b := range body.Blocks {
		if b.Text != nil && (b.Text.Type == "plain_text" && len([]rune(b.Text.Text)) > 150 || len(b.Text.Text) > 3000 || b.Text.Text == "") {
			t.Errorf("a text of %d bytes", len(b.Text.Text))
		}
	}
}

func TestReceiverThatMisbehavesEndsInAClass(t *testing.T) {
	t.Parallel()
	hold := make(chan struct{})
	t.Cleanup(func() { close(hold) })
	wait := func(r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-hold:
		}
	}
	elsewhere := newReceiver(t, ok)
	for _, c := range []struct {
		name   string
		answer func(w http.ResponseWriter, r *http.Request, n int)
		class  notify.Class
		check  func(a *notify.Answer) bool
	}{
		{"fails", func(w http.ResponseWriter, _ *http.Request, _ int) {
			w.Header().Set("Retry-After", "1800")
			http.Error(w, "database is in maintenance mode", http.StatusServiceUnavailable)
		}, notify.ClassStatus, func(a *notify.Answer) bool {
			return a.RetryAfter == 30*time.Minute && strings.Contains(a.Response, "maintenance mode")
		}},
		{"is gone", func(w http.ResponseWriter, _ *http.Request, _ int) { w.WriteHeader(http.StatusGone) }, notify.ClassStatus, func(a *notify.Answer) bool { return a.Gone }},
		{"redirects", func(w http.ResponseWriter, r *http.Request, _ int) {
			http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
		}, notify.ClassStatus, func(*notify.Answer) bool { return len(elsewhere.bodies) == 0 }},
		{"hangs", func(_ http.ResponseWriter, r *http.Request, _ int) { wait(r) }, notify.ClassTimeout, nil},
		{"is slow", func(w http.ResponseWriter, r *http.Request, _ int) {
			w.WriteHeader(http.StatusOK)
			_ = http.NewResponseController(w).Flush()
			wait(r)
		}, notify.ClassTimeout, nil},
		{"sends too much", func(w http.ResponseWriter, _ *http.Request, _ int) {
			_, _ = w.Write([]byte(strings.Repeat("x\x00", 1<<20)))
		}, notify.ClassNone, func(a *notify.Answer) bool {
			return len(a.Response) < 20_000 && !strings.Contains(a.Response, "\x00")
		}},
		{"closes", func(w http.ResponseWriter, _ *http.Request, _ int) {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				_ = conn.Close()
			}
		}, notify.ClassConnect, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newReceiver(t, c.answer)
			s := notify.New(notify.Options{To: loopback, Timeout: 300 * time.Millisecond})
			a := s.Send(t.Context(), notify.Target{Kind: notify.Webhook, URL: r.URL, Secrets: []string{notify.NewSecret()}}, halted(), at)
			if a.Class != c.class || c.check != nil && !c.check(a) {
				t.Errorf("answer %+v, want the class %q", a, c.class)
			}
		})
	}
}

func TestAddressesInsideTheNetworkAreRefused(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, ok)
	everything := payload.Sources{Public: true, Networks: []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}}
	for _, c := range []struct {
		url string
		to  payload.Sources
	}{
		{r.URL, payload.Sources{Public: true}},
		{strings.Replace(r.URL, "127.0.0.1", "localhost", 1), payload.Sources{Public: true}}, // a name that leads inside
		{"http://10.1.2.3/", payload.Sources{Public: true}},
		{"http://169.254.169.254/latest/", everything},
		{"http://[fe80::1]/", everything},
		{"http://[fd00:ec2::254]/", everything},
		{"http://168.63.129.16/", everything},
		{"http://100.100.100.200/", everything},
		{"http://[::ffff:169.254.169.254]/", everything},
		{"http://[64:ff9b::a9fe:a9fe]/", everything},
	} {
		a := notify.New(notify.Options{To: c.to}).Send(t.Context(), notify.Target{Kind: notify.Slack, URL: c.url}, halted(), at)
		if a.Class != notify.ClassRefused || !strings.Contains(a.Error, "--notify-to") {
			t.Errorf("%s: %+v, want it refused", c.url, a)
		}
	}
	if len(r.bodies) > 0 {
		t.Errorf("the receiver got %d requests", len(r.bodies))
	}
}

// A name can lead to a permitted address at one attempt and inside the network at the
// next: what counts is the address of the connection.
func TestNameThatChangesItsAddressIsRefused(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, ok)
	port := r.URL[strings.LastIndex(r.URL, ":"):]
	names := startNames(t, [4]byte{127, 0, 0, 1})
	s := notify.New(notify.Options{To: payload.Sources{Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}}, Resolver: names.resolver()})
	to := notify.Target{Kind: notify.Slack, URL: "http://hook.test." + port}
	if a := s.Send(t.Context(), to, halted(), at); !a.Delivered() {
		t.Fatalf("answer %+v", a)
	}
	for _, address := range [][4]byte{{127, 0, 0, 2}, {169, 254, 169, 254}, {10, 0, 0, 1}} {
		names.set(address)
		if a := s.Send(t.Context(), to, halted(), at); a.Class != notify.ClassRefused {
			t.Errorf("%v: answer %+v, want it refused", address, a)
		}
	}
	if len(r.bodies) != 1 {
		t.Errorf("%d requests", len(r.bodies))
	}
}

func TestURLsAreChecked(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"", "example.com", "ftp://example.com/", "http://user:secret@example.com/", "http:///path", "http://example.com/#part"} {
		if notify.CheckURL(bad) == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
	if err := notify.CheckURL("https://example.com/hooks?x=1"); err != nil {
		t.Error(err)
	}
}

func TestUnreachableReceiverNamesTheCause(t *testing.T) {
	t.Parallel()
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := "http://" + l.Addr().String()
	_ = l.Close()
	encrypted := httptest.NewUnstartedServer(http.NotFoundHandler())
	encrypted.Config.ErrorLog = log.New(io.Discard, "", 0)
	encrypted.StartTLS()
	t.Cleanup(encrypted.Close)
	for url, class := range map[string]notify.Class{closed: notify.ClassConnect, encrypted.URL: notify.ClassTLS, "http://no-such-name.invalid/": notify.ClassDNS} {
		a := notify.New(notify.Options{To: loopback}).Send(t.Context(), notify.Target{Kind: notify.Slack, URL: url}, halted(), at)
		if a.Class != class || a.Error == "" || strings.Contains(a.Error, url) {
			t.Errorf("%s: %+v, want the class %q", url, a, class)
		}
	}
}
