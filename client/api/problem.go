package api

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"syscall"
)

// Problem is why the server did not do what was asked.
type Problem struct {
	Server  string // URL; "" for a user error of a mutation
	Code    string // of the schema's ErrorCode
	Field   string // path of the input field, "" for none
	Message string
}

// The codes that commands handle.
const (
	Conflict         = "CONFLICT"
	Forbidden        = "FORBIDDEN"
	ApprovalRequired = "APPROVAL_REQUIRED"
	Unauthenticated  = "UNAUTHENTICATED"
	RateLimited      = "RATE_LIMITED"
	Unavailable      = "UNAVAILABLE"
)

// Error implements error.
func (p *Problem) Error() string {
	switch {
	case p.Server != "" && p.Field != "":
		return fmt.Sprintf("%s answered: %s: %s", p.Server, p.Field, p.Message)
	case p.Server != "":
		return fmt.Sprintf("%s answered: %s", p.Server, p.Message)
	case p.Field != "":
		return p.Field + ": " + p.Message
	default:
		return p.Message
	}
}

// Code returns the code of an error of the server, "" for another error.
func Code(err error) string {
	if problem, ok := errors.AsType[*Problem](err); ok {
		return problem.Code
	}
	return ""
}

// variableField returns the field of the variables that an error is about, such as
// input.policy.windows.0.start, "" when it is about something else.
func variableField(path []any) string {
	if len(path) < 2 || path[0] != "variable" {
		return ""
	}
	parts := make([]string, len(path)-1)
	for i, part := range path[1:] {
		parts[i] = fmt.Sprint(part)
	}
	return strings.Join(parts, ".")
}

// userErrors returns the user errors of a mutation's payload as one error.
func userErrors(data json.RawMessage) error {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil {
		return err
	}
	var errs []error
	for _, field := range fields {
		var payload struct {
			UserErrors []struct{ Code, Field, Message string }
		}
		if json.Unmarshal(field, &payload) != nil {
			continue // a list or a number, as queries have
		}
		for _, e := range payload.UserErrors {
			errs = append(errs, &Problem{Code: e.Code, Field: e.Field, Message: e.Message})
		}
	}
	return errors.Join(errs...)
}

// explain adds what to do to an error of the connection.
func (s *Server) explain(err error) error {
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	var plain tls.RecordHeaderError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &unknown):
		return fmt.Errorf("%s has a certificate of an unknown authority; name a file with the authority's certificate by --ca-file: %w", s.URL, err)
	case errors.As(err, &name):
		return fmt.Errorf("the certificate of %s is for another name; use the name that it is for: %w", s.URL, err)
	case errors.As(err, &invalid):
		return fmt.Errorf("the certificate of %s is not valid; renew it, or check the clock of this machine: %w", s.URL, err)
	case errors.As(err, &plain), strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return fmt.Errorf("%s does not speak TLS; try http:// instead of https://: %w", s.URL, err)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("no server listens at %s; check that it runs, and the address: %w", s.URL, err)
	default:
		return err
	}
}
