package graph

import (
	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/graph/model"
)

// The payloads of mutations, built from the results of the fleet's methods.

func applicationPayload(row *db.Application, err error) (*model.ApplicationPayload, error) {
	refused, err := userErrors(err)
	return &model.ApplicationPayload{Application: row, UserErrors: refused}, err
}

func packagePayload(row *db.Release, err error) (*model.PackagePayload, error) {
	refused, err := userErrors(err)
	return &model.PackagePayload{Package: row, UserErrors: refused}, err
}

func channelPayload(row *db.Channel, err error) (*model.ChannelPayload, error) {
	refused, err := userErrors(err)
	return &model.ChannelPayload{Channel: row, UserErrors: refused}, err
}

func groupPayload(row *db.Group, err error) (*model.GroupPayload, error) {
	refused, err := userErrors(err)
	return &model.GroupPayload{Group: row, UserErrors: refused}, err
}

func instancePayload(row *db.Instance, err error) (*model.InstancePayload, error) {
	refused, err := userErrors(err)
	return &model.InstancePayload{Instance: row, UserErrors: refused}, err
}

func userPayload(row *db.User, err error) (*model.UserPayload, error) {
	refused, err := userErrors(err)
	return &model.UserPayload{User: row, UserErrors: refused}, err
}

func deletePayload(id uuid.UUID, err error) (*model.DeletePayload, error) {
	failed := err != nil
	refused, err := userErrors(err)
	if failed {
		return &model.DeletePayload{UserErrors: refused}, err
	}
	return &model.DeletePayload{DeletedID: &id, UserErrors: refused}, nil
}

func demoPayload(demo *fleet.Demo, err error) (*model.DemoPayload, error) {
	refused, err := userErrors(err)
	return &model.DemoPayload{Demo: demo, UserErrors: refused}, err
}
