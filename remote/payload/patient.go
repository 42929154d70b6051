package payload

import (
	"io"
	"net/http"
	"time"
)

// stallTime is how long a client that uploads may send nothing. A long upload may take any
// time.
const stallTime = 30 * time.Second

// Patient returns the body of a request that is read without the limit that other requests
// have: only each part of it must arrive in time.
func Patient(w http.ResponseWriter, r *http.Request) io.Reader {
	return &patient{http.NewResponseController(w), r.Body}
}

type patient struct {
	control *http.ResponseController
	body    io.Reader
}

// Read implements io.Reader.
func (p *patient) Read(data []byte) (int, error) {
	// Recorders of tests have no deadlines and return an error.
	_ = p.control.SetReadDeadline(time.Now().Add(stallTime))
	return p.body.Read(data)
}
