package api

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// receiver is a server of tus with one upload.
type receiver struct {
	mu      sync.Mutex
	path    string
	got     strings.Builder
	size    int
	made    int
	breakAt int // aborts a request after so many bytes, once; 0: never
	refuse  int // status of POST; 0: accepted
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if token := req.Header.Get("Authorization"); token != "Bearer secret" || req.Header.Get("Tus-Resumable") != "1.0.0" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	switch {
	case req.Method == http.MethodPost && r.refuse > 0:
		w.WriteHeader(r.refuse)
		_, _ = io.WriteString(w, `{"code":"invalid","field":"file","message":"the file is too large"}`)
	case req.Method == http.MethodPost:
		r.made++
		r.path = "/uploads/" + strconv.Itoa(r.made)
		r.size, _ = strconv.Atoi(req.Header.Get("Upload-Length"))
		w.Header().Set("Location", r.path)
		w.WriteHeader(http.StatusCreated)
	case req.URL.Path != r.path:
		w.WriteHeader(http.StatusNotFound)
	case req.Method == http.MethodHead:
		w.Header().Set("Upload-Offset", strconv.Itoa(r.got.Len()))
	default:
		if offset, _ := strconv.Atoi(req.Header.Get("Upload-Offset")); offset != r.got.Len() {
			w.WriteHeader(http.StatusConflict)
			_, _ = io.WriteString(w, `{"code":"conflict","message":"another offset"}`)
			return
		}
		body := io.Reader(req.Body)
		if r.breakAt > 0 {
			body = io.LimitReader(body, int64(r.breakAt))
		}
		_, _ = io.Copy(&r.got, body)
		if r.breakAt > 0 {
			r.breakAt = 0
			panic(http.ErrAbortHandler)
		}
		w.Header().Set("Upload-Offset", strconv.Itoa(r.got.Len()))
		_, _ = io.WriteString(w, `{"url":"https://example.com/payloads/1/"}`)
	}
}

func TestSend(t *testing.T) {
	content := strings.Repeat("0123456789", 1000)
	for name, c := range map[string]struct {
		receiver *receiver
		path     string
		want     string // "": it succeeds
		made     int
	}{
		"whole":     {&receiver{}, "", "", 1},
		"broken":    {&receiver{breakAt: 700}, "", "", 1},
		"expired":   {&receiver{}, "/uploads/old", "", 1},
		"refused":   {&receiver{refuse: 400}, "", "file: the file is too large", 0},
		"continued": {&receiver{path: "/uploads/7", size: len(content)}, "/uploads/7", "", 0},
	} {
		if name == "continued" {
			c.receiver.got.WriteString(content[:4000])
		}
		server := httptest.NewServer(c.receiver)
		s := &Server{URL: server.URL, Token: "secret"}
		begun, last := "", int64(0)
		url, err := s.Send(t.Context(), Upload{
			PackageID: "p", Name: "n", File: strings.NewReader(content), Size: int64(len(content)), Path: c.path,
			Begun: func(path string) { begun = path }, Progress: func(done, _ int64) { last = done },
		})
		switch {
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %v", name, err)
		case c.want == "" && (err != nil || url != "https://example.com/payloads/1/" || c.receiver.got.String() != content || last != int64(len(content))):
			t.Errorf("%s: %v, URL %q, %d bytes, progress %d", name, err, url, c.receiver.got.Len(), last)
		}
		if c.receiver.made != c.made || c.made > 0 && begun != c.receiver.path {
			t.Errorf("%s: %d uploads, begun %q", name, c.receiver.made, begun)
		}
		s.Close()
		server.Close()
	}
}
