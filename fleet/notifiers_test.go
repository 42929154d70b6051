package fleet_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/delivery"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/account"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/notice"
	"github.com/coreroller/coreroller/fleet/view"
	"github.com/coreroller/coreroller/remote/notify"
	"github.com/coreroller/coreroller/remote/payload"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
)

// localSender sends to the receivers of the tests.
func localSender(timeout time.Duration) *notify.Sender {
	return notify.New(notify.Options{To: payload.Sources{Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}}, Timeout: timeout})
}

// inbox is a receiver that keeps what it accepted.
type inbox struct {
	*httptest.Server
	mu     sync.Mutex
	status int      // 0: 204
	ids    []string // of all requests
	bodies []string // that were accepted
}

func newInbox(t *testing.T) *inbox {
	t.Helper()
	b := &inbox{}
	b.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		b.mu.Lock()
		defer b.mu.Unlock()
		b.ids = append(b.ids, r.Header.Get("webhook-id"))
		if b.status != 0 {
			w.WriteHeader(b.status)
			return
		}
		b.bodies = append(b.bodies, string(body))
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(b.Close)
	return b
}

func (b *inbox) answer(status int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.status = status
}

// take returns the ids of the requests and the accepted bodies since the last call, sorted.
func (b *inbox) take() (ids, bodies []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	ids, bodies = b.ids, b.bodies
	b.ids, b.bodies = nil, nil
	slices.Sort(ids) // the order is not promised
	slices.Sort(bodies)
	return ids, bodies
}

func (d *harness) notifier(in fleet.CreateNotifier) *db.Notifier {
	d.t.Helper()
	d.wait(time.Second) // after the activities of the setup
	return must(d.CreateNotifier(d.ctx, in))(d.t).Notifier
}

func (d *harness) webhook(url string) *db.Notifier {
	d.t.Helper()
	return d.notifier(fleet.CreateNotifier{Name: "hook " + url, Kind: notify.Webhook, URL: url})
}

// pauseAndResume makes two activities.
func (d *harness) pauseAndResume(s *setup) {
	d.t.Helper()
	d.wait(time.Second)
	must(d.PauseUpdates(d.ctx, fleet.PauseUpdates{GroupID: s.group.ID, Reason: "maintenance"}))(d.t)
	d.wait(time.Second)
	must(d.ResumeUpdates(d.ctx, fleet.ResumeUpdates{GroupID: s.group.ID, Reason: "done"}))(d.t)
}

func (d *harness) deliver() {
	d.t.Helper()
	d.must(d.Notices.Work(d.t.Context()))
}

func (d *harness) deliveries(n *db.Notifier, states ...notice.State) []*db.Delivery {
	d.t.Helper()
	q := d.store.Reader().Delivery.Query().Where(delivery.NotifierID(n.ID)).Order(delivery.ByID())
	if len(states) > 0 {
		q.Where(delivery.State(string(states[0])))
	}
	return must(q.All(d.t.Context()))(d.t)
}

// anotherWorker is that of another process on the same database.
func (d *harness) anotherWorker(sender *notify.Sender) *notice.Worker {
	return notice.New(notice.Options{Store: d.store, View: d.View, Sender: sender, PublicURL: "https://updates.example", Now: d.clock, Log: slog.New(slog.DiscardHandler)})
}

func TestWebhookGetsEachActivityOnceAlthoughItFails(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		s, b := d.setup(), newInbox(t)
		n := d.webhook(b.URL)
		b.answer(http.StatusServiceUnavailable)
		d.pauseAndResume(s)
		d.deliver()
		first, _ := b.take()
		if len(first) != 2 || first[0] == first[1] {
			t.Fatalf("ids %v, want two", first)
		}
		failures := func(want int) {
			t.Helper()
			if all := must(d.View.FailedDeliveries(d.ctx, 10))(t); len(all) != want || want > 0 && notice.Log(all[0])[0].Status != http.StatusServiceUnavailable {
				t.Errorf("failed deliveries %+v, want %d", all, want)
			}
		}
		failures(2)
		d.wait(6 * time.Second)
		d.deliver()
		second, _ := b.take()
		if strings.Join(first, " ") != strings.Join(second, " ") {
			t.Fatalf("ids of the second attempt %v, want those of the first %v", second, first)
		}
		d.deliver()
		if ids, _ := b.take(); len(ids) != 0 {
			t.Fatalf("%d attempts before the next is due", len(ids))
		}

		// The process ends; another one continues after its lease, at the time that was stored.
		b.answer(0)
		other := d.anotherWorker(localSender(0))
		d.wait(6 * time.Minute)
		d.must(other.Work(t.Context()))
		ids, bodies := b.take()
		if strings.Join(ids, " ") != strings.Join(first, " ") {
			t.Fatalf("ids after the restart %v, want %v", ids, first)
		}
		failures(0)
		var body struct {
			Type string
			Data struct {
				Title, Sentence, URL, Actor string
				Group                       struct{ Name string }
			}
		}
		d.must(json.Unmarshal([]byte(bodies[0]), &body))
		want := "https://updates.example/apps/" + s.app.ID.String() + "/groups/" + s.group.ID.String()
		if body.Type != "rollout.paused" || body.Data.URL != want || body.Data.Group.Name != "g" || !strings.Contains(body.Data.Sentence, "maintenance; next: resume them") {
			t.Errorf("body %s", bodies[0])
		}
		d.wait(time.Hour)
		d.must(other.Work(t.Context()))
		d.deliver()
		if ids, _ := b.take(); len(ids) != 0 {
			t.Errorf("%d attempts after the success", len(ids))
		}
		if all := d.deliveries(n, notice.Delivered); len(all) != 2 || len(notice.Log(all[0])) != 3 || all[0].Request == "" {
			t.Errorf("deliveries %+v", all)
		}
	})
}

