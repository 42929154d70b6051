package selector

import (
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"cel.dev/cel-go/interpreter"
)

// activation gives an expression the values of a machine.
type activation struct{ m *Machine }

// ResolveName implements interpreter.Activation.
func (a activation) ResolveName(name string) (any, bool) {
	switch name {
	case attributesName:
		return attributes{types.NewStringStringMap(types.DefaultTypeAdapter, a.m.Attributes)}, true
	case tagsName:
		return types.NewStringList(types.DefaultTypeAdapter, a.m.Tags), true
	}
	for _, v := range variables {
		if v.name == name {
			return types.String(v.of(a.m)), true
		}
	}
	return nil, false
}

// Parent implements interpreter.Activation.
func (activation) Parent() interpreter.Activation { return nil }

// attributes is a map in which every key has a value: "" if it is missing.
type attributes struct{ traits.Mapper }

// Find implements traits.Mapper.
func (a attributes) Find(key ref.Val) (ref.Val, bool) {
	if v, ok := a.Mapper.Find(key); ok {
		return v, true
	}
	return types.String(""), true
}

// Get implements traits.Indexer.
func (a attributes) Get(key ref.Val) ref.Val {
	v, _ := a.Find(key)
	return v
}
