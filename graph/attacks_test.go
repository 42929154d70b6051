package graph_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/coreroller/coreroller/auth"
)

// A page of another site can make a browser send requests with the user's cookie. None
// changes anything, whichever headers a browser adds and whichever form the page uses.
// The same requests of our own pages do.
func TestHostile_PagesOfOtherSitesChangeNothingWithACookie(t *testing.T) {
	s := oneSite(t)
	_, callers := s.bob(t, auth.Owner)
	cookie := callers["cookie"]
	send := func(method, path, contentType, body string, headers map[string]string) int {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, s.http.URL+path, strings.NewReader(body))
		s.must(err)
		req.Header.Set("Content-Type", contentType)
		for name, value := range headers {
			req.Header.Set(name, value)
		}
		cookie.prepare(req)
		resp, err := s.http.Client().Do(req)
		s.must(err)
		_ = resp.Body.Close()
		return resp.StatusCode
	}
	paused := func() any {
		t.Helper()
		return at(t, s.ana(t).get(`query($id: ID!) { group(id: $id) { policy { updatesEnabled } } }`, vars{"id": s.group}), "policy.updatesEnabled")
	}
	pause := fmt.Sprintf(`{"query":"mutation { pauseUpdates(input: {groupId: \"%s\"}) { userErrors { code } } }"}`, s.group)
	for _, headers := range []map[string]string{
		{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
		{"Sec-Fetch-Site": "same-site", "Origin": "https://other.example"},
		{"Origin": "https://evil.example"}, // an older browser
		{"Origin": "null"},                 // a sandboxed frame
	} {
		for _, contentType := range []string{"application/json", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"} {
			if status := send(http.MethodPost, "/graphql", contentType, pause, headers); status != http.StatusForbidden {
				t.Errorf("GraphQL as %s with %v: status %d, want 403", contentType, headers, status)
			}
		}
		for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete} {
			if status := send(method, "/api/apps/"+s.app.String(), "text/plain", `{"name":"taken over"}`, headers); status != http.StatusForbidden {
				t.Errorf("%s of REST with %v: status %d, want 403", method, headers, status)
			}
		}
		headers["Upgrade"], headers["Connection"], headers["Sec-WebSocket-Version"] = "websocket", "Upgrade", "13"
		headers["Sec-WebSocket-Key"], headers["Sec-WebSocket-Protocol"] = "dGhlIHNhbXBsZSBub25jZQ==", "graphql-transport-ws"
		if status := send(http.MethodGet, "/graphql", "", "", headers); status != http.StatusForbidden {
			t.Errorf("websocket with %v: status %d, want 403", headers, status)
		}
	}
	if paused() != true {
		t.Error("a page of another site paused the group")
	}
	own := map[string]string{"Sec-Fetch-Site": "same-origin", "Origin": s.http.URL}
	if status := send(http.MethodPost, "/graphql", "application/json", pause, own); status != http.StatusOK || paused() != false {
		t.Errorf("our own page is answered %d and pauses: %v", status, paused() == false)
	}
	cookie.connect(http.Header{"Origin": {s.http.URL}}) // fails the test if it is refused
}

// Every text field of every mutation takes hostile texts as text, or refuses them by
// name: nothing fails inside the server, and no header is made of them.
func TestHostile_TextsInEveryFieldOfEveryMutation(t *testing.T) {
	s := oneSite(t)
	h := &hostile{site: s, all: schema()}
	accepted := map[string]bool{}
	for i, text := range []string{hostileTexts[0], hostileTexts[3], hostileTexts[4], "x\r\nSet-Cookie: a=b", "../../../../etc/passwd", "\x00", "$(reboot)\u202e"} {
		for k, f := range append(slices.Clone(h.all.Mutation.Fields), h.all.Mutation.Fields...) {
			if f.Name == "signOut" || f.Name == "changePassword" {
				continue // of the caller
			}
			h.text, h.optional = text, k >= len(h.all.Mutation.Fields) // first the required fields alone, which fewer checks refuse
			document, values := callOf(h.all, h.all.Mutation, f)
			for _, a := range f.Arguments {
				if a.Type.NonNull {
					values[a.Name] = h.value(a.Type, a.Name)
				}
			}
			r := s.ana(t).ask(document, values)
			internal := strings.Contains(string(r.Data), `"INTERNAL"`)
			for _, e := range r.Errors {
				internal = internal || e.Extensions.Code == "" || e.Extensions.Code == "INTERNAL"
			}
			if internal {
				t.Errorf("%s with text %d fails: %s %+v", f.Name, i, r.Data, r.Errors)
			}
			if r.header.Get("Set-Cookie") != "" || strings.Contains(fmt.Sprint(r.header), "a=b") {
				t.Errorf("%s with text %d sets headers %v", f.Name, i, r.header)
			}
			if strings.Contains(string(r.Data), `"userErrors":[]`) {
				accepted[f.Name] = true
			}
		}
	}
	if strings.Contains(s.log.String(), "graphql field failed") {
		t.Errorf("log: %s", s.log)
	}
	if len(accepted) < 4 || h.fields < 500 {
		t.Errorf("%v accepted a text, %d fields: too few to say something", accepted, h.fields)
	}
	want(t, s.ana(t).get(`query($id: ID!) { application(id: $id) { id } }`, vars{"id": s.app}), "id", s.app)
	if names := s.ana(t).ask("{ applications { name } }", nil).Data; !strings.Contains(string(names), "DROP TABLE") {
		t.Errorf("no application has a hostile name: %s", names)
	}
}

// hostile makes values of input types with a text in their text fields.
type hostile struct {
	*site
	all      *ast.Schema
	text     string
	optional bool // also in fields that are not required
	fields   int  // with the text
}

func (h *hostile) value(t *ast.Type, name string) any {
	if t.Elem != nil {
		return []any{h.value(t.Elem, name)}
	}
	if d := h.all.Types[t.NamedType]; d.Kind == ast.InputObject {
		out := vars{}
		for _, f := range d.Fields {
			if f.Type.NonNull && f.DefaultValue == nil || f.Name == "groupId" || h.optional && f.Type.Name() == "String" {
				out[f.Name] = h.value(f.Type, f.Name)
			}
		}
		return out
	}
	switch {
	case t.NamedType == "String":
		h.fields++
		return h.text
	case name == "groupId":
		return h.group
	case name == "applicationId":
		return h.app
	}
	return valueOf(h.all, t)
}
