package graph_test

import (
	"bytes"
	"fmt"
	"io"
	stdlog "log"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
)

// public are the root fields that need no sign-in.
var public = map[string]bool{"me": true, "serverInfo": true, "signIn": true, "signOut": true}

func TestFieldsRequireSignIn(t *testing.T) {
	s := oneSite(t)
	anonymous := s.anonymous(t)
	for _, root := range []*ast.Definition{schema().Query, schema().Mutation} {
		for _, f := range root.Fields {
			if strings.HasPrefix(f.Name, "__") {
				continue
			}
			r := anonymous.ask(sample(root, f))
			refused := len(r.Errors) > 0 && r.Errors[0].Extensions.Code == "UNAUTHENTICATED" && string(r.Data) == "null"
			if status := map[bool]int{true: http.StatusUnauthorized, false: http.StatusOK}[refused]; refused == public[f.Name] || r.status != status {
				t.Errorf("%s: %d %s %+v", f.Name, r.status, r.Data, r.Errors)
			}
		}
	}
	for _, f := range schema().Subscription.Fields {
		if strings.HasPrefix(f.Name, "__") {
			continue
		}
		document, v := sample(schema().Subscription, f)
		r := anonymous.ask(document, v) // with POST it would return one message
		if r.status != http.StatusUnauthorized || len(r.Errors) == 0 || r.Errors[0].Extensions.Code != "UNAUTHENTICATED" {
			t.Errorf("%s: %d %s %+v", f.Name, r.status, r.Data, r.Errors)
		}
	}
}

// Each transport answers anonymous callers with 401 and GraphQL's JSON. The challenge
// is one that browsers do not answer with a dialog.
func TestAnonymousCallersGet401(t *testing.T) {
	s := oneSite(t)
	send := func(prepare func(*http.Request), method, path, contentType, accept, body string) reply {
		req, _ := http.NewRequestWithContext(t.Context(), method, s.http.URL+path, strings.NewReader(body))
		req.Header.Set("Content-Type", contentType)
		req.Header.Set("Accept", accept)
		return (&caller{site: s, t: t, prepare: prepare}).send(req)
	}
	const document = "{ fleet { total } }"
	expired := func(r *http.Request) { r.AddCookie(&http.Cookie{Name: "coreroller_session", Value: "expired"}) }
	for name, prepare := range map[string]func(*http.Request){"no credentials": func(*http.Request) {}, "expired session": expired} {
		for _, r := range []reply{
			send(prepare, http.MethodPost, "/graphql", "application/json", "application/json", `{"query": "`+document+`"}`),
			send(prepare, http.MethodPost, "/graphql", "application/json", "application/graphql-response+json", `{"query": "`+document+`"}`),
			send(prepare, http.MethodPost, "/graphql", "application/json", "*/*", `{"query": "{ me { id } fleet { total } }"}`),
			send(prepare, http.MethodPost, "/graphql", "application/json", "text/event-stream", `{"query": "subscription { fleetChanged { asOf } }"}`),
			send(prepare, http.MethodPost, "/graphql", "application/graphql", "*/*", document),
			send(prepare, http.MethodGet, "/graphql?query="+url.QueryEscape(document), "", "*/*", ""),
		} {
			if r.status != http.StatusUnauthorized || r.header.Get("WWW-Authenticate") != "Bearer realm=coreroller.org" ||
				!strings.Contains(r.header.Get("Content-Type"), "json") || len(r.Errors) != 1 || r.Errors[0].Extensions.Code != "UNAUTHENTICATED" {
				t.Errorf("%s: %d %v %s %+v", name, r.status, r.header, r.Data, r.Errors)
			}
		}
		r := send(prepare, http.MethodPost, "/graphql", "application/json", "application/json", `{"query": "{ me { id } serverInfo { version } }"}`)
		if r.status != http.StatusOK || len(r.Errors) > 0 || r.header.Get("WWW-Authenticate") != "" {
			t.Errorf("%s: public fields: %d %+v", name, r.status, r.Errors)
		}
	}
}

// Signed-in users get a result or an error about the input from every field, never
// an internal error.
func TestUsersMayUseEveryField(t *testing.T) {
	s := oneSite(t)
	for _, root := range []*ast.Definition{schema().Query, schema().Mutation} {
		for _, f := range root.Fields {
			if strings.HasPrefix(f.Name, "__") {
				continue
			}
			r := s.ana(t).ask(sample(root, f))
			for _, e := range r.Errors {
				if e.Extensions.Code == "INTERNAL" || e.Extensions.Code == "UNAUTHENTICATED" || e.Extensions.Code == "" {
					t.Errorf("%s: %+v", f.Name, e)
				}
			}
			if root == schema().Mutation && len(r.Errors) > 0 {
				t.Errorf("%s returns invalid input in errors, not in userErrors: %+v", f.Name, r.Errors)
			}
		}
	}
	if strings.Contains(s.log.String(), "graphql") {
		t.Errorf("log: %s", s.log)
	}
}

