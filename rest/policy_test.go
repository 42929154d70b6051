package rest

import (
	"reflect"
	"testing"
	"time"

	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/rollout/calendar"
	"github.com/coreroller/coreroller/rollout/policy"
)

// The REST API has only some fields of the policy. A change through it must not
// reset the others.
func TestPolicyFieldsUnknownToRESTKeepTheirValue(t *testing.T) {
	sent := map[string]bool{
		"UpdatesEnabled": true, "SafeMode": true, "MaxUpdatesPerPeriod": true, "PeriodInterval": true,
		"UpdateTimeout": true, "Timezone": true, "OfficeHours": true,
	}
	d := dialect()
	b, err := d.ParseBody([]byte(`{"name": "prod", "policy_period_interval": "15 minutes", "policy_update_timeout": "60 minutes", "policy_max_updates_per_period": 2}`))
	if err != nil {
		t.Fatal(err)
	}
	in, err := newGroup(b)
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range reflect.VisibleFields(reflect.TypeFor[rollout.Policy]()) {
		if sent[f.Name] {
			continue
		}
		p := policy.Default()
		p.MaxUpdatesPerPeriod = 50 // unlike MaxConcurrentUpdates: REST changes both if they are equal
		switch field := reflect.ValueOf(&p).Elem().Field(i); value := field.Addr().Interface().(type) {
		case *[]calendar.Window:
			*value = []calendar.Window{{Start: 1}}
		case *[]calendar.Freeze:
			*value = []calendar.Freeze{{From: time.Unix(1, 0)}}
		case *[]rollout.Wave:
			*value = []rollout.Wave{{Share: 1}}
		case *int:
			*value += 7
		case *bool:
			*value = !*value
		case *time.Duration:
			*value += time.Second
		case *float64:
			*value += 0.1
		default:
			field.SetString(field.String() + "x")
		}
		if got, want := reflect.ValueOf(in.Policy(p)).Field(i), reflect.ValueOf(p).Field(i); !reflect.DeepEqual(got.Interface(), want.Interface()) {
			t.Errorf("%s becomes %v, want %v", f.Name, got, want)
		}
	}
}
