package graph_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// Each fragment spreads the next one twice. Without a limit before all others, 40 of
// them keep a core busy for hours.
func TestFragmentsThatSpreadEachOtherAreRefusedAtOnce(t *testing.T) {
	s := oneSite(t)
	const fragments = 200
	var b strings.Builder
	b.WriteString("{ ...F0 } ")
	for i := range fragments {
		fmt.Fprintf(&b, "fragment F%d on Query { ...F%d ...F%d } ", i, i+1, i+1)
	}
	fmt.Fprintf(&b, "fragment F%d on Query { __typename }", fragments)
	start := time.Now()
	r := s.anonymous(t).ask(b.String(), nil)
	if took := time.Since(start); took > 5*time.Second || len(r.Errors) != 1 || !strings.Contains(r.Errors[0].Message, "more than 3000 fields") {
		t.Errorf("after %v: %+v", took, r.Errors)
	}
}

func TestDocumentsThatSelectTooMuchAreRefused(t *testing.T) {
	s := oneSite(t)
	numbers := fmt.Sprintf("group(id: %q) { numbers { byVersion { version machines } } } ", s.group)
	fields := "{ me { ...A ...A ...A } } fragment A on User { " + many("f%d: username ", 1200) + "}"
	for name, c := range map[string]struct{ document, message string }{
		"root fields": {"{ " + many("a%d: serverInfo { version } ", 51) + "}", "51 root fields, and at most 50"},
		"hidden root": {"{ ...A ...A ...A } fragment A on Query { " + many("a%d: __typename ", 20) + "}", "60 root fields"},
		"10,000":      {"{ " + many("a%d: __typename ", 10_000) + "}", "longer than 128 KiB"},
		"tokens":      {"{ " + many("a%d:id ", 3000) + "}", "token"},
		"fields":      {fields, "more than"},
		"text":        {"{ me { id } } #" + strings.Repeat("x", 128<<10), "longer than 128 KiB"},
		"lists":       {"{ applications { groups { numbers { byVersion { version machines } } grants: numbers { byVersion { version machines } } } } }", "complexity"},
	} {
		if r := s.ana(t).ask(c.document, nil); len(r.Errors) != 1 || r.Errors[0].Extensions.Code != "INVALID" || !strings.Contains(r.Errors[0].Message, c.message) {
			t.Errorf("%s: %.300s %.300v", name, r.Data, r.Errors)
		}
	}
	if r := s.ana(t).ask("{ "+numbers+"}", nil); len(r.Errors) > 0 {
		t.Errorf("one group: %+v", r.Errors)
	}
}

// A websocket is accepted before its first message says who connects: a message is
// bounded like the body of a request.
func TestWebsocketMessagesAreBounded(t *testing.T) {
	s := oneSite(t)
	w := s.anonymous(t).connect(nil)
	_ = w.conn.WriteMessage(websocket.TextMessage, []byte(`{"type":"connection_init","payload":{"x":"`+strings.Repeat("x", 2<<20)+`"}}`))
	w.closes(websocket.CloseMessageTooBig)
}
