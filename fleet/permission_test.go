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
		"Service.WorkUpstreams":   "called by the program",
		"Service.MirrorStates":    "numbers of this process for the metrics",
		"Upkeep.Jobs":             "numbers of this process for the metrics",
		"Service.RebootUses":      "numbers for the metrics",
		"Service.AttentionCounts": "numbers for the metrics",
		"Service.RolloutStates":   "numbers for the metrics",
		"Service.Queues":          "numbers for the metrics",
		"Service.Pools":           "numbers of this process for the metrics",
		"Service.Catalog":         "a value of this process, not reachable from outside",
		"Service.Close":           "called by the program",
		"Service.Run":             "called by the program",
		"Service.WorkJobs":        "called by the program",
		"Accounts.Me":             "answers a caller without a principal with nothing",
		"Accounts.Authenticate":   "establishes who calls",
		"Accounts.DeviceKey":      "used to establish who calls",
		"Accounts.Throttled":      "called for callers that are not established",
		"Accounts.Session":        "establishes who calls",
		"Accounts.Token":          "establishes who calls",
		"Accounts.FlushUses":      "called by the program",
		"Accounts.DeleteSession":  "the token is the proof",
		"Accounts.EndSessionOf":   "the token is the proof",
		"Accounts.Identify":       "establishes who calls",
		"Accounts.FlushSignIns":   "called by the program",
		"Upkeep.Beat":             "called by the program",
		"Upkeep.Clock":            "public in /readyz",
		"Upkeep.Deletions":        "numbers of this process for the metrics",
		"Upkeep.Run":              "called by the program",
		"Upkeep.Work":             "called by the program",
		"Upkeep.WorkMachineJobs":  "called by the program",
		"Upkeep.WorkMirrors":      "called by the program",
	}
	d := newHarness(t, storetest.SQLite(t))
	for field, service := range map[string]any{"Service": d.Service, "Accounts": d.Accounts, "View": d.View, "Upkeep": d.Upkeep} {
		value := reflect.ValueOf(service)
		for i := range value.NumMethod() {
			name, method := field+"."+value.Type().Method(i).Name, value.Method(i)
			if _, ok := open[name]; ok {
				delete(open, name)
				continue
			}
			requiresCaller(t, name, method)
		}
	}
	for name := range open {
		t.Errorf("%s is exempt but does not exist", name)
	}
}

// requiresCaller calls a method without a principal. A method without a context
// returns a list, whose methods are called instead.
func requiresCaller(t *testing.T, name string, method reflect.Value) {
	t.Helper()
	contextType := reflect.TypeFor[context.Context]()
	var args []reflect.Value
	for in := range method.Type().Ins() {
		switch {
		case in == contextType:
			args = append(args, reflect.ValueOf(context.Background()))
		case in.Kind() == reflect.Pointer:
			args = append(args, reflect.New(in.Elem()))
		default:
			args = append(args, reflect.Zero(in))
		}
	}
	results := method.Call(args)
	if method.Type().NumIn() > 0 && method.Type().In(0) == contextType {
		err, _ := reflect.TypeAssert[error](results[len(results)-1])
		if fault.CodeOf(err) != fault.Unauthenticated {
			t.Errorf("%s without a principal returns %v, want unauthenticated", name, err)
		}
		return
	}
	reads := 0
	for i := range results[0].NumMethod() {
		if m := results[0].Method(i); m.Type().NumIn() > 0 && m.Type().In(0) == contextType {
			reads++
			requiresCaller(t, name+"."+results[0].Type().Method(i).Name, m)
		}
	}
	if reads == 0 {
		t.Errorf("%s has no context, so it cannot know the caller", name)
	}
}