func TestTwoProcessesSendEachMessageOnce(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		s, b := d.setup(), newInbox(t)
		d.webhook(b.URL)
		others := []*notice.Worker{d.anotherWorker(localSender(0)), d.anotherWorker(localSender(0)), d.Notices}
		for range 5 {
			d.pauseAndResume(s)
			var running sync.WaitGroup
			for _, w := range others {
				running.Go(func() {
					for range 3 {
						if err := w.Work(t.Context()); err != nil {
							t.Error(err)
						}
					}
				})
			}
			running.Wait()
			d.wait(2 * time.Minute) // beyond the lease, so that another process takes it
		}
		for _, w := range others {
			d.must(w.Work(t.Context()))
		}
		ids, _ := b.take()
		seen := map[string]bool{}
		for _, id := range ids {
			if seen[id] {
				t.Errorf("%s was sent twice", id)
			}
			seen[id] = true
		}
		if len(seen) != 10 {
			t.Errorf("%d messages, want 10", len(seen))
		}
	})
}

func TestHangingReceiverDelaysOnlyItself(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		s, b := d.setup(), newInbox(t)
		entered, leave := make(chan struct{}), make(chan struct{})
		hangs := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			entered <- struct{}{}
			<-leave
		}))
		t.Cleanup(hangs.Close)
		d.webhook(hangs.URL)
		fine := d.webhook(b.URL)
		d.pauseAndResume(s)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			d.Notices.Run(ctx)
		}()
		<-entered
		late := time.After(20 * time.Second)
		look := time.NewTicker(5 * time.Millisecond)
		defer look.Stop()
		for len(d.deliveries(fine, notice.Delivered)) < 2 {
			select {
			case <-look.C:
			case <-late:
				t.Fatal("the other receiver got nothing")
			}
		}
		d.reason(s, "m1", "1.0.0", rollout.ReasonGranted) // check-ins and changes go on
		close(leave)
		cancel()
		go func() {
			for range entered { // attempts that had begun
			}
		}()
		<-done
		close(entered)
	})
}

// An activity can be committed after one with a higher id was read.
func TestActivityThatIsCommittedLateIsNotLost(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		s, b := d.setup(), newInbox(t)
		d.webhook(b.URL)
		d.wait(time.Minute)
		early := d.clock()
		d.wait(20 * time.Second)
		d.pauseAndResume(s)
		d.deliver()
		b.take()
		d.must(d.store.Write(t.Context(), early, func(tx *store.Tx) error {
			return tx.Save(t.Context(), &store.Batch{Activities: []store.Activity{{
				Activity:      rollout.Activity{Kind: rollout.ActivityRolloutStalled, Severity: rollout.SeverityWarning, Detail: "late"},
				ApplicationID: s.app.ID, ApplicationName: "Sample", GroupID: s.group.ID, GroupName: "g",
			}}})
		}))
		d.wait(2 * time.Minute)
		d.deliver()
		if _, bodies := b.take(); len(bodies) != 1 || !strings.Contains(bodies[0], "late") {
			t.Errorf("bodies %v, want the late activity", bodies)
		}
		d.wait(2 * time.Minute)
		d.deliver()
		if ids, _ := b.take(); len(ids) != 0 {
			t.Errorf("%d messages were repeated", len(ids))
		}
	})
}

