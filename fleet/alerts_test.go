package fleet_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/notice"
	"github.com/coreroller/coreroller/remote/notify"
	"github.com/coreroller/coreroller/rollout"
)

// postedAlert is an alert as Alertmanager gets it.
type postedAlert struct {
	Labels           map[string]string
	Annotations      map[string]string
	StartsAt, EndsAt time.Time
	GeneratorURL     string
}

// alertInbox keeps the last request to an Alertmanager.
type alertInbox struct {
	*httptest.Server
	mu      sync.Mutex
	failing bool
	posts   [][]postedAlert
}

func newAlertInbox(t *testing.T) *alertInbox {
	t.Helper()
	b := &alertInbox{}
	b.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.mu.Lock()
		defer b.mu.Unlock()
		body, _ := io.ReadAll(r.Body)
		var alerts []postedAlert
		if err := json.Unmarshal(body, &alerts); err != nil || r.URL.Path != "/prefix/api/v2/alerts" {
			t.Errorf("%s %s: %v", r.URL.Path, body, err)
		}
		b.posts = append(b.posts, alerts)
		if b.failing {
			w.WriteHeader(http.StatusInternalServerError)
		}
	}))
	t.Cleanup(b.Close)
	return b
}

// take returns the alerts about halts in each request since the last call.
func (b *alertInbox) take() (halts [][]postedAlert) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, post := range b.posts {
		var some []postedAlert
		for _, a := range post {
			if a.Labels["alertname"] == "CoreRollerHalted" {
				some = append(some, a)
			}
		}
		halts = append(halts, some)
	}
	b.posts = nil
	return halts
}

func (b *alertInbox) fail(failing bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failing = failing
}

func TestHaltIsAnAlertThatIsRepeatedUntilItEnds(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		s, b := d.setup(), newAlertInbox(t)
		n := d.notifier(fleet.CreateNotifier{Name: "alerts", Kind: notify.Alertmanager, URL: b.URL + "/prefix", MinSeverity: rollout.SeverityError})
		d.deliver()
		if posts := b.take(); len(posts) != 0 {
			t.Fatalf("%d requests without an alert", len(posts))
		}
		d.check(s, "m1", "1.0.0")
		d.wait(time.Minute)
		must(d.HaltRollout(d.ctx, fleet.HaltRollout{GroupID: s.group.ID, Reason: "smoke"}))(t)
		began := d.clock()
		d.wait(10 * time.Second)
		d.deliver()
		posts := b.take()
		if len(posts) != 1 || len(posts[0]) != 1 {
			t.Fatalf("requests %+v, want one with the halt", posts)
		}
		first := posts[0][0]
		if !first.StartsAt.Equal(began) || first.EndsAt.Sub(d.clock()) != notify.Lasting || first.Labels["group"] != "g" {
			t.Errorf("alert %+v", first)
		}
		d.wait(20 * time.Second)
		d.deliver()
		if posts := b.take(); len(posts) != 0 {
			t.Fatalf("%d requests within a minute", len(posts))
		}
		for range 3 {
			d.wait(time.Minute)
			d.deliver()
			posts = b.take()
			if len(posts) != 1 || len(posts[0]) != 1 || posts[0][0].EndsAt.Sub(d.clock()) != notify.Lasting || !posts[0][0].StartsAt.Equal(began) {
				t.Fatalf("requests after a minute %+v, want the halt again", posts)
			}
		}
		if all := d.deliveries(n); len(all) != 1 || all[0].State != string(notice.Delivered) {
			t.Errorf("%d deliveries in the log, want that of the beginning", len(all))
		}

		// Its end is sent until Alertmanager has it.
		b.fail(true)
		must(d.ResumeUpdates(d.ctx, fleet.ResumeUpdates{GroupID: s.group.ID, Reason: "repaired"}))(t)
		ended := d.clock()
		d.deliver()
		d.wait(time.Minute)
		b.fail(false)
		d.deliver()
		posts = b.take()
		if len(posts) != 2 || len(posts[0]) != 1 || len(posts[1]) != 1 || !posts[0][0].EndsAt.Equal(ended) || !posts[1][0].EndsAt.Equal(ended) {
			t.Fatalf("requests at the end %+v", posts)
		}
		d.wait(time.Minute)
		d.deliver()
		if posts := b.take(); len(posts) != 0 {
			t.Errorf("%d requests after the end", len(posts))
		}
		all := d.deliveries(n)
		if len(all) != 2 || all[1].State != string(notice.Delivered) || len(notice.Log(all[1])) != 2 {
			t.Errorf("deliveries %+v, want the end with both attempts", all)
		}
	})
}
