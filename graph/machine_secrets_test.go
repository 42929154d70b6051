package graph_test

import (
	"testing"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/account"
	"github.com/coreroller/coreroller/fleet/catalog"
)

const secretFields = "secrets { id name purpose lastFour createdBy expiresAt revokedAt lastUsedAt }"

func TestMachineSecretsAreMadeListedAndRevoked(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		ana := s.ana(t)
		create, require := mutate("createMachineSecret", "created { text secret { id lastFour } }"), mutate("updateGroup", "group { requireSecret }")
		refused := ana.get(require, vars{"in": vars{"id": s.group, "requireSecret": true}})
		want(t, refused, "userErrors.0.code", "CONFLICT", "userErrors.0.field", "requireSecret")
		made := ana.get(create, vars{"in": vars{"groupId": s.group, "name": "racks", "purpose": "ENROLL"}})
		text, id := at(t, made, "created.text").(string), at(t, made, "created.secret.id")
		want(t, made, "created.secret.lastFour", text[len(text)-4:])
		want(t, ana.get(create, vars{"in": vars{"groupId": s.group, "name": "racks"}}), "userErrors.0.code", "CONFLICT", "userErrors.0.field", "name")
		want(t, ana.get(create, vars{"in": vars{"name": "x"}}), "userErrors.0.code", "INVALID", "userErrors.0.field", "applicationId")
		want(t, ana.get(create, vars{"in": vars{"applicationId": s.app, "name": ""}}), "userErrors.0.code", "INVALID", "userErrors.0.field", "name")
		want(t, ana.get(require, vars{"in": vars{"id": s.group, "requireSecret": true}}), "group.requireSecret", true)
		want(t, ana.get(`query($id: ID!) { group(id: $id) { requireSecret `+secretFields+` } }`, vars{"id": s.group}),
			"requireSecret", true, "secrets.0.name", "racks", "secrets.0.purpose", "ENROLL", "secrets.0.createdBy", "ana",
			"secrets.0.revokedAt", nil, "secrets.0.lastUsedAt", nil)
		want(t, ana.get(`query($id: ID!) { application(id: $id) { requireSecret `+secretFields+` } }`, vars{"id": s.app}),
			"requireSecret", false, "secrets", []any{})
		gone := ana.get(mutate("revokeMachineSecret", "secret { revokedAt }"), vars{"in": vars{"id": id, "reason": "lost"}})
		if at(t, gone, "secret.revokedAt") == nil {
			t.Errorf("not revoked: %v", gone)
		}
	})
}

// A role that is narrowed to a group makes and sees secrets of this group only, and a
// publisher cannot switch whether one is required.
func TestMachineSecretsKeepToTheCallersGrants(t *testing.T) {
	s := oneSite(t)
	n := newTenants(t, s)
	_, err := s.CreateMachineSecret(s.ctx, fleet.CreateMachineSecret{ApplicationID: &s.app, Name: "all", Purpose: catalog.PurposeIdentify})
	s.must(err)
	for name, grant := range map[string]auth.Grant{"gus": {Role: auth.Admin, Group: s.group}, "pia": {Role: auth.Publisher, Application: s.app}} {
		s.must(second(s.Accounts.CreateUser(s.ctx, account.CreateUser{Username: name, Password: password, TeamID: n.other, Grants: []auth.Grant{grant}})))
	}
	create, require := mutate("createMachineSecret", "created { text }"), mutate("updateGroup", "group { requireSecret }")
	own, whole := vars{"in": vars{"groupId": s.group, "name": "own"}}, vars{"in": vars{"applicationId": s.app, "name": "own"}}
	want(t, n.as(t, "gus").get(create, own), "userErrors", []any{})
	want(t, n.as(t, "gus").get(create, whole), "userErrors.0.code", "FORBIDDEN")
	want(t, n.as(t, "eve").get(create, own), "userErrors.0.code", "NOT_FOUND")
	want(t, n.as(t, "pia").get(create, own), "userErrors.0.code", "FORBIDDEN")
	want(t, n.as(t, "pia").get(require, vars{"in": vars{"id": s.group, "requireSecret": true}}), "userErrors.0.code", "FORBIDDEN")
	want(t, n.as(t, "gus").get(require, vars{"in": vars{"id": s.group, "requireSecret": true}}), "group.requireSecret", true)
	certificate := vars{"in": vars{"id": s.group, "requireCertificate": true}}
	want(t, n.as(t, "pia").get(require, certificate), "userErrors.0.code", "FORBIDDEN")
	want(t, n.as(t, "gus").get(require, certificate), "userErrors.0.code", "CONFLICT", "userErrors.0.field", "requireCertificate")
	seen := n.as(t, "gus").get(`query($app: ID!) { application(id: $app) { secrets { name } } }`, vars{"app": s.app})
	want(t, seen, "secrets", []any{})
}
