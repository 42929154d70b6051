package acceptance

import (
	"errors"
	"strings"
	"testing"

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
