package payloads_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/remote/payload/storage"
	"github.com/coreroller/coreroller/server/payloads"
)

// begin begins an upload of the payload and returns its path.
func (s *site) begin(size int) string {
	s.t.Helper()
	resp := s.send("ana", http.MethodPost, "/uploads/", "", tus, "1.0.0", "Upload-Length", strconv.Itoa(size), "Upload-Metadata", s.metadata())
	if resp.StatusCode != http.StatusCreated {
		s.t.Fatal(resp.Status, s.text(resp))
	}
	return resp.Header.Get("Location")
}

func (s *site) metadata() string {
	text := func(v string) string { return base64.StdEncoding.EncodeToString([]byte(v)) }
	return "package " + text(s.pkg.String()) + ",name " + text("agent.tar") + ", reason " + text("built") + ",empty"
}

func (s *site) part(user, at string, offset int, text string) answer {
	s.t.Helper()
	return s.send(user, http.MethodPatch, at, text, tus, "1.0.0", "Upload-Offset", strconv.Itoa(offset), "Content-Type", "application/offset+octet-stream")
}

func TestRanges(t *testing.T) {
	s := newSite(t, payloads.Limits{}, nil)
	content := "0123456789"
	s.upload(content)
	sum := sha256.Sum256([]byte(content))
	tag := `"` + hex.EncodeToString(sum[:]) + `"`
	modified := s.send("", http.MethodHead, s.file(), "").Header.Get("Last-Modified")
	if modified == "" {
		t.Error("no Last-Modified")
	}
	for _, c := range []struct {
		method  string
		headers []string
		status  int
		body    string
		length  int
		part    string
	}{
		{"GET", nil, 200, content, 10, ""},
		{"HEAD", nil, 200, "", 10, ""},
		{"GET", []string{"Range", "bytes=0-3"}, 206, "0123", 4, "bytes 0-3/10"},
		{"HEAD", []string{"Range", "bytes=0-3"}, 206, "", 4, "bytes 0-3/10"},
		{"GET", []string{"Range", "bytes=4-"}, 206, "456789", 6, "bytes 4-9/10"},
		{"GET", []string{"Range", "bytes=4-100"}, 206, "456789", 6, "bytes 4-9/10"},
		{"GET", []string{"Range", "bytes=-3"}, 206, "789", 3, "bytes 7-9/10"},
		{"GET", []string{"Range", "bytes=9-9"}, 206, "9", 1, "bytes 9-9/10"},
		{"GET", []string{"Range", "bytes=10-"}, 416, "invalid range: failed to overlap\n", -1, "bytes */10"},
		{"GET", []string{"Range", "bytes=5-2"}, 416, "invalid range\n", -1, ""},
		{"GET", []string{"Range", "bytes=0-1,4-5"}, 200, content, 10, ""},
		{"GET", []string{"Range", "bytes=4-", "If-Range", tag}, 206, "456789", 6, "bytes 4-9/10"},
		{"GET", []string{"Range", "bytes=4-", "If-Range", `"other"`}, 200, content, 10, ""},
		{"GET", []string{"Range", "bytes=4-", "If-Range", modified}, 206, "456789", 6, "bytes 4-9/10"},
		{"GET", []string{"If-None-Match", tag}, 304, "", -1, ""},
		{"GET", []string{"If-Match", `"other"`}, 412, "", -1, ""},
		{"GET", []string{"If-Modified-Since", modified}, 304, "", -1, ""},
		{"GET", []string{"Accept-Encoding", "gzip"}, 200, content, 10, ""},
	} {
		resp := s.send("", c.method, s.file(), "", c.headers...)
		length := -1
		if resp.StatusCode < 300 {
			length = int(resp.ContentLength)
		}
		if body := s.text(resp); resp.StatusCode != c.status || body != c.body || length != c.length || resp.Header.Get("Content-Range") != c.part {
			t.Errorf("%s %v: %s %q, length %d, range %q", c.method, c.headers, resp.Status, body, length, resp.Header.Get("Content-Range"))
		}
		if h := resp.Header; resp.StatusCode < 400 && h.Get("ETag") != tag ||
			resp.StatusCode < 300 && (h.Get("Accept-Ranges") != "bytes" || h.Get("Content-Type") != "application/octet-stream" || h.Get("X-Content-Type-Options") != "nosniff") {
			t.Errorf("%s %v: %v", c.method, c.headers, h)
		}
	}
	for _, path := range []string{"/payloads/" + s.pkg.String() + "/other.tar", "/payloads/" + s.pkg.String() + "/", "/payloads/x/agent.tar", "/payloads/01a22f1f-0df7-714f-b293-f209ed9385e9/agent.tar"} {
		if resp := s.send("", http.MethodGet, path, ""); resp.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %s", path, resp.Status)
		}
	}
	if resp := s.send("", http.MethodPost, s.file(), ""); resp.StatusCode == http.StatusOK && strings.Contains(s.text(resp), content) {
		t.Errorf("POST: %s", resp.Status)
	}
	row, err := s.View.Package(s.ctx, s.pkg, nil)
	s.ok(err)
	s.ok(s.Hosting.FlushDownloads(t.Context()))
	stored, err := s.View.PackageStored(s.ctx, row)
	s.ok(err)
	if stored[0].Downloads != 10 { // those whose last byte was sent by GET
		t.Errorf("%d downloads", stored[0].Downloads)
	}
	// A file that is not stored is where it came from.
	_, err = s.DeletePackageFile(s.ctx, fleet.DeletePackageFile{PackageID: s.pkg, Name: "agent.tar"})
	s.ok(err)
	if resp := s.send("", http.MethodGet, s.file(), ""); resp.StatusCode != http.StatusFound || resp.Header.Get("Location") != "https://example.com/2/agent.tar" {
		t.Errorf("%s to %q", resp.Status, resp.Header.Get("Location"))
	}
}

