package graph

import (
	"net/http"
	"time"
)

// stream is the answer of a server-sent event stream. Like a websocket, a
// client that does not read loses its connection.
type stream struct {
	http.ResponseWriter
	control *http.ResponseController
	begun   bool
}

func newStream(w http.ResponseWriter) *stream {
	s := &stream{ResponseWriter: w, control: http.NewResponseController(w)}
	s.Header().Set("X-Accel-Buffering", "no") // nginx would collect events
	return s
}

// Write implements http.ResponseWriter.
func (s *stream) Write(data []byte) (int, error) {
	// Not every writer has deadlines (tests record); then there is none.
	if !s.begun {
		// The request was read. The server's deadline for that goes on and would
		// end the stream as if the client had gone.
		s.begun = true
		//_ = s.control.SetReadDeadline(time.Time{})
	}
	_ = s.control.SetWriteDeadline(time.Now().Add(writeTime))
	return s.ResponseWriter.Write(data)
}

// Flush implements http.Flusher.
func (s *stream) Flush() { _ = s.control.Flush() }
