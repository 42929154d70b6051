package omaha

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/coreroller/coreroller/fleet/fault"
)

const wrapApp = `<request protocol="3.0"><app appid="a" version="1.0.0" machineid="m">%</app></request>`

// inApp returns a request with one app that has the given children.
func inApp(children string) string { return strings.Replace(wrapApp, "%", children, 1) }

func nested(levels int) string {
	return "<request>" + strings.Repeat("<x>", levels-1) + strings.Repeat("</x>", levels-1) + "</request>"
}

func attributes(n int) string {
	var b strings.Builder
	b.WriteString("<request")
	for i := range n {
		b.WriteString(" a" + strings.Repeat("x", i) + `=""`)
	}
	b.WriteString("/>")
	return b.String()
}

func TestParseRejectsInvalidRequests(t *testing.T) {
	for _, test := range []struct{ name, body, message string }{
		{"empty", "", "empty body"},
		{"only a byte order mark", "\xef\xbb\xbf", "empty body"},
		{"white space", " \n", "no root element"},
		{"text", "hello", "text outside the root element"},
		{"json", `{"request":{}}`, "text outside the root element"},
		{"only a declaration", `<?xml version="1.0"?>`, "no root element"},
		{"other root", `<response protocol="3.0"/>`, "the root element is not request"},
		{"root with prefix", `<o:request xmlns:o="urn:x"/>`, "the root element is not request"},
		{"upper case root", `<REQUEST/>`, "the root element is not request"},
		{"not closed", `<request><app>`, "element app is not closed"},
		{"truncated in a tag", `<request><app appid="a`, "invalid XML in line 1: unexpected EOF"},
		{"wrong end tag", "<request>\n<app></request></app>", "unexpected end of element request"},
		{"end tag with another prefix", `<request><a:x></b:x></request>`, "unexpected end of element x"},
		{"extra end tag", `<request></request></request>`, "unexpected end of element request"},
		{"second root", `<request/><request/>`, "more than one root element"},
		{"text after the root", `<request/>x`, "text outside the root element"},
		{"no quotes", `<request protocol=3.0/>`, "unquoted or missing attribute value in element"},
		{"duplicate attribute", `<request a="1" b="2" a="3"/>`, "duplicate attribute a"},
		{"attribute with less-than", `<request a="<"/>`, "unescaped < inside quoted string"},
		{"bare ampersand", `<request a="&"/>`, "invalid character entity & (no semicolon)"},
		{"document type", `<!DOCTYPE request><request/>`, "document type declarations are not accepted"},
		{"entity declared", `<!DOCTYPE r [<!ENTITY x "y">]><request a="&x;"/>`, "document type declarations are not accepted"},
		{"entity not declared", `<request a="&nbsp;"/>`, "invalid character entity &nbsp;"},
		{"declaration inside the root", `<request><?xml version="1.0" encoding="latin1"?></request>`, "misplaced XML declaration"},
		{"two declarations", `<?xml version="1.0"?><?xml version="1.0"?><request/>`, "misplaced XML declaration"},
		{"xml 1.1", `<?xml version="1.1"?><request/>`, "unsupported version"},
		{"utf-16 label", `<?xml version="1.0" encoding="UTF-16"?><request/>`, `encoding "UTF-16" is not supported`},
		{"utf-16 bytes", "\xff\xfe<\x00r\x00", "invalid UTF-8"},
		{"not utf-8", "<request a=\"\xff\"/>", "invalid UTF-8"},
		{"not ascii", "<?xml version=\"1.0\" encoding=\"us-ascii\"?><request a=\"\xe4\"/>", "invalid UTF-8"},
		{"control character", "<request a=\"\x01\"/>", "illegal character code U+0001"},
		{"control character as reference", `<request a="&#1;"/>`, "illegal character code U+0001"},
		{"NUL", "<request a=\"\x00\"/>", "illegal character code U+0000"},
		{"too deep", nested(maxDepth + 1), "more than 16 nested elements"},
		{"too many elements", "<request>" + strings.Repeat("<x/>", maxElements) + "</request>", "more than 2048 elements"},
		{"too many attributes", attributes(maxAttributes + 1), "more than 64 attributes"},
		{"too many apps", "<request>" + strings.Repeat("<app/>", maxApps+1) + "</request>", "more than 32 apps"},
		{"too many events", inApp(strings.Repeat("<event/>", maxEvents+1)), "more than 64 events"},
	} {
		t.Run(test.name, func(t *testing.T) {
			req, err := Parse([]byte(test.body), keepNone)
			if err == nil {
				t.Fatalf("accepted: %+v", req)
			}
			if !strings.Contains(err.Error(), test.message) {
				t.Errorf("error %q, want one with %q", err, test.message)
			}
			if fault.CodeOf(err) != fault.Invalid {
				t.Errorf("code %q", fault.CodeOf(err))
			}
		})
	}
}

