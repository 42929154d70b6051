package acceptance

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/importing"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
	"github.com/coreroller/coreroller/store/foreign"
	"github.com/coreroller/coreroller/store/foreign/foreigntest"
	"github.com/coreroller/coreroller/store/storetest"
)

// A machine sends after the cut-over what it sent before, to both paths and with every
// form of the ids, and completes the update that the other server granted.
func TestImportedMachinesGoOn(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		shape foreigntest.Shape
		path  string
		app   string // as machines send it
		track string
	}{
		{"nebraska", foreigntest.Nebraska, "/v1/update/", "{" + foreigntest.App + "}", "stable"},
		{"nebraska by the group's id", foreigntest.OldNebraska, "/v1/update/", strings.ToUpper(foreigntest.App), "{" + strings.ToUpper(foreigntest.Group) + "}"},
		{"product id", foreigntest.Nebraska, "/v1/update/", "com.example.OS", strings.ToUpper(foreigntest.Group)},
		{"coreroller", foreigntest.CoreRoller, "/omaha/", "{" + strings.ToUpper(foreigntest.App) + "}", foreigntest.Group},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			from := storetest.EmptyPostgres(t)
			foreigntest.Fill(t, from, c.shape, 16)
			storetest.Each(t, func(t *testing.T, url string) {
				s := open(t, url, newSetup(nil))
				s.clock.Set(time.Now())
				s.importFrom(from)
				send := func(n int, version string, check bool, events ...event) appAnswer {
					r := request{app: c.app, machine: foreigntest.Machine(n), version: version, track: c.track, check: check, events: events}
					a := s.post(c.path, document(r))
					if len(a.Apps) != 1 || a.Apps[0].Status != "ok" {
						t.Fatalf("machine %d was answered %d %s", n, a.code, a.body)
					}
					return a.Apps[0]
				}
				for n := range 8 {
					state := func() rollout.State { return s.importedState(n) }
					switch rollout.State(foreigntest.Status(n)) {
					case rollout.StateGranted:
						send(n, "1.0.0", false, "13/1")
						if state() != rollout.StateDownloading {
							t.Errorf("machine %d is in state %d after it began to download", n, state())
						}
						send(n, "1.0.0", false, "14/1")
						send(n, "1.0.0", false, "3/1")
						send(n, "2.0.0", true, "3/2 from 1.0.0")
					case rollout.StateDownloading:
						send(n, "1.0.0", false, "14/1")
						send(n, "2.0.0", false, "3/2 from 1.0.0")
					case rollout.StateDownloaded, rollout.StateInstalled:
						send(n, "2.0.0", true) // it missed to say that it installed the update
					case rollout.StateComplete:
						if a := send(n, "2.0.0", true); a.Check.Info != "up_to_date" {
							t.Errorf("machine %d on the target was answered %s", n, a)
						}
						continue
					default:
						if a := send(n, "1.0.0", true); a.Check == nil || a.Check.Info != "paused" {
							t.Errorf("machine %d below the target of a paused group was answered %s", n, a)
						}
						continue
					}
					if state() != rollout.StateComplete {
						t.Errorf("machine %d, which was in state %d there, is in state %d", n, foreigntest.Status(n), state())
					}
				}
				s.recount()
				if _, err := s.ResumeUpdates(s.ctx, fleet.ResumeUpdates{GroupID: uuid.MustParse(foreigntest.Group), Reason: "reviewed"}); err != nil {
					t.Fatal(err)
				}
				if a := send(0, "1.0.0", true); a.offered() != "2.0.0" && a.offered() != "1.0.0" {
					t.Errorf("after the group was reviewed, machine 0 was answered %s", a)
				}
				s.recount()
			})
		})
	}
}

func (s *site) importFrom(url string) {
	s.t.Helper()
	source, err := foreign.Open(s.ctx, url)
	s.ok(err)
	defer func() { _ = source.Close() }()
	importer, _, err := s.PlanImport(s.ctx, source, importing.Options{})
	s.ok(err)
	_, err = importer.Run(s.ctx, func(string) {})
	s.ok(err)
}

func (s *site) importedState(n int) rollout.State {
	s.t.Helper()
	row, err := s.store.Reader().Instance.Get(s.ctx, store.InstanceID(uuid.MustParse(foreigntest.App), foreigntest.Machine(n)))
	s.ok(err)
	return row.State
}