func TestReceiverThatFailsForDaysIsDisabledAndNeedsAttention(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		s, b := d.setup(), newInbox(t)
		n := d.webhook(b.URL)
		b.answer(http.StatusInternalServerError)
		d.pauseAndResume(s)
		d.deliver()
		if d.attention(view.AttentionNotifier) != nil {
			t.Error("a first failure needs attention")
		}
		d.wait(11 * time.Minute)
		if a := d.attention(view.AttentionNotifier); a == nil || a.Notifier.ID != n.ID || !strings.Contains(a.Sentence, "500") {
			t.Errorf("attention %+v", a)
		}
		for range 60 { // 120 hours
			d.wait(2 * time.Hour)
			d.deliver()
		}
		n = must(d.View.Notifier(d.ctx, n.ID))(t)
		if a := d.attention(view.AttentionNotifier); n.Enabled || n.DisabledBecause == "" || a == nil || a.Severity != rollout.SeverityError {
			t.Fatalf("notifier %+v, attention %+v", n, a)
		}
		ids, _ := b.take()
		if len(ids) < 14 || len(ids) > 2*notice.MaxAttempts() {
			t.Errorf("%d attempts", len(ids))
		}

		b.answer(0)
		yes := true
		must(d.UpdateNotifier(d.ctx, fleet.UpdateNotifier{ID: n.ID, Enabled: &yes}))(t)
		d.pauseAndResume(s)
		d.wait(25 * time.Hour)
		d.deliver()
		if _, bodies := b.take(); len(bodies) < 2 || d.attention(view.AttentionNotifier) != nil {
			t.Errorf("%d messages after it was enabled, attention %+v", len(bodies), d.attention(view.AttentionNotifier))
		}
	})
}

func TestReceiverThatIsGoneIsDisabledAtOnceAndFailedMessagesCanBeSentAgain(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		s, b := d.setup(), newInbox(t)
		n := d.webhook(b.URL)
		b.answer(http.StatusGone)
		d.pauseAndResume(s)
		d.deliver()
		if ids, _ := b.take(); len(ids) != 1 {
			t.Errorf("%d attempts after 410", len(ids))
		}
		_, err := d.RedeliverMessages(d.ctx, fleet.RedeliverMessages{NotifierID: n.ID})
		refused(t, err, fault.Conflict, "notifierId")
		b.answer(0)
		yes := true
		must(d.UpdateNotifier(d.ctx, fleet.UpdateNotifier{ID: n.ID, Enabled: &yes}))(t)
		d.wait(6 * time.Second)
		d.deliver()
		ids, _ := b.take()
		if len(ids) != 2 {
			t.Fatalf("%d messages after it was enabled, want those that waited", len(ids))
		}
		all := d.deliveries(n, notice.Delivered)
		again := must(d.RedeliverMessages(d.ctx, fleet.RedeliverMessages{NotifierID: n.ID, DeliveryIDs: []uuid.UUID{all[0].ID}}))(t)
		d.deliver()
		repeated, _ := b.take()
		if again.Messages != 1 || len(repeated) != 1 || repeated[0] != notice.MessageID(all[0].ID) {
			t.Errorf("%d messages again: %v", again.Messages, repeated)
		}
	})
}

func TestDigestAndQuietHoursHoldAllButHalts(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		s, b := d.setup(), newInbox(t)
		n := d.notifier(fleet.CreateNotifier{
			Name: "night", Kind: notify.Webhook, URL: b.URL, Digest: 30 * time.Minute, QuietFrom: "10:15", QuietUntil: "12:00", Timezone: "Europe/Lisbon",
		})
		d.wait(time.Minute)
		d.check(s, "m1", "1.0.0") // starts the rollout
		d.pauseAndResume(s)
		must(d.HaltRollout(d.ctx, fleet.HaltRollout{GroupID: s.group.ID, Reason: "smoke"}))(t)
		d.deliver()
		if _, bodies := b.take(); len(bodies) != 1 || !strings.Contains(bodies[0], "rollout.halted") || !strings.Contains(bodies[0], "/incident") {
			t.Fatalf("bodies %v, want the halt alone", bodies)
		}
		d.wait(time.Hour) // 11:01 in Lisbon
		d.deliver()
		if ids, _ := b.take(); len(ids) != 0 {
			t.Fatal("a message was sent in the quiet hours")
		}
		d.wait(time.Hour)
		d.deliver()
		_, bodies := b.take()
		var body struct {
			Type string
			Data struct{ Events []struct{ Type string } }
		}
		if len(bodies) != 1 {
			t.Fatalf("bodies %v, want one digest", bodies)
		}
		d.must(json.Unmarshal([]byte(bodies[0]), &body))
		if body.Type != "digest" || len(body.Data.Events) != 3 || len(d.deliveries(n, notice.Bundled)) != 3 {
			t.Errorf("digest %s", bodies[0])
		}
	})
}

