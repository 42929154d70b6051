package store

import (
	"encoding/hex"
	"strconv"
	"time"

	"github.com/google/uuid"
)

// cell is one value of a row on its way to the database, of any kind: a text, a
// number, a truth (0 or 1), an id in two halves, or a time in microseconds since
// 1970 with a 1 beside it. The zero cell is what columns are empty with: "", 0,
// false, NULL for ids and times. Cells compare with ==.
type cell struct {
	text string
	a, b int64
}

// cells are rows of one table, one after the other.
type cells []cell

func inText(s string) cell                                { return cell{text: s} }
func inNumber[N ~int | ~int8 | ~int64 | ~uint8](n N) cell { return cell{a: int64(n)} }

func inTruth(yes bool) cell {
	if yes {
		return cell{a: 1}
	}
	return cell{}
}

func inID(id uuid.UUID) cell {
	var c cell
	for i := range 8 {
		c.a, c.b = c.a<<8|int64(id[i]), c.b<<8|int64(id[8+i])
	}
	return c
}

func inTime(t time.Time) cell {
	if t.IsZero() {
		return cell{}
	}
	return cell{a: t.UnixMicro(), b: 1}
}

// id is the text of an id.
func (c cell) id(to []byte) []byte {
	var raw [16]byte
	for i := range 8 {
		raw[i], raw[8+i] = byte(c.a>>(56-8*i)), byte(c.b>>(56-8*i))
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

// kind is what a column holds.
type kind uint8

const (
	asText   kind = iota
	asNumber      // int64
	asTruth
	asID   // uuid.Nil is NULL
	asTime // the zero time is NULL
	asJSON // text
)

// sqlite is a value as SQLite keeps it.
func (k kind) sqlite(c cell) any {
	switch {
	case k == asText || k == asJSON:
		return c.text
	case k == asNumber || k == asTruth:
		return c.a
	case c == cell{}:
		return nil
	case k == asID:
		return string(c.id(nil))
	default:
		return c.a
	}
}

// postgres is the type of array a column travels in, and the expression that
// makes the stored value of an element. Times travel as numbers, which are read
// in a fraction of the time of a text.
func (k kind) postgres(name string) (array, expr string) {
	switch k {
	case asNumber:
		return "bigint[]", name
	case asTruth:
		return "boolean[]", name
	case asID:
		return "uuid[]", name
	case asTime:
		return "bigint[]", "to_timestamp(" + name + " / 1000000::float8)"
	case asJSON:
		return "text[]", name + "::jsonb"
	default:
		return "text[]", name
	}
}

// append adds an element to the text of an array, as PostgreSQL reads it.
func (k kind) append(b []byte, c cell) []byte {
	switch {
	case k == asText || k == asJSON:
		b = append(b, '"')
		for i := range len(c.text) {
			if c.text[i] == '"' || c.text[i] == '\\' {
				b = append(b, '\\')
			}
			b = append(b, c.text[i])
		}
		return append(b, '"')
	case k == asNumber:
		return strconv.AppendInt(b, c.a, 10)
	case k == asTruth:
		return append(b, "ft"[c.a])
	case c == cell{}:
		return append(b, "NULL"...)
	case k == asID:
		return c.id(b)
	default:
		return strconv.AppendInt(b, c.a, 10)
	}
}