func TestLostContentIsAnError(t *testing.T) {
	s := newSite(t, payloads.Limits{}, nil)
	s.upload("0123456789")
	s.ok(os.RemoveAll(filepath.Join(s.dir, "files")))
	if resp := s.send("", http.MethodGet, s.file(), ""); resp.StatusCode != http.StatusInternalServerError || resp.Header.Get("Etag") != "" {
		t.Errorf("%s %v", resp.Status, resp.Header)
	}
}

func TestDownloadsAtOnce(t *testing.T) {
	s := newSite(t, payloads.Limits{AtOnce: 1}, nil)
	s.upload(strings.Repeat("0123456789abcdef", 1<<20)) // more than the buffers of a connection hold
	first := s.send("", http.MethodGet, s.file(), "")
	if first.StatusCode != http.StatusOK {
		t.Fatal(first.Status)
	}
	second := s.send("", http.MethodGet, s.file(), "")
	if second.StatusCode != http.StatusServiceUnavailable || second.Header.Get("Retry-After") != "60" {
		t.Errorf("%s %v", second.Status, second.Header)
	}
	running, err := s.Downloads(s.ctx)
	s.ok(err)
	if len(running) != 1 || running[0].Address != "127.0.0.1" || running[0].File.Name != "agent.tar" {
		t.Errorf("%+v", running)
	}
	if n, err := io.Copy(io.Discard, first.Body); err != nil || n != 16<<20 {
		t.Errorf("%d bytes, %v", n, err)
	}
	late := time.After(20 * time.Second)
	for s.send("", http.MethodHead, s.file(), "").StatusCode != http.StatusOK {
		select {
		case <-late:
			t.Fatal("the place is not free again")
		case <-time.After(time.Millisecond):
		}
	}
}

func TestRates(t *testing.T) {
	size := 96 << 10
	for name, limits := range map[string]payloads.Limits{"all": {Rate: 128 << 10}, "client": {RatePerClient: 128 << 10}} {
		s := newSite(t, limits, nil)
		s.upload(strings.Repeat("x", size))
		began := time.Now()
		if n := len(s.text(s.send("", http.MethodGet, s.file(), ""))); n != size {
			t.Errorf("%s: %d bytes", name, n)
		}
		// The first piece of 32 KiB is free.
		if took := time.Since(began); took < 450*time.Millisecond {
			t.Errorf("%s: took %s", name, took)
		}
	}
	for _, l := range []payloads.Limits{{Rate: 1}, {RatePerClient: -1}, {AtOnce: -1}} {
		if l.Check() == nil {
			t.Errorf("%+v is accepted", l)
		}
	}
}

