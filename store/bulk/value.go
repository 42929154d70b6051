package bulk

import (
	"encoding/hex"
	"strconv"
	"time"

	"github.com/google/uuid"
)

// Value is one value of a row, without an allocation for its type: a text, a
// number, a boolean (0 or 1), an id in two halves, or a time in microseconds
// since 1970 and a 1. The zero Value is the column's empty value: "", 0, false,
// and NULL for ids and times. Values compare with ==.
type Value struct {
	text string
	a, b int64
}

// Text is the value of a text or json column.
func Text(s string) Value { return Value{text: s} }

// Number is the value of a number column.
func Number[N ~int | ~int8 | ~int64 | ~uint8](n N) Value { return Value{a: int64(n)} }

// Bool is the value of a bool column.
func Bool(b bool) Value {
	if b {
		return Value{a: 1}
	}
	return Value{}
}

// ID is the value of an id column, NULL for uuid.Nil.
func ID(id uuid.UUID) Value {
	var v Value
	for i := range 8 {
		v.a, v.b = v.a<<8|int64(id[i]), v.b<<8|int64(id[8+i])
	}
	return v
}

// Time is the value of a time column, NULL for the zero time.
func Time(t time.Time) Value {
	if t.IsZero() {
		return Value{}
	}
	return Value{a: t.UnixMicro(), b: 1}
}

// appendID appends the text of an id.
func (v Value) appendID(to []byte) []byte {
	var raw [16]byte
	for i := range 8 {
		raw[i], raw[8+i] = byte(v.a>>(56-8*i)), byte(v.b>>(56-8*i)) //nolint:gosec // G115: takes one of the bytes
	}
	var text [36]byte
	hex.Encode(text[0:8], raw[0:4])
	text[8] = '-'
	hex.Encode(text[9:13], raw[4:6])
	text[13] = '-'
	hex.Encode(text[14:18], raw[6:8])
	text[18] = '-'
	hex.Encode(text[19:23], raw[8:10])
	text[23] = '-'
	hex.Encode(text[24:36], raw[10:16])
	return append(to, text[:]...)
}

// kind is the type of a column.
type kind uint8

const (
	kindText   kind = iota
	kindNumber      // int64
	kindBool
	kindID   // uuid.Nil is NULL
	kindTime // the zero time is NULL
	kindJSON
)

// kinds are the names of the kinds in the arguments of NewTable.
var kinds = map[string]kind{"text": kindText, "number": kindNumber, "bool": kindBool, "id": kindID, "time": kindTime, "json": kindJSON}

// sqlite returns a value as an argument for SQLite.
func (k kind) sqlite(v Value) any {
	switch {
	case k == kindText || k == kindJSON:
		return v.text
	case k == kindNumber || k == kindBool:
		return v.a
	case v == Value{}:
		return nil
	case k == kindID:
		return string(v.appendID(nil))
	default:
		return v.a
	}
}

// postgres returns the type of the array that carries a column, and the expression
// that converts an element. Times are sent as numbers, because PostgreSQL parses
// them much faster than text.
func (k kind) postgres(name string) (array, expr string) {
	switch k {
	case kindNumber:
		return "bigint[]", name
	case kindBool:
		return "boolean[]", name
	case kindID:
		return "uuid[]", name
	case kindTime:
		return "bigint[]", "to_timestamp(" + name + " / 1000000::float8)"
	case kindJSON:
		return "text[]", name + "::jsonb"
	default:
		return "text[]", name
	}
}

// append appends an element of a PostgreSQL array literal.
func (k kind) append(b []byte, v Value) []byte {
	switch {
	case k == kindText || k == kindJSON:
		b = append(b, '"')
		for i := range len(v.text) {
			if v.text[i] == '"' || v.text[i] == '\\' {
				b = append(b, '\\')
			}
			b = append(b, v.text[i])
		}
		return append(b, '"')
	case k == kindNumber:
		return strconv.AppendInt(b, v.a, 10)
	case k == kindBool:
		return append(b, "ft"[v.a])
	case v == Value{}:
		return append(b, "NULL"...)
	case k == kindID:
		return v.appendID(b)
	default:
		return strconv.AppendInt(b, v.a, 10)
	}
}
