package graph_test

import (
	"fmt"
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
