package fleet

import (
	"context"
	"crypto/rand"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db/user"
	"github.com/coreroller/coreroller/fleet/account"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/importing"
	"github.com/coreroller/coreroller/store/foreign"
)

// PlanImport plans an import from another server and writes nothing. Run of the result
// imports. Only owners may, on the whole installation.
func (s *Service) PlanImport(ctx context.Context, from *foreign.Source, o importing.Options) (*importing.Importer, *importing.Report, error) {
	who, err := fault.Require(ctx, auth.Owner)
	if err != nil {
		return nil, nil, err
	}
	return importing.Prepare(ctx, importing.Server{Store: s.store, Changes: s.changes, Now: s.now, By: who, AddUser: s.addImportedUser}, from, o)
}

// addImportedUser adds a viewer with a random password, which is not kept.
func (s *Service) addImportedUser(ctx context.Context, name string, team uuid.UUID) (added bool, err error) {
	exists, err := s.store.Reader().User.Query().Where(user.Username(name)).Exist(ctx)
	if err != nil || exists {
		return false, err
	}
	_, err = s.Accounts.CreateUser(ctx, account.CreateUser{Username: name, Password: rand.Text(), TeamID: team, Role: auth.Viewer})
	return err == nil, err
}
