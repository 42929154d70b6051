package acceptance

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
)

// asking returns the update check of a machine that names a track.
func (s *site) asking(track, machine, version string) request {
	r := s.checking(machine, version)
	r.track = track
	return r
}

// refusedField checks that an operation failed with a code and names a field.
func (s *site) refusedField(err error, code fault.Code, field string) {
	s.t.Helper()
	s.refused(err, code)
	if e, ok := errors.AsType[*fault.Error](err); !ok || e.Field != field {
		s.t.Errorf("got %v, want an error of field %q", err, field)
	}
}

func TestWhiteSpaceAndQuotesAreIgnored(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		around := map[string]string{"space": " %\t", "line": "%\n", "double quotes": `"%"`, "single quotes": `'%'`, "both": ` " % " `}
		for name, form := range around {
			in := func(text string) string { return strings.Replace(form, "%", text, 1) }
			r := s.asking(in("t"), in("m"), in("2.0.0"))
			r.attrs = map[string]string{"machinealias": in("web 1")}
			if a := s.ask(r)[0]; a.Status != "ok" || a.Check.Info != "up_to_date" {
				t.Errorf("%s: answered %s", name, a)
			}
			if m := s.instance("m"); m == nil || m.Version != "2.0.0" || m.MachineAlias != "web 1" {
				t.Errorf("%s: stored %+v", name, m)
			}
		}
		if n := s.numbers(); n.Total != 1 {
			t.Errorf("numbers %+v", n.Numbers)
		}
		for name, r := range map[string]request{
			"inside":      s.asking("t t", "m", "2.0.0"),
			"two pairs":   s.asking(`""t""`, "m", "2.0.0"),
			"empty track": s.asking(`""`, "m", "2.0.0"),
		} {
			if a := s.ask(r)[0]; a.Status != "error-unknownGroup" {
				t.Errorf("%s: answered %s", name, a)
			}
		}
		if a := s.ask(s.asking("t", ` "" `, "2.0.0"))[0]; a.Status != "error-invalidMachine" {
			t.Errorf("empty machine id: answered %s", a)
		}
	})
}

func TestTracksMatchWithoutCase(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		p := casePolicy()
		production := s.newGroup("Production", "Production-EU", p)
		for _, track := range []string{"Production-EU", "production-eu", "PRODUCTION-EU"} {
			if a := s.ask(s.asking(track, "m", "2.0.0"))[0]; a.Status != "ok" {
				t.Errorf("track %q: answered %s", track, a)
			}
			if m := s.instance("m"); m == nil || *m.GroupID != production {
				t.Errorf("track %q: the machine is %+v", track, m)
			}
		}
		_, err := s.CreateGroup(s.ctx, fleet.CreateGroup{ApplicationID: s.app, Name: "Other", Track: "T", Policy: &p})
		s.refusedField(err, fault.Conflict, "track")
		_, err = s.UpdateGroup(s.ctx, fleet.UpdateGroup{ID: production, Track: new("T")})
		s.refusedField(err, fault.Conflict, "track")
		// Another architecture and another application may have the track.
		_, err = s.CreateGroup(s.ctx, fleet.CreateGroup{ApplicationID: s.app, Name: "Other", Track: "T", Arch: "arm64", Policy: &p})
		s.ok(err)
		second, err := s.CreateApplication(s.ctx, fleet.CreateApplication{Name: "second"})
		s.ok(err)
		_, err = s.CreateGroup(s.ctx, fleet.CreateGroup{ApplicationID: second.ID, Name: "Other", Track: "T", Policy: &p})
		s.ok(err)
		// A group may change the case of its own track.
		_, err = s.UpdateGroup(s.ctx, fleet.UpdateGroup{ID: production, Track: new("production-eu")})
		s.ok(err)
	})
}

// Before tracks matched without case, a database could have "t" and "T".
func TestOlderTracksThatDifferOnlyInCaseKeepWorking(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		other := s.newGroup("Upper", "u", casePolicy())
		s.ok(s.store.Write(s.ctx, s.clock.Now(), func(tx *store.Tx) error {
			return tx.Client().Group.UpdateOneID(other).SetTrack("T").Exec(s.ctx)
		}))
		s.join() // loads the configuration
		s = s.on(1)
		for track, group := range map[string]any{"t": s.group, "T": other} {
			if a := s.ask(s.asking(track, "m"+track, "2.0.0"))[0]; a.Status != "ok" {
				t.Errorf("track %q: answered %s", track, a)
			}
			if m := s.instance("m" + track); m == nil || any(*m.GroupID) != group {
				t.Errorf("track %q: the machine is %+v", track, m)
			}
		}
		_, err := s.UpdateGroup(s.ctx, fleet.UpdateGroup{ID: other, Description: new("still editable"), Track: new("T")})
		s.ok(err)
		s.policy(func(p *rollout.Policy) { p.MaxAttempts++ })
	})
}

