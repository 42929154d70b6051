package transfer

import (
	"bytes"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"strconv"
	"time"

	"entgo.io/ent/dialect/sql/schema"
	"entgo.io/ent/schema/field"

	"github.com/coreroller/coreroller/store/statement"
)

// value is one value of a row, in a form that is the same for both databases.
type value struct {
	column *schema.Column
	null   bool
	text   string
	time   time.Time
	number int64
	float  float64
	truth  bool
}

// Scan reads the value as a driver returns it.
func (v *value) Scan(from any) error {
	if v.null = from == nil; v.null {
		return nil
	}
	switch v.column.Type {
	case field.TypeTime:
		return statement.Time(&v.time).Scan(from)
	case field.TypeBool:
		var b sql.NullBool
		err := b.Scan(from)
		v.truth = b.Bool
		return err
	case field.TypeInt, field.TypeInt8, field.TypeInt16, field.TypeInt32, field.TypeInt64:
		var n sql.NullInt64
		err := n.Scan(from)
		v.number = n.Int64
		return err
	case field.TypeFloat64, field.TypeFloat32:
		var f sql.NullFloat64
		err := f.Scan(from)
		v.float = f.Float64
		return err
	case field.TypeUUID, field.TypeString, field.TypeEnum, field.TypeJSON:
		switch text := from.(type) {
		case string:
			v.text = text
		case []byte:
			v.text = string(text)
		default:
			return fmt.Errorf("column %s: cannot read %T", v.column.Name, from)
		}
		return nil
	}
	return fmt.Errorf("column %s: type %s is not known", v.column.Name, v.column.Type)
}

// argument returns the value as both drivers write it.
func (v *value) argument() any {
	switch {
	case v.null:
		return nil
	case v.column.Type == field.TypeTime:
		return v.time
	case v.column.Type == field.TypeBool:
		return v.truth
	case v.column.Type == field.TypeFloat64 || v.column.Type == field.TypeFloat32:
		return v.float
	case v.column.Type == field.TypeUUID || v.column.Type == field.TypeString || v.column.Type == field.TypeEnum || v.column.Type == field.TypeJSON:
		return v.text
	}
	return v.number
}

// canonical returns the text of the value that is the same in both databases.
func (v *value) canonical() (string, error) {
	switch {
	case v.null:
		return "", nil
	case v.column.Type == field.TypeTime:
		return strconv.FormatInt(v.time.UnixMicro(), 10), nil
	case v.column.Type == field.TypeBool:
		return strconv.FormatBool(v.truth), nil
	case v.column.Type == field.TypeFloat64 || v.column.Type == field.TypeFloat32:
		return strconv.FormatFloat(v.float, 'g', -1, 64), nil
	case v.column.Type == field.TypeJSON:
		return canonicalJSON(v.text)
	case v.column.Type == field.TypeUUID || v.column.Type == field.TypeString || v.column.Type == field.TypeEnum:
		return v.text, nil
	}
	return strconv.FormatInt(v.number, 10), nil
}

// canonicalJSON sorts keys and writes numbers by their value, because PostgreSQL does not
// keep the text.
func canonicalJSON(text string) (string, error) {
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return "", err
	}
	out, err := json.Marshal(plain(v))
	return string(out), err
}

func plain(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k := range v {
			v[k] = plain(v[k])
		}
	case []any:
		for k := range v {
			v[k] = plain(v[k])
		}
	case json.Number:
		if r, ok := new(big.Rat).SetString(v.String()); ok {
			return r.RatString()
		}
	}
	return v
}

// sum counts the rows of a table, and adds their hashes, so that their order does not
// matter.
type sum struct {
	Rows  int64
	parts [4]uint64
}

func (s *sum) add(row []value) error {
	h := sha256.New()
	for i := range row {
		text, err := row[i].canonical()
		if err != nil {
			return fmt.Errorf("column %s: %w", row[i].column.Name, err)
		}
		_, _ = fmt.Fprintf(h, "%t:%d:%s\n", row[i].null, len(text), text)
	}
	var digest [sha256.Size]byte
	h.Sum(digest[:0])
	s.Rows++
	for i := range s.parts {
		s.parts[i] += binary.BigEndian.Uint64(digest[8*i:])
	}
	return nil
}

// String is the digest in hexadecimal.
func (s *sum) String() string {
	var raw [32]byte
	for i, p := range s.parts {
		binary.BigEndian.PutUint64(raw[8*i:], p)
	}
	return hex.EncodeToString(raw[:])
}
