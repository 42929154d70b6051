package reach

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"entgo.io/ent"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/migrate"
)

// queries returns an empty query of every table, by the name of its record.
func queries(t *testing.T) map[string]ent.Query {
	t.Helper()
	all := map[string]ent.Query{}
	client := reflect.ValueOf(db.NewClient()).Elem()
	for i := range client.NumField() {
		if !client.Type().Field(i).IsExported() {
			continue
		}
		if query := client.Field(i).MethodByName("Query"); query.IsValid() {
			all[client.Type().Field(i).Name] = query.Call(nil)[0].Interface().(ent.Query)
		}
	}
	if len(all) != len(migrate.Tables) {
		t.Fatalf("%d queries of %d tables", len(all), len(migrate.Tables))
	}
	return all
}

// A new table is not readable for users of one team until there is a rule for it.
func TestTableWithoutARuleIsRefused(t *testing.T) {
	err := new(reach).restrict(struct{ name string }{"NewTableQuery"})
	if err == nil || !strings.Contains(err.Error(), "no rule for") {
		t.Errorf("a query of an unknown table: %v", err)
	}
}

// Every table has a rule: a condition, except those of which fleet/account decides who
// reads them, and one with nothing but numbers and a hash. No page reads the uptimes of
// the servers.
func TestEveryTableHasARule(t *testing.T) {
	open, unreadable := []string{"AuditHead", "ImportReport", "Session", "Team", "Token", "User"}, []string{"Uptime"}
	var found, refused []string
	for name, q := range queries(t) {
		if err := new(reach).restrict(q); err != nil {
			refused = append(refused, name)
		} else if reflect.ValueOf(q).Elem().FieldByName("predicates").Len() == 0 {
			found = append(found, name)
		}
	}
	if !slices.Equal(refused, unreadable) {
		t.Errorf("tables without a rule: %v, want %v", refused, unreadable)
	}
	if slices.Sort(found); !slices.Equal(found, open) {
		t.Errorf("tables without a condition: %v, want %v", found, open)
	}
}
