package fleet_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/coreroller/coreroller/ent/db/delivery"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/notice"
	"github.com/coreroller/coreroller/remote/notify"
	"github.com/coreroller/coreroller/store"
)

// sentAlert is an alert as Alertmanager gets it.
type sentAlert struct {
	Labels           map[string]string
	StartsAt, EndsAt time.Time
}

// halts returns the alerts about halts in the requests since the last call, oldest first.
// Each request has at most one.
func (b *inbox) halts(t *testing.T) (all []sentAlert) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, body := range b.bodies {
		var alerts []sentAlert
		if err := json.Unmarshal([]byte(body), &alerts); err != nil {
			t.Fatalf("%v in %s", err, body)
		}
		all = append(all, slices.DeleteFunc(alerts, func(a sentAlert) bool { return a.Labels["alertname"] != "CoreRollerHalted" })...)
	}
	b.ids, b.bodies = nil, nil
	return all
}

// Alertmanager ends an alert that is not repeated. A halt is sent at once, each minute with
// a later end, after an outage of Alertmanager as soon as it is back, and by another
// process when the first one ends. Its end is sent as resolved.
func TestHaltIsKeptAliveInAlertmanagerUntilItEnds(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		s, b := d.setup(), newInbox(t)
		d.notifier(fleet.CreateNotifier{Name: "alerts", Kind: notify.Alertmanager, URL: b.URL})
		must(d.HaltRollout(d.ctx, fleet.HaltRollout{GroupID: s.group.ID, Reason: "panics"}))(t)
		began := d.clock()
		sends := func(what string, work func(), want int) (last sentAlert) {
			t.Helper()
			work()
			all := b.halts(t)
			if len(all) != want {
				t.Fatalf("%s: %d alerts, want %d", what, len(all), want)
			}
			if want > 0 {
				last = all[want-1]
			}
			return last
		}
		first := sends("at once", d.deliver, 1)
		if first.StartsAt.After(began) || first.EndsAt.Sub(d.clock()) < 4*notify.AlertEvery {
			t.Errorf("first alert %+v at %s", first, d.clock())
		}
		d.wait(20 * time.Second)
		sends("before a minute", d.deliver, 0)
		d.wait(41 * time.Second)
		if again := sends("after a minute", d.deliver, 1); !again.StartsAt.Equal(first.StartsAt) || !again.EndsAt.After(first.EndsAt) {
			t.Errorf("repeated as %+v, first %+v", again, first)
		}
		b.answer(http.StatusServiceUnavailable)
		for range 3 {
			d.wait(time.Minute)
			sends("while Alertmanager is away", d.deliver, 0)
		}
		b.answer(0)
		d.wait(time.Minute)
		sends("when Alertmanager is back", d.deliver, 1)

		other := d.anotherWorker(localSender(0)) // the first process ends
		d.wait(2 * time.Minute)
		sends("from another process", func() { d.must(other.Work(t.Context())) }, 1)
		must(d.ResumeUpdates(d.ctx, fleet.ResumeUpdates{GroupID: s.group.ID, Reason: "repaired"}))(t)
		d.wait(20 * time.Second)
		if end := sends("at the end", func() { d.must(other.Work(t.Context())) }, 1); end.EndsAt.After(d.clock()) {
			t.Errorf("it ends at %s, after now", end.EndsAt)
		}
		d.wait(2 * time.Minute)
		sends("later", func() { d.must(other.Work(t.Context())) }, 0)
	})
}

// A process that ends between the answer and its record leaves the delivery as it was
// before. Another process sends it again when the lease is over, with the same id.
func TestMessageIsSentAgainWithItsIDAfterACrash(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		s, b := d.setup(), newInbox(t)
		n := d.webhook(b.URL)
		d.pauseAndResume(s)
		d.deliver()
		first, _ := b.take()
		d.must(d.store.Write(t.Context(), d.clock(), func(tx *store.Tx) error { // as if the record had not been written
			return tx.Client().Delivery.Update().Where(delivery.NotifierID(n.ID)).SetState(string(notice.Pending)).SetAttempts(0).SetLog("[]").SetNextAt(d.clock()).ClearEndedAt().Exec(t.Context())
		}))
		other := d.anotherWorker(localSender(0))
		d.must(other.Work(t.Context()))
		if ids, _ := b.take(); len(ids) != 0 {
			t.Errorf("sent during the lease of the first process: %v", ids)
		}
		d.wait(time.Minute)
		d.must(other.Work(t.Context()))
		d.must(other.Work(t.Context()))
		if again, _ := b.take(); len(first) != 2 || !slices.Equal(first, again) {
			t.Errorf("ids %v, want %v another time", again, first)
		}
	})
}
