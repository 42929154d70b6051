package omaha

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
)

// Acceptance cases 42 to 50, as far as they concern this package.

func TestAcceptance42UnknownApplicationNextToKnown(t *testing.T) {
	for verdict, status := range map[string]string{
		"unknown_application": "error-unknownApplication", "unknown_group": "error-unknownGroup",
	} {
		w := post(newTestHandler(t, script("verdict "+verdict, "granted 1.4.0"), Options{}),
			`<request><app appid="a" machineid="m"><updatecheck/></app><app appid="b" machineid="m"><updatecheck/></app></request>`)
		got := w.Body.String()
		if w.Code != http.StatusOK || !strings.Contains(got, `<app appid="a" status="`+status+`">`) {
			t.Errorf("status %d: %s", w.Code, got)
		}
		if strings.Count(got, "<manifest") != 1 || strings.Index(got, "<manifest") < strings.Index(got, `<app appid="b" status="ok">`) {
			t.Errorf("the known application got no offer: %s", got)
		}
	}
}

func TestAcceptance43AppIDIsRepeatedUnchanged(t *testing.T) {
	for _, id := range []string{
		"{e96281a6-d1af-4bde-9a0a-97b76e56dc57}", "E96281A6-D1AF-4BDE-9A0A-97B76E56DC57", "io.Example.Product", " padded ",
	} {
		f := script()
		w := post(newTestHandler(t, f, Options{}), `<request><app appid="`+id+`"><ping/></app></request>`)
		if !strings.Contains(w.Body.String(), `<app appid="`+id+`" status="ok">`) || f.checkIns[0].AppID != id {
			t.Errorf("%q: check-in %q, response %s", id, f.checkIns[0].AppID, w.Body)
		}
	}
}

func TestAcceptance45InvalidVersionsAndMachineIDs(t *testing.T) {
	for _, app := range []string{
		`version="ForcedUpdate" machineid="m"`, `version="" machineid="m"`, `version="1.2.3.4" machineid="m"`,
		`version="99999999999.0.0" machineid="m"`, `machineid="m"`, `version="1.0.0" machineid=""`, `version="1.0.0"`,
		`version="1.0.0" machineid="` + strings.Repeat("x", 51) + `"`, `version="1.0.0" machineid="a&#10;b&#127;"`,
	} {
		f := script("verdict invalid_machine")
		w := post(newTestHandler(t, f, Options{}), `<request><app appid="a" `+app+`><updatecheck/></app></request>`)
		if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `status="error-invalidMachine"`) || len(f.checkIns) != 1 {
			t.Errorf("%s: status %d: %s", app, w.Code, w.Body)
		}
	}
}

func TestAcceptance46Limits(t *testing.T) {
	padded := func(n int) string { return check + strings.Repeat(" ", n-len(check)) }
	for _, test := range []struct {
		name, method, body string
		chunked            bool
		code               int
	}{
		{"64 KiB", "POST", padded(maxBody), false, 200},
		{"64 KiB in chunks", "POST", padded(maxBody), true, 200},
		{"over 64 KiB", "POST", padded(maxBody + 1), false, 413},
		{"over 64 KiB in chunks", "POST", padded(maxBody + 1), true, 413},
		{"truncated", "POST", check[:40], false, 400},
		{"document type", "POST", "<!DOCTYPE x>" + check, false, 400},
		{"entity", "POST", `<request a="&lol;"/>`, false, 400},
		{"deep", "POST", nested(17), false, 400},
		{"empty", "POST", "", false, 400},
		{"GET", "GET", "", false, 405},
		{"PUT", "PUT", check, false, 405},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := script()
			r := httptest.NewRequest(test.method, "/v1/update/", strings.NewReader(test.body))
			if test.chunked {
				r.ContentLength = -1
			}
			w := serve(newTestHandler(t, f, Options{}), r)
			if w.Code != test.code {
				t.Errorf("status %d, want %d: %s", w.Code, test.code, w.Body)
			}
			if test.code == 200 {
				return
			}
			if len(f.checkIns) != 0 {
				t.Error("the fleet got a check-in")
			}
			if got := w.Header().Get("Content-Type"); got != "text/plain; charset=utf-8" {
				t.Errorf("content type %q", got)
			}
			if n := strings.Count(w.Body.String(), "\n"); n != 1 || w.Body.Len() < 5 || w.Body.Len() > 300 {
				t.Errorf("text %q", w.Body)
			}
			if allow := w.Header().Get("Allow"); (allow == "POST") != (test.code == 405) {
				t.Errorf("Allow %q", allow)
			}
		})
	}
}

func TestAcceptance46ContentTypeIsIgnored(t *testing.T) {
	for _, contentType := range []string{"", "text/xml", "text/xml; charset=iso-8859-1", "application/json", "bad/;;"} {
		r := httptest.NewRequest("POST", "/v1/update/", strings.NewReader(check))
		if contentType != "" {
			r.Header.Set("Content-Type", contentType)
		}
		if w := serve(newTestHandler(t, script(), Options{}), r); w.Code != http.StatusOK {
			t.Errorf("content type %q: status %d", contentType, w.Code)
		}
	}
}