func TestAliasesFindTheGroup(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		p := casePolicy()
		row, err := s.CreateGroup(s.ctx, fleet.CreateGroup{
			ApplicationID: s.app, Name: "Production", Track: "prod", Aliases: []string{" live ", "LIVE", "Prod", "main"}, ChannelID: &s.channel, Policy: &p,
		})
		s.ok(err)
		if !slices.Equal(row.Aliases, []string{"live", "main"}) {
			t.Errorf("aliases %q", row.Aliases)
		}
		in := func(machine string, group uuid.UUID) {
			t.Helper()
			if m := s.instance(machine); m == nil || *m.GroupID != group {
				t.Errorf("%s is %+v, want group %s", machine, m, group)
			}
		}
		for i, track := range []string{"prod", "live", "Live", "main"} {
			machine := fmt.Sprint("m", i)
			s.ask(s.asking(track, machine, "1.0.0"))
			in(machine, row.ID)
		}
		for _, taken := range []string{"t", "T"} {
			_, err = s.UpdateGroup(s.ctx, fleet.UpdateGroup{ID: row.ID, Aliases: []string{"main", taken}})
			s.refusedField(err, fault.Conflict, "aliases")
		}
		_, err = s.UpdateGroup(s.ctx, fleet.UpdateGroup{ID: s.group, Track: new("Main")})
		s.refusedField(err, fault.Conflict, "track")
		_, err = s.CreateGroup(s.ctx, fleet.CreateGroup{ApplicationID: s.app, Name: "New", Track: "LIVE", Policy: &p})
		s.refusedField(err, fault.Conflict, "track")
		_, err = s.UpdateGroup(s.ctx, fleet.UpdateGroup{ID: row.ID, Aliases: []string{"a", ""}})
		s.refusedField(err, fault.Invalid, "aliases")
		_, err = s.UpdateGroup(s.ctx, fleet.UpdateGroup{ID: row.ID, Aliases: strings.Fields(strings.Repeat("x ", 50))})
		s.ok(err) // the same alias 50 times
		var many []string
		for i := range 51 {
			many = append(many, fmt.Sprint("alias", i))
		}
		_, err = s.UpdateGroup(s.ctx, fleet.UpdateGroup{ID: row.ID, Aliases: many})
		s.refusedField(err, fault.Invalid, "aliases")

		// An alias that was removed finds nothing, and another group may take it.
		if a := s.ask(s.asking("live", "m1", "1.0.0"))[0]; a.Status != "error-unknownGroup" {
			t.Errorf("removed alias: answered %s", a)
		}
		_, err = s.UpdateGroup(s.ctx, fleet.UpdateGroup{ID: s.group, Aliases: []string{"live"}})
		s.ok(err)
		s.ask(s.asking("live", "m1", "1.0.0"))
		in("m1", s.group)
	})
}

func TestRenamedTrackKeepsItsMachines(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.grants("m", "1.0.0", "2.0.0")
		rename := func(track string, aliases ...string) {
			t.Helper()
			row, err := s.UpdateGroup(s.ctx, fleet.UpdateGroup{ID: s.group, Track: &track})
			s.ok(err)
			if row.Track != track || !slices.Equal(row.Aliases, aliases) {
				t.Errorf("track %q, aliases %q, want %q", row.Track, row.Aliases, aliases)
			}
		}
		rename("u", "t")
		s.updates("m", "1.0.0", "2.0.0") // with track t
		rename("v", "t", "u")
		rename("V", "t", "u") // another case is the same track
		rename("t", "u", "V")
		for _, track := range []string{"t", "u", "v"} {
			if a := s.ask(s.asking(track, "m", "2.0.0"))[0]; a.Status != "ok" {
				t.Errorf("track %q: answered %s", track, a)
			}
		}
		// The old track is kept even if the call lists other aliases; then it can be removed.
		row, err := s.UpdateGroup(s.ctx, fleet.UpdateGroup{ID: s.group, Track: new("w"), Aliases: []string{}})
		s.ok(err)
		if !slices.Equal(row.Aliases, []string{"t"}) {
			t.Errorf("aliases %q", row.Aliases)
		}
		_, err = s.UpdateGroup(s.ctx, fleet.UpdateGroup{ID: s.group, Aliases: []string{}})
		s.ok(err)
		if a := s.check("m", "2.0.0"); a.Status != "error-unknownGroup" {
			t.Errorf("removed alias: answered %s", a)
		}
		if n := s.numbers(); n.Total != 1 || n.OnTarget != 1 {
			t.Errorf("numbers %+v", n.Numbers)
		}
	})
}

// Before quotes were ignored, a track with quotes was the way to serve machines
// whose configuration has them.
func TestOlderTracksWithQuotesKeepWorking(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.ok(s.store.Write(s.ctx, s.clock.Now(), func(tx *store.Tx) error {
			return tx.Client().Group.UpdateOneID(s.group).SetTrack(`"t"`).Exec(s.ctx)
		}))
		s.join() // loads the configuration
		s = s.on(1)
		for _, track := range []string{`"t"`, "t", "'T'"} {
			if a := s.ask(s.asking(track, "m", "2.0.0"))[0]; a.Status != "ok" {
				t.Errorf("track %q: answered %s", track, a)
			}
		}
	})
}