func TestParseAcceptsUnusualRequests(t *testing.T) {
	for _, test := range []struct{ name, body string }{
		{"minimal", `<request/>`},
		{"byte order mark", "\xef\xbb\xbf<?xml version=\"1.0\" encoding=\"utf-8\"?><request/>"},
		{"space before the declaration", " \n<?xml version=\"1.0\"?><request/>"},
		{"comments and instructions", "<!-- a --><?pi x?><request><!-- b --><?pi y?></request><!-- c -->\n"},
		{"cdata", `<request><data><![CDATA[<&]]></data></request>`},
		{"default namespace", `<request xmlns="http://www.google.com/update2/request" protocol="2.0"/>`},
		{"single quotes", `<request protocol='3.0'/>`},
		{"upper case encoding", `<?xml version="1.0" encoding="UTF-8"?><request/>`},
		{"deep", nested(maxDepth)},
		{"many elements", "<request>" + strings.Repeat("<x/>", maxElements-1) + "</request>"},
		{"many attributes", attributes(maxAttributes)},
		{"many apps", "<request>" + strings.Repeat("<app/>", maxApps) + "</request>"},
		{"many events", inApp(strings.Repeat("<event/>", maxEvents))},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, err := Parse([]byte(test.body), keepNone); err != nil {
				t.Error(err)
			}
		})
	}
}

// An empty attribute replaces the stored text, a missing one keeps it (acceptance
// case 49).
func TestParseDistinguishesEmptyFromMissingAttributes(t *testing.T) {
	req, err := Parse([]byte(`<request><app oem="" machinealias="bob"/><app oemversion="1" alephversion="2"/></request>`), keepNone)
	if err != nil {
		t.Fatal(err)
	}
	first, second := req.Apps[0], req.Apps[1]
	if first.OEM == nil || *first.OEM != "" || first.Alias == nil || *first.Alias != "bob" ||
		first.OEMVersion != nil || first.AlephVersion != nil {
		t.Errorf("first app: %+v", first)
	}
	if second.OEM != nil || second.Alias != nil ||
		second.OEMVersion == nil || *second.OEMVersion != "1" || second.AlephVersion == nil || *second.AlephVersion != "2" {
		t.Errorf("second app: %+v", second)
	}
}

// Attributes with a namespace prefix are extensions.
func TestParseIgnoresAttributesWithAPrefix(t *testing.T) {
	req, err := Parse([]byte(`<request xmlns:x="urn:x" x:installsource="ondemandupdate"><os x:arch="arm"/>`+
		`<app x:appid="no" appid="yes"><event x:eventtype="3" eventresult="1"/></app></request>`), keepNone)
	if err != nil {
		t.Fatal(err)
	}
	app := req.Apps[0]
	if req.OnDemand || req.Arch != "" || app.ID != "yes" || app.Events[0].Type != 0 || app.Events[0].Result != 1 {
		t.Errorf("%+v", req)
	}
}

// Both parsers keep what the application names, without prefixes, in the order of the
// names. An empty attribute is none.
func TestParseKeepsTheAttributesThatTheApplicationNames(t *testing.T) {
	long := strings.Repeat("x", maxText+1)
	for _, c := range []struct{ attributes, more, want string }{
		{`oem_region="eu" board="amd64-usr" lsb_release="3510" lang="en"`, "", `[{board amd64-usr} {oem_region eu}]`},
		{`oem_region="" hardware_class="&amp;&#x202e;" x:board="b"`, `<ping oem_region="no"/>`, "[{hardware_class &\u202e}]"},
		{`oem_region="` + long + `"`, "", "[{oem_region " + long[:maxText] + "}]"},
		{`OEM_REGION="eu" lsb_release="1"`, "", "[]"},
	} {
		req, err := Parse([]byte(`<request xmlns:x="urn:x"><app appid="a" `+c.attributes+`>`+c.more+`</app><app appid="b" board="b"/></request>`), keepSome)
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(req.Apps[0].Request); got != c.want {
			t.Errorf("%s: kept %s", c.attributes, got)
		}
		if got := fmt.Sprint(req.Apps[1].Request); got != "[{board b}]" {
			t.Errorf("the second app kept %s", got)
		}
	}
}

func TestParseAsksForNamesByApplication(t *testing.T) {
	var asked []string
	_, err := Parse([]byte(`<request><app appid="a"/><app board="x"/><os><app appid="c"/></os></request>`), func(id string) []string {
		asked = append(asked, id)
		return nil
	})
	if err != nil || fmt.Sprint(asked) != "[a ]" {
		t.Errorf("asked for %q, error %v", asked, err)
	}
}

