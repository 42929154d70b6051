package load

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func serve(t *testing.T, f http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(f)
	t.Cleanup(s.Close)
	return s
}

func address(s *httptest.Server) string { return s.Listener.Addr().String() }

const (
	offer = `<response><app appid="a" status="ok"><ping status="ok"/><updatecheck status="ok"><urls/><manifest version="2.0.0"/></updatecheck></app></response>`
	none  = `<response><app appid="a" status="ok"><updatecheck status="noupdate" info="up_to_date"/></app></response>`
	held  = `<response><app appid="a" status="ok"><updatecheck status="noupdate" info="paused" PollInterval="5400"/></app></response>`
	noted = `<response><app appid="a" status="ok"><event status="ok"/></app></response>`
	wrong = `<response><app appid="a" status="error-unknownApplication"></app></response>`
)

func write(w http.ResponseWriter, body string) {
	w.Header().Set("Content-Length", fmt.Sprint(len(body)))
	_, _ = io.WriteString(w, body)
}

// The plan ends when its source returns nil.
func TestOutcomesAreCounted(t *testing.T) {
	answers := []string{offer, none, held, noted, wrong, "503", "500", "close " + none, "break"}
	want := map[Outcome]int{Offered: 1, UpToDate: 2, Held: 1, Acknowledged: 1, Busy: 1, Other: 2, Unanswered: 1}
	var requests atomic.Int64
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.Method != http.MethodPost || r.URL.Path != "/v1/update/" || r.Host == "" || !strings.HasPrefix(string(body), "number ") {
			t.Errorf("%s %s, host %q, body %q", r.Method, r.URL, r.Host, body)
		}
		switch a := answers[requests.Load()-1]; {
		case a == "503" || a == "500":
			w.WriteHeader(map[string]int{"503": 503, "500": 500}[a])
			write(w, "error")
		case a == "break":
			panic(http.ErrAbortHandler)
		case strings.HasPrefix(a, "close "):
			w.Header().Set("Connection", "close")
			write(w, strings.TrimPrefix(a, "close "))
		default:
			write(w, a)
		}
	})
	r, err := Run(t.Context(), Plan{Address: address(s), Connections: 1, Length: time.Minute, Source: func(_ int, _, buf []byte) []byte {
		if n := requests.Add(1); n <= int64(len(answers)) {
			return fmt.Appendf(buf, "number %d", n)
		}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	for o := range outcomes {
		if r.Count(o) != want[o] {
			t.Errorf("%s: %d, want %d", o, r.Count(o), want[o])
		}
	}
	if r.Answered() != 8 || r.Errors() != 3 || r.Unsent() != 0 {
		t.Errorf("%d answered, %d errors, %d unsent", r.Answered(), r.Errors(), r.Unsent())
	}
	for _, want := range []string{"1 × HTTP 500", "error-unknownApplication", "1 × no response"} {
		if !strings.Contains(r.ErrorDetails(), want) {
			t.Errorf("%q does not contain %q", r.ErrorDetails(), want)
		}
	}
	if got := r.Outcomes(); got != "offered 1, up to date 2, held 1, acknowledged 1, 503 1, other errors 2, unanswered 1" {
		t.Errorf("outcomes: %s", got)
	}
}

func TestRunFailsIfNoRequestIsAnswered(t *testing.T) {
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	var asked [2]bool
	r, err := Run(t.Context(), Plan{Address: l.Addr().String(), Connections: 2, Length: time.Minute,
		Source: func(connection int, _, buf []byte) []byte {
			if asked[connection] {
				return nil
			}
			asked[connection] = true
			return append(buf, 'x')
		}})
	if err == nil || r.Count(Unanswered) != 2 || !strings.Contains(err.Error(), "refused") {
		t.Errorf("%v, %s", err, r.Outcomes())
	}
}

// In an open loop the response time counts from the due time, and requests that
// were never sent are reported.
func TestOpenLoopCountsDelays(t *testing.T) {
	const length = 300 * time.Millisecond
	var first sync.Once
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		first.Do(func() { time.Sleep(2 * length) }) // longer than the plan
		write(w, none)
	})
	r, err := Run(t.Context(), Plan{Address: address(s), Connections: 1, Rate: 100, Length: length, Source: func(_ int, _, buf []byte) []byte { return append(buf, 'x') }})
	if err != nil || r.Answered() != 1 || r.Percentile(1) < 2*length || r.Unsent() != 29 {
		t.Errorf("%v, %s, max %v", err, r.Outcomes(), r.Percentile(1))
	}
}

