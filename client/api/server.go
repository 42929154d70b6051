// Package api sends GraphQL requests to a running server: queries and mutations with
// one POST, subscriptions as server-sent events. It knows the form of requests and
// errors, and no document.
package api

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"
)

// Server is a server and how to sign in there.
type Server struct {
	URL      string
	Token    string // instead of user and password
	User     string
	Password string
	CAFile   string // certificates that the server's may be signed by; "" for those of the system

	mu     sync.Mutex // guards client: an assistant sends several requests at once
	client *http.Client
}

const (
	timeout   = time.Minute
	maxAnswer = 16 << 20
)

// Do sends a document and decodes its data into out. Errors of the answer, also user
// errors of a mutation, are Problems.
func (s *Server) Do(ctx context.Context, document string, variables map[string]any, out any) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	resp, err := s.post(ctx, "application/json", document, variables)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := s.read(resp)
	if err != nil || out == nil {
		return err
	}
	return json.Unmarshal(data, out)
}

func (s *Server) post(ctx context.Context, accept, document string, variables map[string]any) (*http.Response, error) {
	body, err := json.Marshal(map[string]any{"query": document, "variables": variables})
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(s.URL, "/")+"/graphql", bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("the server's address: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", accept)
	s.signIn(req)
	client, err := s.http()
	if err != nil {
		return nil, err
	}
	resp, err := client.Do(req)
	return resp, s.explain(err)
}

// signIn adds the credentials to a request.
func (s *Server) signIn(req *http.Request) {
	if s.Token != "" {
		req.Header.Set("Authorization", "Bearer "+s.Token)
	} else {
		req.SetBasicAuth(s.User, s.Password)
	}
}

// http returns the client of all requests.
func (s *Server) http() (*http.Client, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.client != nil {
		return s.client, nil
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	if s.CAFile != "" {
		pem, err := os.ReadFile(s.CAFile)
		if err != nil {
			return nil, fmt.Errorf("--ca-file: %w", err)
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("--ca-file: %s contains no certificate in PEM", s.CAFile)
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	s.client = &http.Client{
		Transport: transport,
		// A redirect could turn the POST into a GET.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return s.client, nil
}

// Certificate returns the certificate of the server, nil when the connection is not encrypted.
func (s *Server) Certificate(ctx context.Context) (*x509.Certificate, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, s.URL, nil)
	if err != nil {
		return nil, err
	}
	client, err := s.http()
	if err != nil {
		return nil, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, s.explain(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.TLS == nil || len(resp.TLS.PeerCertificates) == 0 {
		return nil, nil //nolint:nilnil // no certificate is no error
	}
	return resp.TLS.PeerCertificates[0], nil
}

// Close closes idle connections.
func (s *Server) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.client != nil {
		s.client.CloseIdleConnections()
	}
}

// read returns the data of an answer, or its errors.
func (s *Server) read(resp *http.Response) (json.RawMessage, error) {
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, s.explain(err)
	}
	location := resp.Header.Get("Location")
	if location != "" {
		return nil, fmt.Errorf("%s redirects to %s: use the address of that server", resp.Request.URL, location)
	}
	data, err := s.parse(body)
	if problem := new(Problem); err != nil && !errors.As(err, &problem) || err == nil && resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s is no CoreRoller server: it answered %s", resp.Request.URL, resp.Status)
	}
	return data, err
}

// parse returns the data of one response of the protocol, or its errors.
func (s *Server) parse(body []byte) (json.RawMessage, error) {
	var parsed struct {
		Data   json.RawMessage
		Errors []struct {
			Message    string
			Path       []any
			Extensions struct{ Code string }
		}
	}
	if err := json.Unmarshal(body, &parsed); err != nil {
		return nil, err
	}
	if len(parsed.Errors) > 0 {
		first := parsed.Errors[0]
		return nil, &Problem{Server: s.URL, Code: first.Extensions.Code, Field: variableField(first.Path), Message: first.Message}
	}
	if parsed.Data == nil {
		return nil, errors.New("the answer has neither data nor errors")
	}
	return parsed.Data, userErrors(parsed.Data)
}