func TestNotifierGetsNothingOfOtherTeamsAndOnlyWhatItWants(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		team := must(d.Accounts.CreateTeam(d.ctx, account.CreateTeam{Name: "Retail"}))(t)
		s, b, narrow := d.setup(), newInbox(t), newInbox(t)
		d.notifier(fleet.CreateNotifier{Name: "other team", Kind: notify.Webhook, URL: b.URL, TeamID: &team.ID})
		d.notifier(fleet.CreateNotifier{
			Name: "narrow", Kind: notify.Webhook, URL: narrow.URL, Kinds: []rollout.ActivityKind{rollout.ActivityPaused}, GroupIDs: []uuid.UUID{s.group.ID},
		})
		d.pauseAndResume(s)
		d.deliver()
		if ids, _ := b.take(); len(ids) != 0 {
			t.Error("a notifier of another team got messages")
		}
		if _, bodies := narrow.take(); len(bodies) != 1 || !strings.Contains(bodies[0], "rollout.paused") {
			t.Errorf("bodies %v, want the pause alone", bodies)
		}

		admin := auth.With(t.Context(), auth.Principal{Name: "rita", Role: auth.Admin, TeamID: team.ID, Grants: []auth.Grant{{Role: auth.Admin, Team: team.ID}}})
		seen := must(d.View.Notifiers(admin))(t)
		if len(seen) != 1 || seen[0].Name != "other team" {
			t.Errorf("an administrator of a team sees %d notifiers", len(seen))
		}
		_, err := d.CreateNotifier(admin, fleet.CreateNotifier{Name: "x", Kind: notify.Webhook, URL: b.URL, GroupIDs: []uuid.UUID{s.group.ID}})
		refused(t, err, fault.NotFound, "groupIds")
		viewer := auth.With(t.Context(), auth.Principal{Name: "vera", Role: auth.Publisher, Grants: []auth.Grant{{Role: auth.Publisher}}})
		if _, err := d.View.Notifiers(viewer); fault.CodeOf(err) != fault.Forbidden {
			t.Errorf("a publisher reads notifiers: %v", err)
		}
	})
}

func TestNotifierSecretsAreShownOnce(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		b := newInbox(t)
		made := must(d.CreateNotifier(d.ctx, fleet.CreateNotifier{
			Name: "hook", Kind: notify.Webhook, URL: b.URL + "/in?token=hidden", Authorization: "Bearer hidden",
		}))(t)
		rotated := must(d.RotateNotifier(d.ctx, fleet.RotateNotifier{ID: made.Notifier.ID, Reason: "leaked"}))(t)
		_, err := d.UpdateNotifier(d.ctx, fleet.UpdateNotifier{ID: made.Notifier.ID, URL: new("https://other.example/")})
		refused(t, err, fault.Invalid, "authorization")
		test := must(d.TestNotifier(d.ctx, made.Notifier.ID))(t)
		if test.State != string(notice.Delivered) || test.Type != "test" {
			t.Fatalf("test %+v", test)
		}
		must(d.UpdateNotifier(d.ctx, fleet.UpdateNotifier{ID: made.Notifier.ID, Name: new("hook 2")}))(t)
		d.must(d.DeleteNotifier(d.ctx, fleet.DeleteNotifier{ID: made.Notifier.ID}))
		refused(t, d.DeleteNotifier(d.ctx, fleet.DeleteNotifier{ID: made.Notifier.ID}), fault.NotFound, "id")
		for _, verb := range []string{"createNotifier", "rotateNotifier", "updateNotifier", "deleteNotifier"} {
			rows := d.audits(verb)
			if len(rows) != 1 {
				t.Fatalf("%d audit entries of %s", len(rows), verb)
			}
			text := rows[0].Before + rows[0].After
			for _, secret := range []string{made.Secret, rotated.Secret, "hidden"} {
				if strings.Contains(text, secret) {
					t.Errorf("the audit of %s has a secret: %s", verb, text)
				}
			}
		}
		if rows := must(d.store.Reader().Delivery.Query().Count(t.Context()))(t); rows != 0 {
			t.Errorf("%d deliveries outlive their notifier", rows)
		}
	})
}

func (d *harness) attention(kind view.AttentionKind) *view.Attention {
	d.t.Helper()
	for _, a := range must(d.View.Attention(d.ctx))(d.t) {
		if a.Kind == kind {
			return a
		}
	}
	return nil
}
