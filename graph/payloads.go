package graph

import (
	"github.com/google/uuid"

	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/graph/model"
)

// payload returns the result of a mutation from that of the fleet's method.
func payload[T any](row *T, err error) (*model.Payload[T], error) {
	refused, err := userErrors(err)
	return &model.Payload[T]{Object: row, UserErrors: refused}, err
}

func deletePayload(id uuid.UUID, err error) (*model.DeletePayload, error) {
	p, err := payload(&id, err)
	if len(p.UserErrors) > 0 {
		p.Object = nil
	}
	return &model.DeletePayload{DeletedID: p.Object, UserErrors: p.UserErrors}, err
}

// maybe returns nil instead of a not-found error.
func maybe[T any](row *T, err error) (*T, error) {
	if fault.CodeOf(err) == fault.NotFound {
		return nil, nil
	}
	return row, err
}
