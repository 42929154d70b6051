package graph

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/graph/model"
)

// column is a field of an exported entry: its name in the API and its value. A
// json.RawMessage is an object, which CSV has as text.
type column[T any] struct {
	name  string
	value func(T) any
}

var activityColumns = []column[*db.Activity]{
	{"id", func(a *db.Activity) any { return a.ID }},
	{"at", func(a *db.Activity) any { return scalar(model.MarshalTime(a.At)) }},
	{"kind", func(a *db.Activity) any { return scalar(model.MarshalActivityKind(a.Kind)) }},
	{"severity", func(a *db.Activity) any { return scalar(model.MarshalSeverity(a.Severity)) }},
	{"applicationId", func(a *db.Activity) any { return a.ApplicationID }},
	{"applicationName", func(a *db.Activity) any { return a.ApplicationName }},
	{"groupId", func(a *db.Activity) any { return idOrNil(a.GroupID) }},
	{"groupName", func(a *db.Activity) any { return a.GroupName }},
	{"channelId", func(a *db.Activity) any { return idOrNil(a.ChannelID) }},
	{"channelName", func(a *db.Activity) any { return a.ChannelName }},
	{"instanceId", func(a *db.Activity) any { return idOrNil(a.InstanceID) }},
	{"machineId", func(a *db.Activity) any { return a.MachineID }},
	{"version", func(a *db.Activity) any { return a.Version }},
	{"code", func(a *db.Activity) any { return a.Code }},
	{"description", func(a *db.Activity) any { return codeDescription(a.Code) }},
	{"actor", func(a *db.Activity) any { return a.Actor }},
	{"detail", func(a *db.Activity) any { return a.Detail }},
}

var auditColumns = []column[*db.Audit]{
	{"id", func(a *db.Audit) any { return a.ID }},
	{"at", func(a *db.Audit) any { return scalar(model.MarshalTime(a.At)) }},
	{"actor", func(a *db.Audit) any { return a.Actor }},
	{"credential", func(a *db.Audit) any { return a.Credential }},
	{"action", func(a *db.Audit) any { return a.Verb }},
	{"objectType", func(a *db.Audit) any { return a.Object }},
	{"objectId", func(a *db.Audit) any { return a.ObjectID }},
	{"applicationId", func(a *db.Audit) any { return idOrNil(a.ApplicationID) }},
	{"reason", func(a *db.Audit) any { return a.Reason }},
	{"before", func(a *db.Audit) any { return objectOrNil(a.Before) }},
	{"after", func(a *db.Audit) any { return objectOrNil(a.After) }},
	{"address", func(a *db.Audit) any { return a.Address }},
	{"number", func(a *db.Audit) any { return numberOrNil(a.Seq) }},
	{"previousHash", func(a *db.Audit) any { return a.Previous }},
	{"hash", func(a *db.Audit) any { return a.Hash }},
}

// scalar returns the text of a value of the API that is a JSON string.
func scalar(m graphql.Marshaler) string {
	var b bytes.Buffer
	m.MarshalGQL(&b)
	return strings.Trim(b.String(), `"`)
}

func idOrNil(id *uuid.UUID) any {
	if id == nil {
		return nil
	}
	return *id
}

func numberOrNil(n *int64) any {
	if n == nil {
		return nil
	}
	return *n
}

func objectOrNil(text string) any {
	if text == "" {
		return nil
	}
	return json.RawMessage(text)
}

// encoding is a format of an export.
type encoding struct {
	extension, contentType string
	// names writes the line before the first entry; nil for none.
	names func(b *bytes.Buffer, names []string) error
	entry func(b *bytes.Buffer, names []string, values []any) error
}

var encodings = map[string]encoding{
	"jsonl": {extension: "jsonl", contentType: "application/jsonl; charset=utf-8", entry: jsonLine},
	"csv":   {extension: "csv", contentType: "text/csv; charset=utf-8", names: csvLine, entry: csvEntry},
}

// sendPage sends one page of an export. A client that does not read it within
// exportReadTime loses its connection.
func sendPage[T any](w http.ResponseWriter, rows []T, columns []column[T], e encoding, first bool) error {
	names, values := make([]string, len(columns)), make([]any, len(columns))
	for i, c := range columns {
		names[i] = c.name
	}
	var b bytes.Buffer
	if first && e.names != nil {
		if err := e.names(&b, names); err != nil {
			return err
		}
	}
	for _, row := range rows {
		for i, c := range columns {
			values[i] = c.value(row)
		}
		if err := e.entry(&b, names, values); err != nil {
			return err
		}
	}
	c := http.NewResponseController(w)
	_ = c.SetWriteDeadline(time.Now().Add(exportReadTime)) // not supported by the recorder of tests
	_, err := w.Write(b.Bytes())
	return err
}

// jsonLine writes an entry as a JSON object on a line of its own.
func jsonLine(b *bytes.Buffer, names []string, values []any) error {
	for i, name := range names {
		value, err := json.Marshal(values[i])
		if err != nil {
			return fmt.Errorf("export %s: %w", name, err)
		}
		before := ","
		if i == 0 {
			before = "{"
		}
		fmt.Fprintf(b, "%s%q:%s", before, name, value)
	}
	b.WriteString("}\n")
	return nil
}

func csvEntry(b *bytes.Buffer, _ []string, values []any) error {
	cells := make([]string, len(values))
	for i, v := range values {
		switch v := v.(type) {
		case nil:
		case json.RawMessage:
			cells[i] = string(v)
		default:
			cells[i] = fmt.Sprint(v)
		}
	}
	return csvLine(b, cells)
}

// csvLine writes a line of CSV (RFC 4180). Machines send arbitrary text, and
// spreadsheets run text that starts like a formula: an apostrophe marks it as text.
func csvLine(b *bytes.Buffer, cells []string) error {
	safe := make([]string, len(cells))
	for i, text := range cells {
		if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
			text = "'" + text
		}
		safe[i] = text
	}
	w := csv.NewWriter(b)
	w.UseCRLF = true
	if err := w.Write(safe); err != nil {
		return err
	}
	w.Flush()
	return w.Error()
}

// exportRefusal is the body of an error response.
type exportRefusal struct {
	Code    string `json:"code"`
	Field   string `json:"field"`
	Message string `json:"message"`
}

func sendRefusal(w http.ResponseWriter, status int, body exportRefusal) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
