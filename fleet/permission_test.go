package fleet_test

import (
	"context"
	"reflect"
	"testing"

	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/store/storetest"
)

// TestEveryVerbAsksWhoCalls calls every exported method with a context that
// carries nobody. A new verb is in the table by being exported.
func TestEveryVerbAsksWhoCalls(t *testing.T) {
	open := map[string]string{
		"Catalog":       "a value of this process, not reachable from outside",
		"CheckIn":       "machines have no account",
		"Close":         "called by the program",
		"Run":           "called by the program",
		"Recalled":      "a signal of this process, not reachable from outside",
		"Work":          "called by the program",
		"Together":      "only in tests",
		"Authenticate":  "is how somebody comes to be known",
		"Session":       "is how somebody comes to be known",
		"DeleteSession": "the token is the proof",
	}
	d := newDesk(t, storetest.SQLite(t))
	service := reflect.ValueOf(d.Service)
	nobody := reflect.ValueOf(context.Background())
	for i := range service.NumMethod() {
		name, method := service.Type().Method(i).Name, service.Method(i)
		if _, ok := open[name]; ok {
			delete(open, name)
			continue
		}
		if method.Type().NumIn() == 0 || method.Type().In(0) != reflect.TypeFor[context.Context]() {
			t.Errorf("%s takes no context, so it cannot know who calls", name)
			continue
		}
		args := []reflect.Value{nobody}
		for n := 1; n < method.Type().NumIn(); n++ {
			args = append(args, reflect.New(method.Type().In(n)).Elem())
		}
		results := method.Call(args)
		err, _ := reflect.TypeAssert[error](results[len(results)-1])
		if fleet.CodeOf(err) != fleet.Unauthenticated {
			t.Errorf("%s answers nobody with %v", name, err)
		}
	}
	for name := range open {
		t.Errorf("%s is excused and does not exist", name)
	}
}
