package graph

import (
	"reflect"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/coreroller/coreroller/graph/model"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/rollout/policy"
)

// unlike returns a value that differs from v.
func unlike(t *testing.T, v reflect.Value) reflect.Value {
	t.Helper()
	out := reflect.New(v.Type()).Elem()
	switch v.Kind() {
	case reflect.Bool:
		out.SetBool(!v.Bool())
	case reflect.Int, reflect.Int64:
		out.SetInt(v.Int() + 1)
	case reflect.Float64:
		out.SetFloat(v.Float() + 0.5)
	case reflect.String:
		out.SetString(v.String() + "x")
	case reflect.Slice:
		out.Set(reflect.MakeSlice(v.Type(), v.Len()+1, v.Len()+1))
	default:
		t.Fatalf("unlike does not know %s", v.Type())
	}
	return out
}

// give sets a field of the input.
func give(t *testing.T, input, value reflect.Value) {
	t.Helper()
	pointer := func(v reflect.Value) reflect.Value {
		p := reflect.New(v.Type())
		p.Elem().Set(v)
		return p
	}
	switch {
	case input.Kind() == reflect.Pointer:
		input.Set(pointer(value))
	case input.Kind() == reflect.Slice:
		for i := range value.Len() {
			input.Set(reflect.Append(input, pointer(value.Index(i))))
		}
	case input.Type() == reflect.TypeFor[graphql.Omittable[*time.Duration]]():
		d := value.Interface().(time.Duration) // another type fails the test
		input.Set(reflect.ValueOf(graphql.OmittableOf(&d)))
	default:
		t.Fatalf("give does not know %s", input.Type())
	}
}

func TestPolicyInputReplacesOnlyTheGivenField(t *testing.T) {
	base := policy.Default()
	other := base
	for i, f := range reflect.VisibleFields(reflect.TypeFor[rollout.Policy]()) {
		var in model.PolicyInput
		input := reflect.ValueOf(&in).Elem().FieldByName(f.Name)
		if !input.IsValid() {
			t.Errorf("PolicyInput has no %s", f.Name)
			continue
		}
		value := unlike(t, reflect.ValueOf(base).Field(i))
		give(t, input, value)
		want := base
		reflect.ValueOf(&want).Elem().Field(i).Set(value)
		if got := policyOver(base, &in); !reflect.DeepEqual(got, want) {
			t.Errorf("%s of the input: got %+v, want %+v", f.Name, got, want)
		}
		reflect.ValueOf(&other).Elem().Field(i).Set(value)
	}
	if got := policyOver(other, &model.PolicyInput{}); !reflect.DeepEqual(got, other) {
		t.Errorf("an empty input changes %+v to %+v", other, got)
	}
}
