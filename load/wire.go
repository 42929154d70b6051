package load

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"
)

// wire is one HTTP/1.1 connection. net/http would take more of the machine than
// the server that is measured.
type wire struct {
	conn      net.Conn
	in        *bufio.Reader
	out, body []byte
	closes    bool // the server closes it after this answer
	untouched bool // it broke before the first byte of an answer
}

// Bounds on what is read: an answer is some kB.
const (
	lineBuffer = 4 << 10
	maxAnswer  = 1 << 20
)

func newWire(conn net.Conn) *wire {
	return &wire{conn: conn, in: bufio.NewReaderSize(conn, lineBuffer)}
}

// exchange sends a body and reads the answer, which is good until the next.
func (w *wire) exchange(p *Plan, body []byte) (status int, answer []byte, err error) {
	w.untouched = false
	w.out = append(append(append(w.out[:0], "POST "...), p.Path...), " HTTP/1.1\r\nHost: "...)
	w.out = append(append(w.out, p.Host...), "\r\nAccept: */*\r\nContent-Type: text/xml\r\nContent-Length: "...)
	w.out = strconv.AppendInt(w.out, int64(len(body)), 10)
	w.out = append(append(w.out, "\r\n\r\n"...), body...)
	if err := w.conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return 0, nil, err
	}
	if _, err := w.conn.Write(w.out); err != nil {
		w.untouched = true
		return 0, nil, err
	}
	if _, err := w.in.Peek(1); err != nil {
		var slow net.Error
		w.untouched = !errors.As(err, &slow) || !slow.Timeout()
		return 0, nil, err
	}
	return w.read()
}

// read reads one answer. It has to say how long it is: those of update servers
// do.
func (w *wire) read() (status int, answer []byte, err error) {
	line, err := w.in.ReadSlice('\n')
	if err != nil {
		return 0, nil, err
	}
	version, rest, _ := bytes.Cut(line, []byte(" "))
	if len(rest) < 3 || !bytes.HasPrefix(version, []byte("HTTP/1.")) {
		return 0, nil, fmt.Errorf("an answer begins with %.40q", line)
	}
	if status, err = strconv.Atoi(string(rest[:3])); err != nil {
		return 0, nil, fmt.Errorf("an answer begins with %.40q", line)
	}
	w.closes = string(version) == "HTTP/1.0"
	length := -1
	for {
		if line, err = w.in.ReadSlice('\n'); err != nil {
			return 0, nil, err
		}
		name, value, found := bytes.Cut(line, []byte(":"))
		if !found {
			break
		}
		value = bytes.TrimSpace(value)
		switch {
		case bytes.EqualFold(name, []byte("Content-Length")):
			if length, err = strconv.Atoi(string(value)); err != nil {
				return 0, nil, err
			}
		case bytes.EqualFold(name, []byte("Connection")):
			w.closes = w.closes || bytes.EqualFold(value, []byte("close"))
		}
	}
	if length < 0 || length > maxAnswer {
		return 0, nil, fmt.Errorf("an answer of %d bytes, -1 is without length", length)
	}
	if cap(w.body) < length {
		w.body = make([]byte, length)
	}
	w.body = w.body[:length]
	_, err = io.ReadFull(w.in, w.body)
	return status, w.body, err
}