func TestAcceptance47Paths(t *testing.T) {
	for _, test := range []struct {
		secret, path string
		code         int
	}{
		{"", "/v1/update", 200}, {"", "/v1/update/", 200}, {"", "/omaha", 200}, {"", "/omaha/", 200},
		{"", "/v1/update/x", 404}, {"", "/omaha/x/", 404}, {"", "/v1/updates", 404}, {"", "/", 404},
		{"s3", "/v1/update", 404}, {"s3", "/v1/update/", 404}, {"s3", "/omaha", 404}, {"s3", "/omaha/", 404},
		{"s3", "/v1/update/s3", 200}, {"s3", "/v1/update/s3/", 200}, {"s3", "/omaha/s3", 200}, {"s3", "/omaha/s3/", 200},
		{"s3", "/v1/update/S3", 404}, {"s3", "/v1/update/s", 404}, {"s3", "/v1/update/s33", 404}, {"s3", "/v1/update/s3/x", 404},
		{"/a/{b} c/", "/v1/update/a/%7Bb%7D%20c", 200}, {"/a/{b} c/", "/v1/update/a", 404},
		{"s3", "/v1/update?s3", 404},
	} {
		h := newTestHandler(t, script(), Options{Secret: test.secret})
		if w := serve(h, httptest.NewRequest("POST", test.path, strings.NewReader(check))); w.Code != test.code {
			t.Errorf("secret %q, path %s: status %d, want %d", test.secret, test.path, w.Code, test.code)
		}
		if w := serve(h, httptest.NewRequest("GET", test.path, nil)); (w.Code == 405) != (test.code == 200) {
			t.Errorf("secret %q, GET %s: status %d", test.secret, test.path, w.Code)
		}
	}
}

func TestAcceptance48PingWithoutCheck(t *testing.T) {
	f := script("ok poll=90m")
	got := post(newTestHandler(t, f, Options{}), inApp(`<ping active="1"/>`)).Body.String()
	if !strings.Contains(got, `<ping status="ok"/>`) || strings.Contains(got, "updatecheck") {
		t.Error(got)
	}
	if in := f.checkIns[0]; !in.Ping || in.UpdateCheck {
		t.Errorf("check-in %+v", in)
	}
}

func TestAcceptance49ForwardedAddress(t *testing.T) {
	f := script()
	h := newTestHandler(t, f, Options{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("192.0.2.1/32")}})
	for _, peer := range []string{"192.0.2.1:1234", "192.0.2.2:1234"} {
		r := httptest.NewRequest("POST", "/omaha", strings.NewReader(check))
		r.RemoteAddr = peer
		r.Header.Set("X-Forwarded-For", "198.51.100.7")
		serve(h, r)
	}
	if f.checkIns[0].Address != "198.51.100.7" || f.checkIns[1].Address != "192.0.2.2" {
		t.Errorf("addresses %q and %q", f.checkIns[0].Address, f.checkIns[1].Address)
	}
}

// Over a TCP connection, with update_engine's headers.
func TestAcceptance50ResponseOnTheWire(t *testing.T) {
	large := "steps" + strings.Repeat(" 2000.0.0!", 20) // larger than net/http's buffer
	server := httptest.NewServer(newTestHandler(t, script(large, large), Options{}))
	defer server.Close()
	for _, encoding := range []string{"", "Accept-Encoding: gzip\r\n"} {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		_, _ = fmt.Fprintf(conn, "POST /v1/update/ HTTP/1.1\r\nHost: x\r\nAccept: */*\r\nContent-Type: text/xml\r\n%sContent-Length: %d\r\nConnection: close\r\n\r\n%s",
			encoding, len(check), check)
		raw, err := io.ReadAll(conn)
		if err != nil {
			t.Fatal(err)
		}
		conn.Close()
		head, body, _ := strings.Cut(string(raw), "\r\n\r\n")
		if !strings.HasPrefix(body, `<?xml version="1.0" encoding="UTF-8"?>`+"\n<response protocol=\"3.0\"") {
			t.Errorf("body starts with %.80q", body)
		}
		for _, want := range []string{"HTTP/1.1 200 OK", "Content-Type: text/xml; charset=utf-8", fmt.Sprintf("Content-Length: %d", len(body))} {
			if !strings.Contains(head, want) {
				t.Errorf("no %q in\n%s", want, head)
			}
		}
		if strings.Contains(head, "Content-Encoding") || strings.Contains(body, "xmlns") ||
			!strings.Contains(body, `<daystart elapsed_seconds="45296" elapsed_days="6268"/>`) {
			t.Errorf("%s\n\n%s", head, body)
		}
	}
}