func TestUploads(t *testing.T) {
	s := newSite(t, payloads.Limits{}, nil)
	options := s.send("ana", http.MethodOptions, "/uploads/", "")
	if options.StatusCode != http.StatusNoContent || options.Header.Get("Tus-Version") != "1.0.0" || options.Header.Get("Tus-Extension") != "creation,termination" {
		t.Errorf("%s %v", options.Status, options.Header)
	}
	at := s.begin(6)
	if resp := s.part("ana", at, 0, "hel"); resp.StatusCode != http.StatusNoContent || resp.Header.Get("Upload-Offset") != "3" {
		t.Errorf("%s %v", resp.Status, resp.Header)
	}
	head := s.send("ana", http.MethodHead, at, "", tus, "1.0.0")
	if head.StatusCode != http.StatusOK || head.Header.Get("Upload-Offset") != "3" || head.Header.Get("Upload-Length") != "6" || head.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%s %v", head.Status, head.Header)
	}
	patch := func(user string, offset int, headers ...string) answer {
		return s.send(user, http.MethodPatch, at, "lo\n", append([]string{tus, "1.0.0", "Upload-Offset", strconv.Itoa(offset), "Content-Type", "application/offset+octet-stream"}, headers...)...)
	}
	for _, c := range []struct {
		resp   answer
		status int
		want   string
	}{
		{patch("ana", 2), 409, "offset"},
		{patch("", 3), 401, "unauthenticated"},
		{patch("bob", 3), 403, "publisher"},
		{patch("ana", 3, "Content-Type", "text/plain"), 415, "Content-Type"},
		{patch("ana", 3, "Upload-Offset", "x"), 400, "Upload-Offset"},
		{patch("ana", 3, tus, "0.2.0"), 412, tus},
		{patch("ana", 3, "Sec-Fetch-Site", "cross-site"), 403, "cross-origin"},
		{s.part("ana", "/uploads/..x", 0, ""), 404, "there is no such upload"},
		{s.part("ana", "/uploads/0d0f3c1c-1f27-4a0f-9c2c-111111111111", 0, "x"), 404, "there is no such upload"},
		{s.send("ana", http.MethodPost, "/uploads/", "", tus, "1.0.0", "Upload-Length", "6"), 400, "package"},
		{s.send("ana", http.MethodPost, "/uploads/", "", tus, "1.0.0", "Upload-Length", "-6", "Upload-Metadata", s.metadata()), 400, "size"},
		{s.send("ana", http.MethodPost, "/uploads/", "", tus, "1.0.0", "Upload-Length", "6", "Upload-Metadata", "package x!"), 400, "base64"},
		{s.send("bob", http.MethodPost, "/uploads/", "", tus, "1.0.0", "Upload-Length", "6", "Upload-Metadata", s.metadata()), 403, ""},
	} {
		if body := s.text(c.resp); c.resp.StatusCode != c.status || !strings.Contains(body, c.want) {
			t.Errorf("%s %s: %s %s, want %d %s", c.resp.Request.Method, c.resp.Request.URL, c.resp.Status, body, c.status, c.want)
		}
	}
	last := patch("ana", 3)
	if body := s.text(last); last.StatusCode != http.StatusOK || !strings.Contains(body, `"url":"`+s.http.URL+"/payloads/"+s.pkg.String()+`/"`) {
		t.Errorf("%s %s", last.Status, body)
	}
	if text := s.text(s.send("", http.MethodGet, s.file(), "")); text != "hello\n" {
		t.Errorf("%q", text)
	}
	at = s.begin(6)
	if resp := s.send("ana", http.MethodDelete, at, "", tus, "1.0.0"); resp.StatusCode != http.StatusNoContent {
		t.Error(resp.Status)
	}
	if resp := s.send("ana", http.MethodHead, at, "", tus, "1.0.0"); resp.StatusCode != http.StatusNotFound {
		t.Error(resp.Status)
	}
}

