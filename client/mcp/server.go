// Package mcp answers an assistant over the Model Context Protocol. It knows the form
// of tools and of their answers, and keeps these short, on one line for each fact, and
// marked as data. It knows no document and no server of CoreRoller.
package mcp

import (
	"context"
	"errors"
	"io"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

const (
	// maxLine limits one request of the assistant, in bytes.
	maxLine = 1 << 20
	// maxCalls limits the calls that run at once, so that an assistant in a loop is no load.
	maxCalls = 4
)

// Server offers tools to one assistant.
type Server struct {
	server *sdk.Server
	calls  chan struct{}
	pages  pages
}

// NewServer returns a server without tools. The instructions are sent to the assistant.
func NewServer(version, instructions string) *Server {
	return &Server{
		server: sdk.NewServer(&sdk.Implementation{Name: "coreroller", Title: "CoreRoller", Version: version},
			&sdk.ServerOptions{Instructions: instructions, Capabilities: &sdk.ServerCapabilities{Tools: &sdk.ToolCapabilities{}}}),
		calls: make(chan struct{}, maxCalls),
	}
}

// Tool describes a tool to the assistant.
type Tool struct {
	Name, Title, Description string
	Writes                   bool // whether a call can change something on the server
}

// Add adds a tool. The fields of In are its arguments, described by their tags. A
// value that does not fit In is refused before run is called.
func Add[In any](s *Server, t Tool, run func(context.Context, In) (*Reply, error)) {
	no := false
	sdk.AddTool(s.server, &sdk.Tool{
		Name: t.Name, Title: t.Title, Description: t.Description,
		Annotations: &sdk.ToolAnnotations{
			Title: t.Title, ReadOnlyHint: !t.Writes, IdempotentHint: !t.Writes, DestructiveHint: &no, OpenWorldHint: &no,
		},
	}, func(ctx context.Context, _ *sdk.CallToolRequest, in In) (*sdk.CallToolResult, *Output, error) {
		select {
		case s.calls <- struct{}{}:
			defer func() { <-s.calls }()
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		}
		if list, ok := any(&in).(Resumer); ok {
			if err := list.Resume(func(name string) (string, error) { return s.pages.find(t.Name, name) }); err != nil {
				return nil, nil, errors.New(failure(err))
			}
		}
		reply, err := run(ctx, in)
		if err != nil {
			return nil, nil, errors.New(failure(err))
		}
		text, out := reply.render(func(cursor string) string { return s.pages.keep(t.Name, cursor) })
		return &sdk.CallToolResult{Content: []sdk.Content{&sdk.TextContent{Text: text}}}, out, nil
	})
}

// Run answers requests until the input ends or the context does. It closes both streams.
func (s *Server) Run(ctx context.Context, in io.ReadCloser, out io.WriteCloser) error {
	return s.server.Run(ctx, &sdk.IOTransport{Reader: in, Writer: out, MaxLineLength: maxLine})
}