func TestReconnectOpensAConnectionForEachRequest(t *testing.T) {
	var connections atomic.Int64
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { write(w, none) }))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	s.Start()
	defer s.Close()
	for reconnect, want := range map[bool]int64{true: 5, false: 1} {
		connections.Store(0)
		fleet := NewFleet("a", "t")
		r, err := Run(t.Context(), Plan{Address: address(s), Connections: 1, Reconnect: reconnect, Length: time.Minute,
			Source: fleet.CheckOnce(5, "1.0.0", func(n int) string { return MachineID(0, uint64(n)) })})
		if err != nil || r.Count(UpToDate) != 5 || connections.Load() != want {
			t.Errorf("reconnect %v: %v, %s over %d connections", reconnect, err, r.Outcomes(), connections.Load())
		}
	}
}

func TestCanceledRunReturnsItsResult(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		cancel()
		write(w, none)
	})
	r, err := Run(ctx, Plan{Address: address(s), Connections: 1, Rate: 0.01, Length: time.Hour, Source: func(_ int, _, buf []byte) []byte { return append(buf, 'x') }})
	if err != nil || r.Answered() != 1 || r.Unsent() != 0 {
		t.Errorf("%v, %s", err, r.Outcomes())
	}
}

// A machine without an offer is replaced by the next one.
func TestUpdatesSendEveryStep(t *testing.T) {
	s := NewFleet("a&b", "t").Updates(7, "1.0.0", 1)
	answers := []string{"", held, offer, noted, noted, noted, none}
	want := []string{"<updatecheck>", "<updatecheck>", `eventtype="13"`, `eventtype="14"`, `eventtype="3" eventresult="1"`, `previousversion="1.0.0"`, "<updatecheck>"}
	machines := []int{1, 2, 2, 2, 2, 2, 3}
	for i, answer := range answers {
		body := string(s(0, []byte(answer), nil))
		version := "1.0.0"
		if i == 5 {
			version = "2.0.0"
		}
		for _, text := range []string{want[i], `machineid="` + MachineID(7, uint64(machines[i])) + `"`, ` version="` + version + `" track="t"`, `appid="a&amp;b"`} {
			if !strings.Contains(body, text) {
				t.Errorf("request %d does not contain %s:\n%s", i, text, body)
			}
		}
	}
}

func TestMixAssignsConnectionsByWeight(t *testing.T) {
	constant := func(body string) Source { return func(int, []byte, []byte) []byte { return []byte(body) } }
	s := Mix([]Source{constant("a"), constant("a"), constant("a"), constant("b")})
	var got strings.Builder
	for connection := range 8 {
		got.Write(s(connection, nil, nil))
	}
	if got.String() != "aaabaaab" {
		t.Errorf("connections send %s", got.String())
	}
}

func TestHistogramPercentiles(t *testing.T) {
	h := newHistogram()
	if h.percentile(0.5) != 0 {
		t.Error("an empty histogram returns a percentile above zero")
	}
	for i := 1; i <= 100_000; i++ {
		h.add(time.Duration(i) * time.Microsecond)
	}
	h.add(time.Hour)
	for share, want := range map[float64]time.Duration{0.5: 50 * time.Millisecond, 0.9: 90 * time.Millisecond, 0.99: 99 * time.Millisecond, 0.999: 99900 * time.Microsecond} {
		if got := h.percentile(share); got < want || got > want*101/100+time.Microsecond {
			t.Errorf("percentile %g is %v, want %v to 1 %%", share, got, want)
		}
	}
	if h.percentile(1) != time.Hour {
		t.Errorf("max is %v", h.percentile(1))
	}
	h.add(1<<63 - 1) // above the recorded range
	if h.percentile(1) != 1<<63-1 {
		t.Errorf("max is %v", h.percentile(1))
	}
}
