package graph

import (
	"net/http"
	"time"
)

// stream writes server-sent events. A client that does not read in time loses
// its connection, as with a websocket.
type stream struct {
	http.ResponseWriter
	control *http.ResponseController
}

func newStream(w http.ResponseWriter) *stream {
	s := &stream{ResponseWriter: w, control: http.NewResponseController(w)}
	s.Header().Set("X-Accel-Buffering", "no") // nginx would buffer events
	return s
}

// Write implements http.ResponseWriter.
func (s *stream) Write(data []byte) (int, error) {
	// Writers without deadlines, such as test recorders, return an error here.
	_ = s.control.SetWriteDeadline(time.Now().Add(writeTimeout))
	return s.ResponseWriter.Write(data)
}

// Flush implements http.Flusher.
func (s *stream) Flush() { _ = s.control.Flush() }
