package fleet_test

import (
	"context"
	"reflect"
	"testing"

	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/store/storetest"
)

// TestEveryVerbRequiresACaller calls every exported method of the service layer
// with a context without a principal. A new verb is covered by being exported.
func TestEveryVerbRequiresACaller(t *testing.T) {
	open := map[string]string{
		"Service.Catalog":        "a value of this process, not reachable from outside",
		"Service.Close":          "called by the program",
		"Service.Run":            "called by the program",
		"Accounts.Authenticate":  "establishes who calls",
		"Accounts.Session":       "establishes who calls",
		"Accounts.DeleteSession": "the token is the proof",
		"Upkeep.Run":             "called by the program",
		"Upkeep.Work":            "called by the program",
	}
	d := newDesk(t, storetest.SQLite(t))
	for room, service := range map[string]any{"Service": d.Service, "Accounts": d.Accounts, "View": d.View, "Upkeep": d.Upkeep} {
		value := reflect.ValueOf(service)
		for i := range value.NumMethod() {
			name, method := room+"."+value.Type().Method(i).Name, value.Method(i)
			if _, ok := open[name]; ok {
				delete(open, name)
				continue
			}
			if method.Type().NumIn() == 0 || method.Type().In(0) != reflect.TypeFor[context.Context]() {
				t.Errorf("%s has no context, so it cannot know the caller", name)
				continue
			}
			args := []reflect.Value{reflect.ValueOf(context.Background())}
			for n := 1; n < method.Type().NumIn(); n++ {
				args = append(args, reflect.New(method.Type().In(n)).Elem())
			}
			results := method.Call(args)
			err, _ := reflect.TypeAssert[error](results[len(results)-1])
			if fault.CodeOf(err) != fault.Unauthenticated {
				t.Errorf("%s without a principal returns %v, want unauthenticated", name, err)
			}
		}
	}
	for name := range open {
		t.Errorf("%s is exempt but does not exist", name)
	}
}
