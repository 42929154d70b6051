package statement

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// Time returns a destination for Scan. NULL becomes the zero time.
func Time(to *time.Time) sql.Scanner { return nullTime{to} }

// ID returns a destination for Scan. NULL becomes uuid.Nil.
func ID(to *uuid.UUID) sql.Scanner { return nullID{to} }

// JSON returns a destination for Scan: a pointer to a value that is stored as
// JSON. NULL leaves it unchanged.
func JSON(to any) sql.Scanner { return jsonValue{to} }

type nullTime struct{ to *time.Time }

func (n nullTime) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		*n.to = time.Time{}
	case time.Time:
		*n.to = v.UTC()
	default:
		return fmt.Errorf("cannot read a time from %T", v)
	}
	return nil
}

type nullID struct{ to *uuid.UUID }

func (n nullID) Scan(v any) error {
	*n.to = uuid.Nil
	if v == nil {
		return nil
	}
	return n.to.Scan(v)
}

type jsonValue struct{ to any }

func (j jsonValue) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		return nil
	case []byte:
		return json.Unmarshal(v, j.to)
	case string:
		return json.Unmarshal([]byte(v), j.to)
	}
	return fmt.Errorf("cannot read JSON from %T", v)
}
