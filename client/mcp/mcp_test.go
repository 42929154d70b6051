package mcp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// connect returns an assistant that is connected in memory.
func connect(t *testing.T, s *Server) *sdk.ClientSession {
	t.Helper()
	here, there := sdk.NewInMemoryTransports()
	if _, err := s.server.Connect(t.Context(), here, nil); err != nil {
		t.Fatal(err)
	}
	client, err := sdk.NewClient(&sdk.Implementation{Name: "test", Version: "1"}, nil).Connect(t.Context(), there, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

type numbered struct {
	Number int `json:"number" jsonschema:"a number"`
}

func TestToolsRefuseOtherArguments(t *testing.T) {
	s := NewServer("1", "read only")
	called := false
	Add(s, Tool{Name: "one"}, func(_ context.Context, in numbered) (*Reply, error) {
		called = true
		return &Reply{Text: []string{fmt.Sprint(in.Number)}}, nil
	})
	client := connect(t, s)
	for _, arguments := range []any{nil, map[string]any{"number": "1"}, map[string]any{"number": 1, "more": 2}} {
		result, err := client.CallTool(t.Context(), &sdk.CallToolParams{Name: "one", Arguments: arguments})
		if err == nil && !result.IsError || called {
			t.Errorf("%v was accepted: %+v", arguments, result)
		}
	}
	result, err := client.CallTool(t.Context(), &sdk.CallToolParams{Name: "one", Arguments: numbered{7}})
	if err != nil || result.IsError || !called || !strings.Contains(result.Content[0].(*sdk.TextContent).Text, "\n7\n") {
		t.Errorf("%v %+v", err, result)
	}
}

func TestErrorsAreDataToo(t *testing.T) {
	s := NewServer("1", "")
	Add(s, Tool{Name: "bad"}, func(context.Context, struct{}) (*Reply, error) {
		return nil, errors.New("no machine:\n  web\x1b[2J\u200b" + strings.Repeat("x", 100_000))
	})
	result, err := connect(t, s).CallTool(t.Context(), &sdk.CallToolParams{Name: "bad"})
	if err != nil || !result.IsError {
		t.Fatal(err, result)
	}
	text := result.Content[0].(*sdk.TextContent).Text
	if !strings.HasPrefix(text, "The call failed.\n"+notice) || !strings.Contains(text, "no machine:\n  web⟨U+001B⟩[2J⟨U+200B⟩") || len(text) > maxBytes {
		t.Error(text)
	}
}

func TestCallsAreLimited(t *testing.T) {
	s := NewServer("1", "")
	entered, leave := make(chan struct{}), make(chan struct{})
	Add(s, Tool{Name: "wait"}, func(context.Context, struct{}) (*Reply, error) {
		entered <- struct{}{}
		<-leave
		return &Reply{}, nil
	})
	client := connect(t, s)
	var calls sync.WaitGroup
	for range maxCalls + 1 {
		calls.Go(func() {
			if _, err := client.CallTool(t.Context(), &sdk.CallToolParams{Name: "wait"}); err != nil {
				t.Error(err)
			}
		})
	}
	for range maxCalls {
		<-entered
	}
	if running := len(s.calls); running != maxCalls {
		t.Errorf("%d calls run", running)
	}
	leave <- struct{}{} // makes room for the last one
	<-entered
	close(leave)
	calls.Wait()
}

func TestAnswersAreLimited(t *testing.T) {
	huge := strings.Repeat("é", 10_000)
	var rows []Row
	for i := range 200 {
		rows = append(rows, Row{Text: "row " + huge, Value: map[string]any{"text": huge, "list": make([]int, 1_000)}, Cursor: fmt.Sprint(i + 1)})
	}
	small := append([]Row{}, rows...)
	for i := range small {
		small[i].Text, small[i].Value = "row", i
	}
	for name, c := range map[string]struct {
		reply Reply
		rows  int
		next  string
	}{
		"long rows":    {Reply{Rows: rows, Total: "200", Hint: "name a group"}, 5, "5"},
		"many rows":    {Reply{Rows: small}, MaxRows, "50"},
		"all rows":     {Reply{Rows: small[:10]}, 10, ""},
		"one page":     {Reply{Rows: small[:10], More: true}, 10, "10"},
		"long facts":   {Reply{Facts: map[string]any{"a": strings.Split(strings.Repeat(huge+"\n", 60), "\n")}, Rows: small[:1]}, 1, ""},
		"long text":    {Reply{Text: []string{huge, huge, huge, huge, huge, huge, huge, huge, huge, huge}, Page: "http://x/" + huge}, 0, ""},
		"no rows left": {Reply{}, 0, ""},
		"empty page":   {Reply{More: true, Next: "7"}, 0, "7"},
	} {
		text, out := c.reply.render(func(cursor string) string { return cursor })
		structured, err := json.Marshal(out)
		if err != nil || len(text) > maxBytes || len(structured) > maxBytes {
			t.Errorf("%s: %v, %d bytes of text, %d of JSON", name, err, len(text), len(structured))
		}
		if len(out.Rows) != c.rows || out.Next != c.next || (c.next != "") != strings.Contains(text, `after "`+c.next+`"`) {
			t.Errorf("%s: %d rows, next %q: %.200s", name, len(out.Rows), out.Next, text)
		}
	}
}

func TestTextsStayVisibleOnOneLine(t *testing.T) {
	for text, want := range map[string]string{
		"web-1":          `"web-1"`,
		`a"b\`:           `"a\"b\\"`,
		"a\nb\x00\u2028": `"a⟨U+000A⟩b⟨U+0000⟩⟨U+2028⟩"`,
		"\u202e\u200b\u3164\U000E0041\U000E0101\ufe0f": `"⟨U+202E⟩⟨U+200B⟩⟨U+3164⟩⟨U+E0041⟩⟨U+E0101⟩⟨U+FE0F⟩"`,
		"bad \xff utf-8":           `"bad � utf-8"`,
		"größer 日本":                `"größer 日本"`,
		strings.Repeat("x", 1_000): `"` + strings.Repeat("x", maxQuoted) + `…"`,
	} {
		if got := Quote(text); got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
	if got := Escape(strings.Repeat("\u200b", 1_000), maxQuoted); len([]rune(got)) > maxQuoted+10 {
		t.Errorf("%d characters", len([]rune(got)))
	}
}

func TestDataCannotEndItself(t *testing.T) {
	first, second := fence("x\n"), fence("x\n")
	if first == second || strings.Count(first, "--- ") != 2 {
		t.Errorf("%s%s", first, second)
	}
}

type listed struct {
	After string `json:"after,omitempty"`
}

func (l *listed) Resume(find func(string) (string, error)) (err error) {
	if l.After != "" {
		l.After, err = find(l.After)
	}
	return err
}

func TestListsContinueByShortNames(t *testing.T) {
	s := NewServer("1", "")
	type arguments struct{ listed }
	long := strings.Repeat("cursor ", 100)
	for _, tool := range []string{"one", "two"} {
		Add(s, Tool{Name: tool}, func(_ context.Context, in arguments) (*Reply, error) {
			return &Reply{Rows: []Row{{Text: "after " + fmt.Sprint(in.After == long), Cursor: long}}, More: in.After == ""}, nil
		})
	}
	client := connect(t, s)
	call := func(tool, after string) (string, *sdk.CallToolResult) {
		t.Helper()
		result, err := client.CallTool(t.Context(), &sdk.CallToolParams{Name: tool, Arguments: map[string]any{"after": after}})
		if err != nil {
			t.Fatal(err)
		}
		return result.Content[0].(*sdk.TextContent).Text, result
	}
	if text, _ := call("one", ""); !strings.Contains(text, "after false") || !strings.Contains(text, `after "page-1".`) {
		t.Error(text)
	}
	if text, _ := call("one", "page-1"); !strings.Contains(text, "after true") {
		t.Error(text)
	}
	for _, wrong := range [][2]string{{"two", "page-1"}, {"one", "page-2"}, {"one", " "}} {
		if text, result := call(wrong[0], wrong[1]); !result.IsError || !strings.Contains(text, "leave it out") {
			t.Error(wrong, text)
		}
	}
	for range maxPages {
		s.pages.keep("one", "x")
	}
	if _, err := s.pages.find("one", "page-1"); err == nil {
		t.Error("places are kept without a limit")
	}
}
