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
}

func newStream(w http.ResponseWriter) *stream {
	s := &stream{ResponseWriter: w, control: http.NewResponseController(w)}
	s.Header().Set("X-Accel-Buffering", "no") // nginx would collect events
	return s
}

// Write implements http.ResponseWriter.
func (s *stream) Write(data []byte) (int, error) {
	// Not every writer has deadlines (tests record); then there is none.
	_ = s.control.SetWriteDeadline(time.Now().Add(writeTime))
	return s.ResponseWriter.Write(data)
}

// Flush implements http.Flusher.
func (s *stream) Flush() { _ = s.control.Flush() }