// sample returns a document that selects one root field with placeholder
// arguments.
func sample(root *ast.Definition, f *ast.FieldDefinition) (string, vars) {
	v := vars{}
	var declared, passed []string
	for _, a := range f.Arguments {
		if !a.Type.NonNull {
			continue
		}
		declared = append(declared, fmt.Sprintf("$%s: %s", a.Name, a.Type))
		passed = append(passed, fmt.Sprintf("%s: $%s", a.Name, a.Name))
		v[a.Name] = made(a.Type)
	}
	document := strings.ToLower(root.Name) + " Sample"
	if declared != nil {
		document += "(" + strings.Join(declared, ", ") + ")"
		return document + " { " + f.Name + "(" + strings.Join(passed, ", ") + ") " + selection(f.Type) + " }", v
	}
	return document + " { " + f.Name + " " + selection(f.Type) + " }", v
}

// made returns a value of an input type with the required fields only. Its ids do
// not exist.
func made(typ *ast.Type) any {
	if typ.Elem != nil {
		return []any{}
	}
	def := schema().Types[typ.NamedType]
	switch def.Kind {
	case ast.Enum:
		return def.EnumValues[0].Name
	case ast.InputObject:
		v := vars{}
		for _, f := range def.Fields {
			if f.Type.NonNull {
				v[f.Name] = made(f.Type)
			}
		}
		return v
	}
	switch typ.NamedType {
	case "ID":
		return "00000000-0000-7000-8000-000000000000"
	case "Boolean":
		return true
	case "Time":
		return "2026-01-01T00:00:00Z"
	}
	return "x"
}

func selection(typ *ast.Type) string {
	for typ.Elem != nil {
		typ = typ.Elem
	}
	if def := schema().Types[typ.NamedType]; def.Kind == ast.Object {
		if def.Fields.ForName("userErrors") != nil {
			return "{ userErrors { code field message } }"
		}
		return "{ __typename }"
	}
	return ""
}

func TestIntrospectionRequiresSignIn(t *testing.T) {
	s := oneSite(t)
	const document = `{ __schema { types { name } } }`
	if r := s.anonymous(t).ask(document, nil); len(r.Errors) == 0 || strings.Contains(string(r.Data), "Group") {
		t.Errorf("without sign-in: %s %+v", r.Data, r.Errors)
	}
	if r := s.ana(t).ask(document, nil); !strings.Contains(string(r.Data), "GroupNumbers") {
		t.Errorf("signed in: %s %+v", r.Data, r.Errors)
	}
	r := s.anonymous(t).ask(`{ serverInf { version } }`, nil)
	if len(r.Errors) == 0 || strings.Contains(r.Errors[0].Message, "serverInfo") {
		t.Errorf("a misspelt field is answered with %+v, want no suggestion", r.Errors)
	}
	want(t, s.anonymous(t).get(`{ serverInfo { version startedAt database healthy updateUrl } }`, nil),
		"version", "test", "startedAt", nil, "database", nil, "healthy", nil, "updateUrl", nil)
	info := s.ana(t).get(`{ serverInfo { healthy updateUrl } }`, nil)
	want(t, info, "healthy", true, "updateUrl", s.http.URL+"/v1/update/")
}

func TestWrongPasswordIsRefused(t *testing.T) {
	s := oneSite(t)
	c := &caller{site: s, t: t, prepare: func(r *http.Request) { r.SetBasicAuth("ana", "wrong") }}
	r := c.ask("{ me { id } }", nil)
	if r.status != http.StatusUnauthorized || r.Errors[0].Extensions.Code != "UNAUTHENTICATED" ||
		r.header.Get("WWW-Authenticate") != "Basic realm=coreroller.org" {
		t.Errorf("%d %+v %v", r.status, r.Errors, r.header)
	}
}

func TestGetAllowsQueriesOnly(t *testing.T) {
	s := oneSite(t)
	get := func(document string) reply {
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, s.http.URL+"/graphql?query="+url.QueryEscape(document), http.NoBody)
		return s.ana(t).send(req)
	}
	if r := get("{ me { username } }"); r.status != http.StatusOK || !strings.Contains(string(r.Data), "ana") {
		t.Errorf("query by GET: %d %s %+v", r.status, r.Data, r.Errors)
	}
	r := get(fmt.Sprintf("mutation { pauseUpdates(input: {groupId: %q}) { group { id } } }", s.group))
	if r.status != http.StatusNotAcceptable || len(r.Errors) == 0 {
		t.Errorf("mutation by GET: %d %s %+v", r.status, r.Data, r.Errors)
	}
}

