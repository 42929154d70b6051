package simulate

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// Response is an HTTP response. Status is 0 if there was none.
type Response struct {
	Status int
	Body   []byte
}

// OK reports whether the status is 200, the only one whose body machines read.
func (r Response) OK() bool { return r.Status == http.StatusOK }

// Client posts Omaha requests over a limited number of kept-alive connections.
type Client struct {
	url  string
	http http.Client
}

// NewClient returns a client for an update URL.
func NewClient(url string, connections int) *Client {
	return &Client{url: url, http: http.Client{
		Timeout: 30 * time.Second, // update_engine's connect timeout
		Transport: &http.Transport{
			MaxConnsPerHost: connections, MaxIdleConnsPerHost: connections,
			DisableCompression: true, // as update_engine
		},
	}}
}

// Send posts one request. The status is 0 if no complete response arrives.
func (c *Client) Send(ctx context.Context, body []byte) Response {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return Response{}
	}
	req.Header.Set("Content-Type", "text/xml")
	req.Header.Set("Accept", "*/*")
	req.Header["User-Agent"] = nil // as update_engine
	resp, err := c.http.Do(req)
	if err != nil {
		return Response{}
	}
	defer resp.Body.Close()
	const maxBody = 1 << 20 // a valid body has some kB
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	if err != nil {
		return Response{}
	}
	return Response{resp.StatusCode, answer}
}

// Close closes idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// updateURL is the URL of requests. A URL without a path gets the usual one.
func updateURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, fmt.Errorf("--url is %q: use a URL such as http://localhost:8000", text)
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = "/v1/update/"
	}
	return u, nil
}
