package payload_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/coreroller/coreroller/remote/payload"
)

// hello are the facts of the file "hello\n", from sha1sum, sha256sum and base64.
var hello = payload.Facts{
	Size: 6, SHA1: "9XLTlvrpIGYocU+yzgD3LpTyJY8=",
	SHA256: "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03",
}

func TestFactsOfAFile(t *testing.T) {
	var seen []int64
	facts, err := payload.Read(iotest.OneByteReader(strings.NewReader("hello\n")), 6, func(done, total int64) { seen = append(seen, done*10+total) })
	if err != nil || facts != hello {
		t.Errorf("%+v %v", facts, err)
	}
	if len(seen) != 6 || seen[0] != 16 || seen[5] != 66 {
		t.Errorf("progress %v", seen)
	}
	if _, err := payload.Read(iotest.ErrReader(errors.New("broken disk")), 0, nil); err == nil {
		t.Error("a file that cannot be read was accepted")
	}
}

// loopback permits the servers of the tests.
func loopback() payload.Sources {
	return payload.Sources{Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
}

// site serves files for the tests.
func site(t *testing.T, other string) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("/hello", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept-Encoding") != "identity" {
			t.Errorf("accepts %q", r.Header.Get("Accept-Encoding"))
		}
		_, _ = w.Write([]byte("hello\n"))
	})
	mux.HandleFunc("/empty", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/compressed", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write([]byte("hello\n"))
	})
	mux.HandleFunc("/short", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = w.Write([]byte("hello\n"))
	})
	mux.HandleFunc("/announced", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1001")
		w.WriteHeader(http.StatusOK)
	})
	mux.HandleFunc("/endless", func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			if _, err := w.Write(make([]byte, 1000)); err != nil {
				return
			}
		}
	})
	mux.HandleFunc("/slow", func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte("hello\n"))
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	mux.HandleFunc("/drip", func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			_, _ = w.Write([]byte("h"))
			_ = http.NewResponseController(w).Flush()
			time.Sleep(5 * time.Millisecond)
		}
	})
	mux.Handle("/moved", http.RedirectHandler("/hello", http.StatusFound))
	mux.Handle("/away", http.RedirectHandler(other, http.StatusFound))
	mux.Handle("/file", http.RedirectHandler("file:///etc/passwd", http.StatusFound))
	mux.Handle("/loop", http.RedirectHandler("/loop", http.StatusFound))
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

func TestFetch(t *testing.T) {
	other := httptest.NewServer(http.NotFoundHandler())
	defer other.Close()
	elsewhere := strings.Replace(other.URL, "127.0.0.1", "[::1]", 1)
	s := site(t, elsewhere)
	f := payload.NewFetcher(loopback(), payload.Limits{Size: 1000, Total: 300 * time.Millisecond, Stall: 100 * time.Millisecond})
	for _, c := range []struct{ path, want string }{
		{"/hello", ""},
		{"/moved", ""},
		{"/missing", "answered 404 Not Found"},
		{"/empty", "empty"},
		{"/compressed", "compresses"},
		{"/short", "ended the connection early"},
		{"/announced", "larger than 1000 bytes"},
		{"/endless", "larger than 1000 bytes"},
		{"/slow", "sent nothing for 100ms"},
		{"/drip", "took longer than 300ms"},
		{"/away", "may not fetch from the address ::1"},
		{"/file", "http or https"},
		{"/loop", "more than 5 redirects"},
	} {
		facts, err := f.Fetch(t.Context(), s.URL+c.path, nil)
		if c.want == "" && (err != nil || facts != hello) || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %+v %v, want %q", c.path, facts, err, c.want)
		}
	}
	for _, wrong := range []string{"", "hello", "ftp://127.0.0.1/x", "file:///etc/passwd", "http://", "http://ana:secret@127.0.0.1/x", "http://%zz"} {
		if _, err := f.Fetch(t.Context(), wrong, nil); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", wrong, err)
		}
	}
}

func TestFetchEndsWithItsContext(t *testing.T) {
	s := site(t, "")
	ctx, cancel := context.WithCancel(t.Context())
	f := payload.NewFetcher(loopback(), payload.DefaultLimits())
	_, err := f.Fetch(ctx, s.URL+"/slow", func(_, _ int64) { cancel() })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestOnlyPublicAddressesAreFetchedByDefault(t *testing.T) {
	s := site(t, "")
	local := strings.Replace(s.URL, "127.0.0.1", "localhost", 1)
	for _, address := range []string{
		s.URL, local, "http://0.0.0.0/", "http://10.1.2.3/", "http://172.16.0.1/", "http://192.168.1.1/", "http://169.254.169.254/latest/",
		"http://100.64.0.1/", "http://[::1]/", "http://[::]/", "http://[fe80::1]/", "http://[fd00:ec2::254]/", "http://[::ffff:127.0.0.1]/",
		"http://[64:ff9b::7f00:1]/", "http://[2002:7f00:1::]/", "http://224.0.0.1/", "http://255.255.255.255/",
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		_, err := payload.NewFetcher(payload.Sources{Public: true}, payload.DefaultLimits()).Fetch(ctx, address, nil)
		cancel()
		if err == nil || !strings.Contains(err.Error(), "may not fetch from the address") {
			t.Errorf("%s: %v", address, err)
		}
	}
}