// What arrived before a connection broke is kept, and the writer's lock ends with it.
func TestBrokenUploadContinues(t *testing.T) {
	s := newSite(t, payloads.Limits{}, nil)
	content := strings.Repeat("0123456789abcdef", 16<<10)
	at := s.begin(len(content))
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(s.http.URL, "http://"))
	s.ok(err)
	login := base64.StdEncoding.EncodeToString([]byte("ana:" + password))
	_, err = fmt.Fprintf(conn, "PATCH %s HTTP/1.1\r\nHost: x\r\nAuthorization: Basic %s\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\nContent-Type: application/offset+octet-stream\r\nContent-Length: %d\r\n\r\n%s",
		at, login, len(content), content[:100_000])
	s.ok(err)
	late := time.After(20 * time.Second)
	wait := func(is func() bool) {
		t.Helper()
		for !is() {
			select {
			case <-late:
				t.Fatal("it did not happen")
			case <-time.After(time.Millisecond):
			}
		}
	}
	offset := func() int {
		n, _ := strconv.Atoi(s.send("ana", http.MethodHead, at, "", tus, "1.0.0").Header.Get("Upload-Offset"))
		return n
	}
	wait(func() bool { return offset() == 100_000 })
	if resp := s.part("ana", at, 100_000, "x"); resp.StatusCode != http.StatusConflict {
		t.Errorf("a second writer: %s", resp.Status)
	}
	s.ok(conn.Close())
	var resp answer
	wait(func() bool {
		resp = s.part("ana", at, 100_000, content[100_000:])
		return resp.StatusCode != http.StatusConflict
	})
	if resp.StatusCode != http.StatusOK {
		t.Error(resp.Status, s.text(resp))
	}
	if text := s.text(s.send("", http.MethodGet, s.file(), "")); !bytes.Equal([]byte(text), []byte(content)) {
		t.Errorf("%d bytes", len(text))
	}
}

// A bucket of S3 serves the same as a directory.
func TestFilesInABucket(t *testing.T) {
	backend := s3mem.New()
	if err := backend.CreateBucket("payloads"); err != nil {
		t.Fatal(err)
	}
	bucket := httptest.NewServer(gofakes3.New(backend).Server())
	transport := &http.Transport{}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		bucket.Close()
	})
	keep, err := storage.NewS3(t.Context(), storage.Bucket{Address: bucket.URL + "/payloads", Region: "us-east-1", AccessKey: "key", SecretKey: "secret", Transport: transport})
	if err != nil {
		t.Fatal(err)
	}
	s := newSite(t, payloads.Limits{}, keep)
	content := strings.Repeat("0123456789", 100_000)
	s.upload(content)
	for header, want := range map[string]string{"": content, "bytes=5-14": "5678901234", "bytes=-3": "789", "bytes=999990-": "0123456789"} {
		if text := s.text(s.send("", http.MethodGet, s.file(), "", "Range", header)); text != want {
			t.Errorf("%q: %d bytes, want %d", header, len(text), len(want))
		}
	}
	if resp := s.send("", http.MethodHead, s.file(), ""); resp.ContentLength != int64(len(content)) {
		t.Errorf("HEAD: %d bytes", resp.ContentLength)
	}
}

// A pause ends grants, not downloads: a machine that was granted an update completes it.
func TestDownloadGoesOnDuringAPause(t *testing.T) {
	s := newSite(t, payloads.Limits{}, nil)
	content := strings.Repeat("0123456789abcdef", 1<<20) // more than the buffers of a connection
	s.upload(content)
	row, err := s.View.Package(s.ctx, s.pkg, nil)
	s.ok(err)
	channel, err := s.CreateChannel(s.ctx, fleet.CreateChannel{ApplicationID: row.ApplicationID, Name: "stable", PackageID: &s.pkg})
	s.ok(err)
	group, err := s.CreateGroup(s.ctx, fleet.CreateGroup{ApplicationID: row.ApplicationID, Name: "all", ChannelID: &channel.ID})
	s.ok(err)

	resp := s.send("", http.MethodGet, s.file(), "")
	first := make([]byte, 1000)
	_, err = io.ReadFull(resp.Body, first)
	s.ok(err)
	_, err = s.PauseUpdates(s.ctx, fleet.PauseUpdates{GroupID: group.ID, Reason: "wait"})
	s.ok(err)
	if string(first)+s.text(resp) != content {
		t.Error("the bytes after the pause are wrong")
	}
}
