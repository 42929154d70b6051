package server

import (
	"fmt"

	"github.com/coreroller/coreroller/graph"
)

// ParseIntrospection reads who may read the schema; "" is the default.
func ParseIntrospection(text string) (graph.Introspection, error) {
	switch text {
	case "", "users":
		return graph.IntrospectionUsers, nil
	case "none":
		return graph.IntrospectionNone, nil
	case "anyone":
		return graph.IntrospectionAnyone, nil
	}
	return 0, fmt.Errorf("--introspection is %q: use users, none or anyone", text)
}