// Browsers send cookies with requests of other sites, which must be refused.
func TestRequestsOfOtherSitesAreRefused(t *testing.T) {
	s := oneSite(t)
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, s.http.URL+"/graphql", strings.NewReader(`{"query":"{ me { id } }"}`))
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	req.Header.Set("Origin", "https://evil.example")
	req.SetBasicAuth("ana", password)
	resp, err := s.http.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusForbidden {
		t.Errorf("status %d", resp.StatusCode)
	}
}

func TestDocumentsOverALimitAreRefused(t *testing.T) {
	s := oneSite(t)
	deep := "{ applications " + strings.Repeat("{ groups { application ", 8) + "{ id }" + strings.Repeat("} }", 8) + " }"
	inFragment := "query { applications { ...A } } fragment A on Application " +
		strings.Repeat("{ groups { application ", 6) + "{ id }" + strings.Repeat(" } }", 6)
	wide := "{ " + many("f%d: simulateRollout(input: {groupId: \""+s.group.String()+"\"}) { scale } ", 5) + "}"
	cycle := "{ applications { channels { groups { channel { groups { channel { groups { name } } } } } } } }"
	machines := "{ instances(first: 500) { nodes { id machineId alias address arch oem version state standing reason decision application { id name " +
		"groups { id name channels: channel { id name package { id version files { id name size sha1 sha256 } } } } } } } }"
	tokens := "{ " + strings.Repeat("__typename ", 5000) + "}"
	for document, message := range map[string]string{
		deep: "nests deeper", inFragment: "nests deeper", wide: "complexity", cycle: "complexity", machines: "complexity", tokens: "token",
	} {
		r := s.ana(t).ask(document, nil)
		if len(r.Errors) == 0 || r.Errors[0].Extensions.Code != "INVALID" || !strings.Contains(r.Errors[0].Message, message) {
			t.Errorf("%.80s: got %.100s %+v, want %q", document, r.Data, r.Errors, message)
		}
	}
	if r := s.ana(t).ask("{ instances(first: -1) { nodes { id } } }", nil); len(r.Errors) == 0 || r.Errors[0].Extensions.Field != "first" {
		t.Errorf("first -1: %s %+v", r.Data, r.Errors)
	}
	if r := s.ana(t).ask("{ instances(first: 501) { nodes { id machineId version } } }", nil); len(r.Errors) == 0 || r.Errors[0].Extensions.Field != "first" {
		t.Errorf("first: 501: %s %+v", r.Data, r.Errors)
	}
	long := vars{"f": vars{"versions": slices.Repeat([]any{"1.0.0"}, 33_000)}}
	for _, list := range []string{"nodes { id }", "totalCount"} {
		r := s.ana(t).ask("query($f: InstanceFilter) { instances(filter: $f) { "+list+" } }", long)
		if len(r.Errors) == 0 || r.Errors[0].Extensions.Code != "INVALID" || r.Errors[0].Extensions.Field != "filter.versions" {
			t.Errorf("33,000 versions: %s %+v", r.Data, r.Errors)
		}
	}
	kinds := vars{"f": vars{"kinds": slices.Repeat([]any{"PAUSED"}, 33_000)}}
	if r := s.ana(t).ask("query($f: ActivityFilter) { activities(filter: $f) { nodes { id } } }", kinds); len(r.Errors) > 0 {
		t.Errorf("33,000 times one kind: %s %+v", r.Data, r.Errors)
	}
	huge := s.ana(t).ask("# "+strings.Repeat("x", 2<<20)+"\n{ me { id } }", nil)
	if huge.status != http.StatusRequestEntityTooLarge || huge.Errors[0].Extensions.Code != "INVALID" {
		t.Errorf("2 MiB: %d %s %+v", huge.status, huge.Data, huge.Errors)
	}
}

func many(format string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

// A malformed request may contain a password: it is neither logged nor sent back.
func TestMalformedRequestsAreNotRepeated(t *testing.T) {
	s := oneSite(t)
	var log bytes.Buffer
	defer func(w io.Writer) { stdlog.SetOutput(w) }(stdlog.Writer())
	stdlog.SetOutput(&log)
	for _, body := range []string{`{"query": "s3cret`, `["s3cret"]`, `{"query": 1, "variables": "s3cret"}`} {
		for _, accept := range []string{"application/json", "text/event-stream"} {
			req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, s.http.URL+"/graphql", strings.NewReader(body))
			req.Header.Set("Content-Type", "application/json")
			req.Header.Set("Accept", accept)
			r := s.anonymous(t).send(req)
			if r.status != http.StatusBadRequest || r.Errors[0].Extensions.Code != "INVALID" || strings.Contains(r.Errors[0].Message, "s3cret") {
				t.Errorf("%s: %d %+v", body, r.status, r.Errors)
			}
		}
	}
	if log.Len() > 0 {
		t.Errorf("log: %s", log.String())
	}
}