func TestParseIgnoresMisplacedElements(t *testing.T) {
	req, err := Parse([]byte(`<request><ping/><event/><app appid="a"><data><ping/><updatecheck/><event/></data><os arch="x"/>`+
		`<app appid="b"/></app><hw><ping/><event/><app appid="c"/></hw><os><updatecheck/></os></request>`), keepNone)
	if err != nil {
		t.Fatal(err)
	}
	if len(req.Apps) != 1 || req.Arch != "" {
		t.Fatalf("%+v", req)
	}
	if app := req.Apps[0]; app.ID != "a" || app.Ping || app.UpdateCheck || len(app.Events) != 0 {
		t.Errorf("%+v", app)
	}
}

func TestLatin1ReaderWithSmallReads(t *testing.T) {
	got, err := io.ReadAll(iotest.OneByteReader(&latin1Reader{in: strings.NewReader("a\xfcb\xff")}))
	if err != nil || string(got) != "aübÿ" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestParseConvertsLatin1(t *testing.T) {
	req, err := Parse([]byte("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><request><app appid=\"a\" machinealias=\"b\xfc\xdf\"/></request>"), keepNone)
	if err != nil {
		t.Fatal(err)
	}
	if got := *req.Apps[0].Alias; got != "büß" {
		t.Errorf("alias %q", got)
	}
}

// The handler reuses the buffer of the body.
func TestParseDoesNotReferenceTheBody(t *testing.T) {
	body := []byte(inApp(`<event eventtype="3" eventresult="2" previousversion="1.2.3"/>`))
	req, err := Parse(body, keepNone)
	if err != nil {
		t.Fatal(err)
	}
	for i := range body {
		body[i] = 'X'
	}
	app := req.Apps[0]
	if app.ID != "a" || app.Machine != "m" || app.Version != "1.0.0" || app.Events[0].PreviousVersion != "1.2.3" {
		t.Errorf("%+v", app)
	}
}

func TestNumberReturnsZeroForInvalidInput(t *testing.T) {
	for text, want := range map[string]int{
		"": 0, "3": 3, " 3\n": 3, "+3": 3, "-1": -1, "2147483647": 2147483647, "2147483648": 0,
		"-2147483648": -2147483648, "99999999999999999999": 0, "0x3": 0, "3.0": 0, "three": 0, "1_000": 0,
	} {
		if got := number(text); got != want {
			t.Errorf("number(%q) = %d, want %d", text, got, want)
		}
	}
}

func TestClipKeepsValidUTF8(t *testing.T) {
	for _, s := range []string{"", "short", strings.Repeat("x", 10), strings.Repeat("x", 11), strings.Repeat("ü", 11), "x" + strings.Repeat("語", 11)} {
		got := clip(s, 10)
		if len(got) > 10 || !utf8.ValidString(got) || !strings.HasPrefix(s, got) || (len(s) <= 10 && got != s) {
			t.Errorf("clip(%q) = %q", s, got)
		}
	}
}

// Errors are sent to the client: short, one line, valid UTF-8.
func TestErrorMessagesAreShort(t *testing.T) {
	long := strings.Repeat("é", 20000)
	for _, body := range []string{
		"<request><" + long + "></x></request>", "<request a=\"&" + long + ";\"/>", "<request><" + long + ">",
		"<request " + long + "=\"\" " + long + "=\"\"/>", "<?xml version=\"1.0\" encoding=\"" + long + "\"?><request/>",
	} {
		_, err := Parse([]byte(body), keepNone)
		if err == nil {
			t.Errorf("accepted %.40q", body)
			continue
		}
		if m := err.Error(); len(m) > maxMessage || !utf8.ValidString(m) || strings.Contains(m, "\n") {
			t.Errorf("error of %d bytes: %.300q", len(m), m)
		}
	}
}

func TestMultiManifestIsReadFromAppAndUpdateCheck(t *testing.T) {
	for attributes, want := range map[[2]string]bool{
		{`multi_manifest_ok="true"`, ``}: true, {``, `multi_manifest_ok="true"`}: true,
		{``, `multi_manifest_ok="0"`}: false, {``, ``}: false,
	} {
		req, err := Parse([]byte(`<request><app appid="a" `+attributes[0]+`><updatecheck `+attributes[1]+`/></app></request>`), keepNone)
		if err != nil || req.Apps[0].MultiManifest != want {
			t.Errorf("%q: %+v, %v", attributes, req, err)
		}
	}
}
