package omaha

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	goomaha "github.com/kinvolk/go-omaha/omaha"

	"github.com/coreroller/coreroller/fleet/checkin"
	"github.com/coreroller/coreroller/fleet/fault"
)

// FuzzFastParser compares the two parsers: for every text Parse returns the same
// request or error as parseXML.
func FuzzFastParser(f *testing.F) {
	for _, body := range goldenRequests(f) {
		f.Add([]byte(body))
	}
	for _, body := range []string{
		`<request><app appid="a" appid="a"/></request>`, "<request a=\"\r\"/>", "<request a=\"\x7f\">]]></request>", `<request a='"'/>`,
		`<request a = "1"></request >`, `<request a="1"b="2"/>`, `<request a="&lt;"/>`, `<?xml version="1.0"?>` + "\n<request>\t>\n</request>\n",
		`<request><a:app><ping/></a:app></request>`, `<request></ request>`, `< request/>`, `<request / >`, `<request><1/></request>`,
		"<request>\x00</request>", "<request>\u00fc</request>", `<request><!-- --><![CDATA[x]]></request>`, nested(maxDepth), attributes(maxAttributes),
		`<request><app appid="a" oem_region="eu" board='b' hardware_class="&lt;"/><app oem_region="\u202e"/></request>`, `<request><app board="b" x:board="c"/></request>`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		got, gotErr := Parse(body, keepSome)
		body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
		if len(body) == 0 {
			return
		}
		want, wantErr := parseXML(body, keepSome)
		if (gotErr == nil) != (wantErr == nil) || gotErr != nil && gotErr.Error() != wantErr.Error() {
			t.Fatalf("error %v, parseXML has %v", gotErr, wantErr)
		}
		if gotErr == nil && !reflect.DeepEqual(got, want) {
			t.Fatalf("%+v, parseXML has %+v", got, want)
		}
	})
}

func TestFastParserParsesChecksOfUpdateEngine(t *testing.T) {
	if parseFast(string(daemonCheck), keepNone) == nil {
		t.Error("a check of update_engine is not in the subset")
	}
}

// FuzzParse parses arbitrary bytes. An error has a short message. An accepted
// request is well-formed for encoding/xml and within the limits, and go-omaha can
// decode every kind of response to it.
func FuzzParse(f *testing.F) {
	for _, body := range goldenRequests(f) {
		f.Add([]byte(body))
	}
	f.Add([]byte("<?xml version=\"1.0\" encoding=\"latin1\"?><request><app appid=\"\xfc\"/></request>"))
	f.Add([]byte("<!DOCTYPE a [<!ENTITY b \"c\">]><request a=\"&b;\"/>"))
	f.Add([]byte(nested(maxDepth + 1)))
	scripts := []string{"hold concurrency_limit poll=1h", "granted 2.1.0", "steps 2000.0.0! 3000.1.0", "verdict unknown_group"}
	var answers []checkin.Answer
	for _, line := range scripts {
		a, err := scripted(line)
		if err != nil {
			f.Fatal(err)
		}
		answers = append(answers, a)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		req, err := Parse(body, keepSome)
		if err != nil {
			if m := err.Error(); fault.CodeOf(err) != fault.Invalid || m == "" || len(m) > maxMessage || !utf8.ValidString(m) {
				t.Fatalf("error %q", m)
			}
			return
		}
		if err := wellFormed(body); err != nil {
			t.Fatalf("accepted, but not well-formed: %v", err)
		}
		if len(req.Apps) > maxApps {
			t.Fatalf("%d apps", len(req.Apps))
		}
		for i := range req.Apps {
			app := &req.Apps[i]
			for _, s := range []*string{app.Alias, app.OEM, app.OEMVersion, app.AlephVersion} {
				if s != nil && (len(*s) > maxText || !utf8.ValidString(*s)) {
					t.Fatalf("text %q", *s)
				}
			}
			for _, r := range app.Request {
				if r.Value == "" || len(r.Value) > maxText || !utf8.ValidString(r.Value) {
					t.Fatalf("kept %q", r)
				}
			}
			if len(app.Events) > maxEvents {
				t.Fatalf("%d events", len(app.Events))
			}
			for _, e := range app.Events {
				if e.Code < 0 || e.Code > 0x0FFFFFFF || len(e.PreviousVersion) > maxText {
					t.Fatalf("event %+v", e)
				}
			}
			fleetCheckIn(req, app, "")
		}
		for _, a := range answers {
			checkAnswer(t, req, a)
		}
	})
}

// checkAnswer encodes a response with the same answer for every app and decodes it.
func checkAnswer(t *testing.T, req *Request, a checkin.Answer) {
	replies := make([]reply, len(req.Apps))
	for i := range req.Apps {
		replies[i] = replyFor(&req.Apps[i], a)
	}
	doc := appendResponse(nil, noon(), replies)
	if !bytes.HasPrefix(doc, []byte(prologue+"<response ")) || !utf8.Valid(doc) {
		t.Fatalf("answer %q", doc)
	}
	if err := wellFormed(doc); err != nil {
		t.Fatalf("%v in answer %s", err, doc)
	}
	resp, err := goomaha.ParseResponse("text/xml; charset=utf-8", bytes.NewReader(doc))
	if err != nil {
		t.Fatalf("go-omaha: %v in %s", err, doc)
	}
	if len(resp.Apps) != len(req.Apps) {
		t.Fatalf("%d apps in the request, %d in the response", len(req.Apps), len(resp.Apps))
	}
	for i, got := range resp.Apps {
		app := &req.Apps[i]
		if got.ID != app.ID {
			t.Fatalf("appid %q was returned as %q", app.ID, got.ID)
		}
		if (got.UpdateCheck != nil) != app.UpdateCheck {
			t.Fatalf("updatecheck in the request: %v, response %s", app.UpdateCheck, doc)
		}
		if got.Status == goomaha.AppOK && (len(got.Events) != len(app.Events) || (got.Ping != nil) != app.Ping) {
			t.Fatalf("ping or events are not acknowledged: %s", doc)
		}
	}
}

// wellFormed reads a document with encoding/xml, which checks that it is
// well-formed.
func wellFormed(doc []byte) error {
	d := xml.NewDecoder(bytes.NewReader(bytes.TrimPrefix(doc, []byte("\xef\xbb\xbf"))))
	d.CharsetReader = func(label string, in io.Reader) (io.Reader, error) {
		if strings.Contains(strings.ToLower(label), "lat") || strings.Contains(label, "8859") {
			return charsetReader(label, in)
		}
		return in, nil
	}
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}
