package omaha

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/coreroller/coreroller/fleet/checkin"
)

// daemonCheck is a check of update_engine, the most frequent request.
var daemonCheck = []byte(`<?xml version="1.0" encoding="UTF-8"?>
<request protocol="3.0" version="update_engine-0.4.10" updaterversion="update_engine-0.4.10" installsource="scheduler" ismachine="1">
    <os version="Chateau" platform="CoreOS" sp="1.0.0_x86_64"></os>
    <app appid="{e96281a6-d1af-4bde-9a0a-97b76e56dc57}" version="1.0.0" track="stable" bootid="{8f7dd6ae-4f5e-4a3a-9a1f-3b7f0b6f2a11}" oem="azure" oemversion="2.9.1" alephversion="1.0.0" machineid="0123456789abcdef0123456789abcdef" machinealias="" lang="en-US" board="amd64-usr" hardware_class="" delta_okay="false" >
        <ping active="1"></ping>
        <updatecheck></updatecheck>
        <event eventtype="3" eventresult="2" previousversion=""></event>
    </app>
</request>
`)

func BenchmarkParse(b *testing.B) {
	b.ReportAllocs()
	b.SetBytes(int64(len(daemonCheck)))
	for b.Loop() {
		if _, err := Parse(daemonCheck, keepNone); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	for _, line := range []string{"hold up_to_date", "granted 2.0.0"} {
		b.Run(line, func(b *testing.B) {
			answer, err := scripted(line)
			if err != nil {
				b.Fatal(err)
			}
			req, err := Parse(daemonCheck, keepNone)
			if err != nil {
				b.Fatal(err)
			}
			replies := []reply{replyFor(&req.Apps[0], answer)}
			var out []byte
			now := noon()
			b.ReportAllocs()
			for b.Loop() {
				out = appendResponse(out[:0], now, replies)
			}
			b.SetBytes(int64(len(out)))
		})
	}
}

// BenchmarkParseXML parses the same request with encoding/xml.
func BenchmarkParseXML(b *testing.B) {
	b.ReportAllocs()
	b.SetBytes(int64(len(daemonCheck)))
	for b.Loop() {
		if _, err := parseXML(daemonCheck, keepNone); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkHandler handles a request without network.
func BenchmarkHandler(b *testing.B) {
	for _, line := range []string{"hold up_to_date", "granted 2.0.0"} {
		b.Run(line, func(b *testing.B) {
			answer, err := scripted(line)
			if err != nil {
				b.Fatal(err)
			}
			h := newTestHandler(b, fleetFunc(func(context.Context, checkin.CheckIn) (checkin.Answer, error) {
				return answer, nil
			}), Options{})
			body := bytes.NewReader(daemonCheck)
			r := httptest.NewRequest(http.MethodPost, "/v1/update/", io.NopCloser(body))
			r.ContentLength = int64(len(daemonCheck))
			original := r.Body
			w := &discard{header: make(http.Header)}
			b.ReportAllocs()
			for b.Loop() {
				body.Reset(daemonCheck)
				r.Body = original
				h.ServeHTTP(w, r)
				if w.code != 0 {
					b.Fatal(w.code)
				}
			}
		})
	}
}

// discard is a ResponseWriter without cost.
type discard struct {
	header http.Header
	code   int
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) WriteHeader(code int)        { d.code = code }
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }
