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

// conn is one HTTP/1.1 connection. It replaces net/http's client, which would use
// more CPU than the server under test.
type conn struct {
	net       net.Conn
	in        *bufio.Reader
	out, body []byte
	closing   bool // the server closes the connection after this response
	unread    bool // the connection failed before the first byte of a response
}

const (
	// lineBuffer limits a header line, in bytes.
	lineBuffer = 4 << 10
	// maxBody limits a response body, in bytes. A valid one has some kB.
	maxBody = 1 << 20
)

func newConn(c net.Conn) *conn {
	return &conn{net: c, in: bufio.NewReaderSize(c, lineBuffer)}
}

// exchange sends a request and returns the response. The response is valid until
// the next call.
func (c *conn) exchange(p *Plan, body []byte) (status int, response []byte, err error) {
	c.unread = false
	c.out = append(append(append(c.out[:0], "POST "...), p.Path...), " HTTP/1.1\r\nHost: "...)
	c.out = append(append(c.out, p.Host...), "\r\nAccept: */*\r\nContent-Type: text/xml\r\nContent-Length: "...)
	c.out = strconv.AppendInt(c.out, int64(len(body)), 10)
	c.out = append(append(c.out, "\r\n\r\n"...), body...)
	if err := c.net.SetDeadline(time.Now().Add(requestTimeout)); err != nil {
		return 0, nil, err
	}
	if _, err := c.net.Write(c.out); err != nil {
		c.unread = true
		return 0, nil, err
	}
	if _, err := c.in.Peek(1); err != nil {
		var netErr net.Error
		c.unread = !errors.As(err, &netErr) || !netErr.Timeout()
		return 0, nil, err
	}
	return c.read()
}

// read reads one response, which must have a Content-Length.
func (c *conn) read() (status int, response []byte, err error) {
	line, err := c.in.ReadSlice('\n')
	if err != nil {
		return 0, nil, err
	}
	version, rest, _ := bytes.Cut(line, []byte(" "))
	if len(rest) < 3 || !bytes.HasPrefix(version, []byte("HTTP/1.")) {
		return 0, nil, fmt.Errorf("malformed HTTP status line %.40q", line)
	}
	if status, err = strconv.Atoi(string(rest[:3])); err != nil {
		return 0, nil, fmt.Errorf("malformed HTTP status line %.40q", line)
	}
	c.closing = string(version) == "HTTP/1.0"
	length := -1
	for {
		if line, err = c.in.ReadSlice('\n'); err != nil {
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
			c.closing = c.closing || bytes.EqualFold(value, []byte("close"))
		}
	}
	if length < 0 || length > maxBody {
		return 0, nil, fmt.Errorf("the response has no Content-Length or is too large: %d bytes", length)
	}
	if cap(c.body) < length {
		c.body = make([]byte, length)
	}
	c.body = c.body[:length]
	_, err = io.ReadFull(c.in, c.body)
	return status, c.body, err
}
