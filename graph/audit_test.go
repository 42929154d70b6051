package graph_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/coreroller/coreroller/fleet"
)

// The number of statements does not depend on the number of entries.
func TestAuditNamesGroupAndVersion(t *testing.T) {
	const document = `{ audits(first: 100) { nodes { action package { version } rollout { version group { name } } } } }`
	each(t, func(t *testing.T, s *site) {
		count := s.statements()
		s.ana(t).ask("{ me { id } }", nil) // signs in
		var few, many int64
		for i := range 4 {
			name := fmt.Sprint("more ", i)
			pkg := s.release(fmt.Sprintf("3.%d.0", i))
			ch, err := s.CreateChannel(s.ctx, fleet.CreateChannel{ApplicationID: s.app, Name: name})
			must(s, ch, err)
			g, err := s.CreateGroup(s.ctx, fleet.CreateGroup{ApplicationID: s.app, Name: name, ChannelID: &ch.ID})
			must(s, g, err)
			s.must(second(s.PromotePackage(s.ctx, fleet.PromotePackage{ChannelID: ch.ID, PackageID: &pkg})))
			s.must(second(s.HaltRollout(s.ctx, fleet.HaltRollout{GroupID: g.ID})))
			count()
			entries := s.ana(t).get(document, nil)
			if many = count(); i == 0 {
				few = many
			}
			version := fmt.Sprintf("3.%d.0", i)
			want(t, entries, "nodes.0.action", "haltRollout", "nodes.0.rollout.version", version, "nodes.0.rollout.group.name", name, "nodes.0.package", nil,
				"nodes.1.action", "promotePackage", "nodes.1.package.version", version, "nodes.1.rollout", nil)
		}
		if many > few {
			t.Errorf("%d statements for many entries, %d for few", many, few)
		}
		g := s.group
		s.must(s.DeleteGroup(s.ctx, fleet.DeleteGroup{ID: g, Force: true}))
		want(t, s.ana(t).get(document, nil), "nodes.0.action", "deleteGroup", "nodes.0.rollout", nil)
	})
}

// An entry has the address of the client, and the list, the export and the end of the
// chain agree on its hash.
func TestAuditHasAddressAndChain(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		b := s.browser(t)
		b.get(signInDocument, vars{"in": vars{"username": "ana", "password": "wrong"}})
		b.get(signInDocument, vars{"in": vars{"username": "ana", "password": password}})
		entries := s.ana(t).get(`{ audits(first: 3) { nodes { action actor credential address number previousHash hash after } } }`, nil)["nodes"].([]any)
		want(t, entries, "0.action", "signIn", "0.actor", "ana", "0.credential", "basic", "1.action", "signInFailed", "1.actor", "ana",
			"1.after", `{"username":"ana","attempts":1}`, "0.previousHash", at(t, entries, "1.hash"), "1.previousHash", at(t, entries, "2.hash"), "2.address", "")
		address := at(t, entries, "0.address").(string)
		if !strings.HasPrefix(address, "127.0.0.1") {
			t.Errorf("address %q", address)
		}
		want(t, s.ana(t).get(auditsDocument, vars{"f": vars{"text": address}}), "nodes.0.action", "signIn")
		chain := s.ana(t).get(`{ auditChain { entries lastHash lastAt } }`, nil)
		want(t, chain, "entries", at(t, entries, "0.number"), "lastHash", at(t, entries, "0.hash"))
		exported := s.ana(t).jsonLines("/export/audit?action=signIn")[0]
		for _, name := range []string{"address", "number", "previousHash", "hash"} {
			want(t, exported, name, at(t, entries, "0."+name))
		}
	})
}
