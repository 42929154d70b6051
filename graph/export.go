package graph

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/view"
	"github.com/coreroller/coreroller/graph/model"
)

const (
	// exportedPage limits the entries of an export that are in memory at once.
	exportedPage = 500
	// exportReadTime limits the time in which a client reads one page of an export.
	exportReadTime = time.Minute
)

// ExportActivity serves the list of the query `activities` as a file, with the
// fields of its filter as query parameters.
func (h *Handler) ExportActivity() http.Handler {
	return export(h, "activity", activityColumns, func(q *exportQuery) *view.List[*db.Activity] {
		return h.resolver.fleet.View.Activities(view.ActivityFilter{
			Application: parameter(q, "applicationId", model.UnmarshalID), Group: parameter(q, "groupId", model.UnmarshalID),
			Instance: parameter(q, "instanceId", model.UnmarshalID),
			Kinds:    parameters(q, "kinds", model.UnmarshalActivityKind), Severities: parameters(q, "severities", model.UnmarshalSeverity),
			Text: parameter(q, "text", asText), Since: parameter(q, "since", model.UnmarshalTime), Until: parameter(q, "until", model.UnmarshalTime),
		})
	})
}

// ExportAudits is ExportActivity for the query `audits`.
func (h *Handler) ExportAudits() http.Handler {
	return export(h, "audit", auditColumns, func(q *exportQuery) *view.List[*db.Audit] {
		return h.resolver.fleet.View.Audits(view.AuditFilter{
			Application: parameter(q, "applicationId", model.UnmarshalID), Object: parameter(q, "objectId", model.UnmarshalID),
			Actor: parameter(q, "actor", asText), Verb: parameter(q, "action", asText), Text: parameter(q, "text", asText),
			Since: parameter(q, "since", model.UnmarshalTime), Until: parameter(q, "until", model.UnmarshalTime),
		})
	})
}

// export serves a list as a file. The first page is read before the status is sent,
// so that it can still fail with an error; later failures abort the connection, so
// that no client takes a part for the whole.
func export[T any](h *Handler, name string, columns []column[T], listOf func(q *exportQuery) *view.List[T]) http.Handler {
	return h.guard.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := &exportQuery{given: r.URL.Query()}
		l := listOf(q)
		encode := q.format()
		order := parameter(q, "order", asOrder)
		err := q.problem()
		now := h.resolver.Now()
		var page view.Page[T]
		if err == nil {
			page, err = exportPage(r, ordered(h.resolver, l, order))
		}
		if err != nil {
			h.refuseExport(w, r, err)
			return
		}
		header := w.Header()
		header.Set("Cache-Control", "no-store")
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Content-Type", encode.contentType)
		header.Set("Content-Disposition", fmt.Sprintf(`attachment; filename="coreroller-%s-%s.%s"`, name, now.UTC().Format("2006-01-02-15-04"), encode.extension))
		for first := true; ; first = false {
			err = sendPage(w, page.Rows, columns, encode, first)
			if err == nil && (!page.More || r.Method == http.MethodHead) {
				return
			}
			if err == nil {
				page, err = exportPage(r, l)
			}
			if err != nil {
				h.resolver.Log.WarnContext(r.Context(), "export aborted", "request", h.resolver.RequestID(r.Context()), "export", name, "err", err)
				panic(http.ErrAbortHandler)
			}
		}
	}), func(w http.ResponseWriter, _ *http.Request, status int, code, message string) {
		sendRefusal(w, status, exportRefusal{Code: code, Message: message})
	})
}

// exportPage reads the next page of a list within the time for a query.
func exportPage[T any](r *http.Request, l *view.List[T]) (view.Page[T], error) {
	ctx, cancel := context.WithTimeout(r.Context(), operationTimeout)
	defer cancel()
	return l.Page(ctx, exportedPage)
}

// exportQuery are the query parameters of an export. They are read by name; err is
// the problem that was found first.
type exportQuery struct {
	given url.Values
	known []string
	err   error
}

func (q *exportQuery) refuse(name, message string) {
	if q.err == nil {
		q.err = fault.Errorf(fault.Invalid, name, "%s", message)
	}
}

// values returns the values of a parameter.
func (q *exportQuery) values(name string) []string {
	q.known = append(q.known, name)
	return q.given[name]
}

// problem returns the first problem. An unknown parameter is one, because a
// mistyped condition would export everything.
func (q *exportQuery) problem() error {
	for name := range q.given {
		if !slices.Contains(q.known, name) {
			q.refuse(name, "is not a parameter; these are: "+strings.Join(q.known, ", "))
		}
	}
	return q.err
}

// format returns the encoding, JSON lines by default.
func (q *exportQuery) format() encoding {
	name := parameter(q, "format", asText)
	if name == nil {
		return encodings["jsonl"]
	}
	e, known := encodings[*name]
	if !known {
		q.refuse("format", "must be jsonl or csv")
	}
	return e
}

// parameter returns the value of a parameter; nil when absent or empty.
func parameter[T any](q *exportQuery, name string, parse func(any) (T, error)) *T {
	all := parameters(q, name, parse)
	switch len(all) {
	case 0:
		return nil
	case 1:
		return &all[0]
	}
	q.refuse(name, "must be given once")
	return nil
}

// parameters returns the values of a parameter that may be repeated; nil when absent.
func parameters[T any](q *exportQuery, name string, parse func(any) (T, error)) []T {
	var all []T
	for _, text := range q.values(name) {
		if text == "" {
			continue
		}
		v, err := parse(text)
		if err != nil {
			q.refuse(name, err.Error())
		}
		all = append(all, v)
	}
	return all
}

// asText accepts text that the databases can store; a condition with any other fails.
func asText(v any) (string, error) {
	text, _ := v.(string)
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return "", errors.New("must be UTF-8 text without NUL")
	}
	return text, nil
}

func asOrder(v any) (model.OrderDirection, error) {
	text, _ := v.(string)
	order := model.OrderDirection(text)
	if !order.IsValid() {
		return "", errors.New("must be ASC or DESC")
	}
	return order, nil
}

// refuseExport answers an export that cannot begin.
func (h *Handler) refuseExport(w http.ResponseWriter, r *http.Request, err error) {
	code, message := h.resolver.classify(r.Context(), err)
	status := http.StatusInternalServerError
	switch code {
	case model.ErrorCodeInvalid:
		status = http.StatusBadRequest
	case model.ErrorCodeForbidden:
		status = http.StatusForbidden
	case model.ErrorCodeUnauthenticated:
		status = http.StatusUnauthorized
	case model.ErrorCodeUnavailable:
		status = http.StatusServiceUnavailable
	}
	sendRefusal(w, status, exportRefusal{Code: string(code), Field: fieldOf(err, nil), Message: message})
}
