package fleet_test

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/mirrorrun"
	"github.com/coreroller/coreroller/ent/db/release"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/account"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/view"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
	"github.com/coreroller/coreroller/store/storetest"
)

// upstreamServer is another update server whose answer a test sets.
type upstreamServer struct {
	*httptest.Server
	mu     sync.Mutex
	answer func(version string) string // by the version that was sent; "" = 503
	asked  int
}

func newUpstreamServer(t *testing.T) *upstreamServer {
	t.Helper()
	u := &upstreamServer{}
	u.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_, rest, _ := strings.Cut(string(body), "<app ")
		_, rest, _ = strings.Cut(rest, ` version="`)
		version, _, _ := strings.Cut(rest, `"`)
		u.mu.Lock()
		u.asked++
		text := u.answer(version)
		u.mu.Unlock()
		if text == "" {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		_, _ = io.WriteString(w, text)
	}))
	t.Cleanup(u.Close)
	return u
}

func (u *upstreamServer) set(f func(version string) string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.answer = f
}

// offers sets an answer with manifests to every version, but to the last one of them.
func (u *upstreamServer) offers(app uuid.UUID, manifests ...string) {
	u.set(func(version string) string {
		if len(manifests) == 0 || strings.Contains(manifests[len(manifests)-1], `version="`+version+`"`) {
			return answerOf(app, `<updatecheck status="noupdate"/>`)
		}
		return answerOf(app, `<updatecheck status="ok"><urls><url codebase="https://up.example/f/"/></urls>`+strings.Join(manifests, "")+`</updatecheck>`)
	})
}

func answerOf(app uuid.UUID, check string) string {
	return `<response protocol="3.0" server="other"><app appid="{` + app.String() + `}" status="ok">` + check + `</app></response>`
}

// manifestOf is one version with an extra file; fill is a byte of its digests.
func manifestOf(version, attributes string, fill byte) string {
	sha256 := make([]byte, 32)
	sha256[0] = fill
	return fmt.Sprintf(`<manifest version=%q %s><packages><package name="update.gz" size="1000" hash=%q required="true"/>`+
		`<package name="oem-qemu.gz" size="7" hash_sha256="%x" required="false"/></packages><actions><action event="postinstall" sha256=%q/></actions></manifest>`,
		version, attributes, base64.StdEncoding.EncodeToString(make([]byte, 20)), sha256, base64.StdEncoding.EncodeToString(sha256))
}

// follow creates an upstream and lets the channel of the setup follow it.
func (d *harness) follow(s *setup, u *upstreamServer, mode view.MirrorMode) *db.Upstream {
	d.t.Helper()
	up := must(d.CreateUpstream(d.ctx, fleet.CreateUpstream{
		ApplicationID: s.app.ID, Name: "hq", Kind: view.UpstreamOmaha, URL: u.URL, Interval: 10 * time.Minute,
	}))(d.t)
	must(d.AddUpstreamChannel(d.ctx, fleet.AddUpstreamChannel{UpstreamID: up.ID, ChannelID: s.channel.ID, Mode: mode}))(d.t)
	return up
}

// mirrored runs the mirrors now and returns the state of the only channel and its run.
func (d *harness) mirrored(up *db.Upstream) (*db.UpstreamChannel, *db.MirrorRun) {
	d.t.Helper()
	d.wait(time.Second)
	must(d.RunUpstream(d.ctx, fleet.RunUpstream{ID: up.ID}))(d.t)
	d.must(d.WorkUpstreams(d.t.Context()))
	row := must(d.View.Upstream(d.ctx, up.ID, nil))(d.t).Edges.Channels[0]
	run := must(d.store.Reader().MirrorRun.Query().Where(mirrorrun.UpstreamChannelID(row.ID)).Order(db.Desc(mirrorrun.FieldID)).First(d.ctx))(d.t)
	return row, run
}

func (d *harness) target(s *setup) string {
	ch := d.Catalog().Channel(s.channel.ID)
	if ch.Target == nil {
		return ""
	}
	return ch.Target.Version.String()
}

func TestMirrorImportsFloorsAndPromotes(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		s, u := d.setup(), newUpstreamServer(t)
		u.offers(s.app.ID, manifestOf("2.5.0", `is_floor="true" floor_reason="disk format"`, 1), manifestOf("3.0.0", `is_target="true"`, 2))
		up := d.follow(s, u, view.MirrorPromote)
		row, run := d.mirrored(up)
		if d.target(s) != "3.0.0" || row.UpstreamVersion != "3.0.0" || row.LastError != "" || row.Problem != "" || run.Outcome != "CHANGED" || run.Bytes == 0 {
			t.Fatalf("target %s, %+v, %+v", d.target(s), row, run)
		}
		if got := strings.Join(run.Changes, "; "); got != "imported 2.5.0; imported 3.0.0; made 2.5.0 a floor: disk format; promoted 3.0.0" {
			t.Errorf("changes %s", got)
		}
		if a := d.check(s, "m1", "2.0.0"); len(a.Offers) != 1 || a.Offers[0].Package.Version != "2.5.0" || a.Offers[0].Package.URL != "https://up.example/f/" || len(a.Offers[0].Package.Extra) != 1 {
			t.Errorf("a machine was offered %+v", a.Offers)
		}
		if moved := d.activities(rollout.ActivityChannelMoved); moved[len(moved)-1].Actor != "mirror hq" {
			t.Errorf("actor %s", moved[len(moved)-1].Actor)
		}
		// Nothing new, seen twice: as newer and as an old machine.
		row, run = d.mirrored(up)
		if run.Outcome != "UNCHANGED" || row.Problem != "" || row.Withdrawn || row.NextRunAt.Before(d.clock().Add(9*time.Minute)) || row.NextRunAt.After(d.clock().Add(11*time.Minute)) {
			t.Errorf("%+v %+v", row, run)
		}
		asked := u.asked
		d.must(d.WorkUpstreams(t.Context()))
		if u.asked != asked {
			t.Error("a channel that is not due was asked")
		}
	})
}

func TestMirrorWaitsForAPerson(t *testing.T) {
	d := newHarness(t, storetest.SQLite(t))
	s, u := d.setup(), newUpstreamServer(t)
	u.offers(s.app.ID, manifestOf("3.0.0", "", 2))
	up := d.follow(s, u, view.MirrorNotify)
	row, run := d.mirrored(up)
	if n := d.Catalog().Channel(s.channel.ID); d.target(s) != "2.0.0" || n == nil || row.UpstreamVersion != "3.0.0" || len(run.Changes) != 1 {
		t.Errorf("%+v %+v", row, run)
	}
	if all := must(d.store.Reader().Release.Query().Count(d.ctx))(t); all != 1 {
		t.Errorf("%d packages after a notification", all)
	}
	if _, run = d.mirrored(up); run.Outcome != "UNCHANGED" {
		t.Errorf("%+v", run)
	}
	mode := view.MirrorImport
	must(d.UpdateUpstreamChannel(d.ctx, fleet.UpdateUpstreamChannel{ID: row.ID, Mode: &mode}))(t)
	if _, run = d.mirrored(up); d.target(s) != "2.0.0" || strings.Join(run.Changes, "") != "imported 3.0.0" {
		t.Errorf("%+v", run)
	}
	if found := d.activities(rollout.ActivityMirrorFound); len(found) != 1 || found[0].Version != "3.0.0" {
		t.Errorf("activities %+v", found)
	}
}

// Whatever an upstream says, nothing wrong is promoted, the error is shown, and the next
// round heals.
func TestMirrorFailsAndHeals(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		s, u := d.setup(), newUpstreamServer(t)
		up := d.follow(s, u, view.MirrorPromote)
		good := manifestOf("3.0.0", "", 2)
		for name, c := range map[string]struct{ answer, want string }{
			"down":         {"", "503"},
			"malformed":    {answerOf(s.app.ID, "<updatecheck"), "not an Omaha response"},
			"other app":    {answerOf(uuid.New(), `<updatecheck status="noupdate"/>`), "answer is for application"},
			"other size":   {answerOf(s.app.ID, `<updatecheck status="ok"><urls><url codebase="https://up.example/f/"/></urls>`+strings.Replace(manifestOf("2.0.0", `is_floor="true"`, 0xab)+good, "1000", "1001", 1)+`</updatecheck>`), "size 1001 there, 1000 here"},
			"other digest": {answerOf(s.app.ID, `<updatecheck status="ok"><urls><url codebase="https://up.example/f/"/></urls>`+manifestOf("2.0.0", `is_floor="true"`, 1)+good+`</updatecheck>`), "SHA-256"},
			"no version":   {answerOf(s.app.ID, `<updatecheck status="ok"><urls><url codebase="https://up.example/f/"/></urls>`+manifestOf("newest", "", 1)+`</updatecheck>`), "is not"},
			"too long":     {answerOf(s.app.ID, `<updatecheck status="ok"><urls><url codebase="https://up.example/f/"/></urls>`+good+manifestOf("3.0.0", "", 1)+`</updatecheck>`), "twice"},
		} {
			u.set(func(string) string { return c.answer })
			row, run := d.mirrored(up)
			if !strings.Contains(row.LastError, c.want) || run.Outcome != "FAILED" || run.Error != row.LastError || row.FailingSince == nil || d.target(s) != "2.0.0" {
				t.Errorf("%s: %+v %+v", name, row, run)
			}
			if all := must(d.store.Reader().Release.Query().Count(d.ctx))(t); all != 1 {
				t.Errorf("%s: %d packages", name, all)
			}
		}
		attention := must(d.View.Attention(d.ctx))(t)
		if len(attention) == 0 || attention[0].Kind != view.AttentionMirror || attention[0].Upstream.ID != up.ID {
			t.Errorf("attention %+v", attention)
		}
		// A lower version is reported, and not followed.
		u.set(func(string) string {
			return answerOf(s.app.ID, `<updatecheck status="ok"><urls><url codebase="https://up.example/f/"/></urls>`+manifestOf("1.0.0", "", 1)+`</updatecheck>`)
		})
		if row, _ := d.mirrored(up); !strings.Contains(row.Problem, "offers 1.0.0 now, which is lower than 2.0.0") || d.target(s) != "2.0.0" {
			t.Errorf("%+v", row)
		}
		u.offers(s.app.ID, good)
		if row, _ := d.mirrored(up); d.target(s) != "3.0.0" || row.FailingSince != nil || row.LastError != "" || row.Problem != "" || row.Failures != 0 {
			t.Errorf("not healed: %s %+v", d.target(s), row)
		}
		if a, b := d.activities(rollout.ActivityMirrorFailed), d.activities(rollout.ActivityMirrorWorks); len(a) != 1 || len(b) != 1 {
			t.Errorf("%d failed, %d works again, want one each", len(a), len(b))
		}
	})
}

func TestMirrorSaysWhatWasTakenBack(t *testing.T) {
	d := newHarness(t, storetest.SQLite(t))
	s, u := d.setup(), newUpstreamServer(t)
	u.offers(s.app.ID, manifestOf("3.0.0", "", 2))
	up := d.follow(s, u, view.MirrorPromote)
	d.mirrored(up)
	u.offers(s.app.ID, manifestOf("2.9.0", "", 3))
	u.set(func(version string) string { // as Omaha servers do, it offers nothing lower
		if version == "3.0.0" {
			return answerOf(s.app.ID, `<updatecheck status="noupdate"/>`)
		}
		return answerOf(s.app.ID, `<updatecheck status="ok"><urls><url codebase="https://up.example/f/"/></urls>`+manifestOf("2.9.0", "", 3)+`</updatecheck>`)
	})
	for range 2 {
		if row, run := d.mirrored(up); !row.Withdrawn || !strings.Contains(row.Problem, "2.9.0 now, which is lower than 3.0.0") || len(run.Changes) != 1 || d.target(s) != "3.0.0" {
			t.Errorf("%+v %+v", row, run)
		}
	}
	if noted := d.activities(rollout.ActivityMirrorWithdrawn); len(noted) != 1 || noted[0].Severity != rollout.SeverityWarning {
		t.Errorf("activities %+v", noted)
	}
}

func TestMirrorProposesWhereApprovalsAreRequired(t *testing.T) {
	d := newHarness(t, storetest.SQLite(t))
	s, u := d.setup(), newUpstreamServer(t)
	d.twoPublishers()
	must(d.UpdateChannel(d.ctx, fleet.UpdateChannel{ID: s.channel.ID, RequireApproval: new(true)}))(t)
	u.offers(s.app.ID, manifestOf("3.0.0", "", 2))
	up := d.follow(s, u, view.MirrorPromote)
	for range 2 {
		d.mirrored(up)
	}
	open := must(d.View.Proposals(true).Page(d.ctx, 10))(t).Rows
	if len(open) != 1 || open[0].CreatedBy != "mirror hq" || open[0].Verb != "promotePackage" || d.target(s) != "2.0.0" {
		t.Errorf("proposals %+v, target %s", open, d.target(s))
	}
}

func TestOneFailingChannelDoesNotStopOthers(t *testing.T) {
	d := newHarness(t, storetest.SQLite(t))
	s, u := d.setup(), newUpstreamServer(t)
	up := d.follow(s, u, view.MirrorPromote)
	other := must(d.CreateChannel(d.ctx, fleet.CreateChannel{ApplicationID: s.app.ID, Name: "other"}))(t)
	must(d.AddUpstreamChannel(d.ctx, fleet.AddUpstreamChannel{UpstreamID: up.ID, ChannelID: other.ID, Mode: view.MirrorPromote}))(t)
	u.set(func(version string) string {
		if version == "2.0.0" {
			return ""
		}
		return answerOf(s.app.ID, `<updatecheck status="ok"><urls><url codebase="https://up.example/f/"/></urls>`+manifestOf("3.0.0", "", 2)+`</updatecheck>`)
	})
	d.must(d.WorkUpstreams(t.Context()))
	if ch := d.Catalog().Channel(other.ID); ch.Target == nil || d.target(s) != "2.0.0" {
		t.Errorf("the other channel has %+v", ch.Target)
	}
	states := d.MirrorStates()
	if len(states) != 2 {
		t.Errorf("states %+v", states)
	}
}

func TestInputOfMirrorsIsChecked(t *testing.T) {
	d := newHarness(t, storetest.SQLite(t))
	s := d.setup()
	for name, c := range map[string]struct {
		change func(*fleet.CreateUpstream)
		field  string
	}{
		"name":        {func(in *fleet.CreateUpstream) { in.Name = "" }, "name"},
		"kind":        {func(in *fleet.CreateUpstream) { in.Kind = "X" }, "kind"},
		"url":         {func(in *fleet.CreateUpstream) { in.URL = "ftp://x/" }, "url"},
		"password":    {func(in *fleet.CreateUpstream) { in.URL = "https://a:b@x/" }, "url"},
		"interval":    {func(in *fleet.CreateUpstream) { in.Interval = time.Second }, "interval"},
		"public":      {func(in *fleet.CreateUpstream) { in.URL, in.Interval = fleet.FlatcarURL, 5*time.Minute }, "interval"},
		"placeholder": {func(in *fleet.CreateUpstream) { in.URLTemplate = "https://x/{{NAME}}/{{VERSION}}/" }, "urlTemplate"},
		"no version":  {func(in *fleet.CreateUpstream) { in.URLTemplate = "https://x/" }, "urlTemplate"},
		"template":    {func(in *fleet.CreateUpstream) { in.URLTemplate = "/x/{{VERSION}}" }, "urlTemplate"},
		"ca":          {func(in *fleet.CreateUpstream) { in.CA = "x" }, "ca"},
	} {
		in := fleet.CreateUpstream{ApplicationID: s.app.ID, Name: "x", Kind: view.UpstreamOmaha, URL: "https://x.example/", Interval: time.Hour}
		c.change(&in)
		_, err := d.CreateUpstream(d.ctx, in)
		if all := fault.All(err); len(all) != 1 || all[0].Field != c.field || all[0].Code != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	up := must(d.CreateUpstream(d.ctx, fleet.CreateUpstream{ApplicationID: s.app.ID, Name: "x", Kind: view.UpstreamOmaha, URL: "https://x.example/", URLTemplate: "https://m/{{ARCH}}/{{VERSION}}"}))(t)
	_, err := d.AddUpstreamChannel(d.ctx, fleet.AddUpstreamChannel{UpstreamID: up.ID, ChannelID: s.channel.ID, HostFiles: true})
	if fault.CodeOf(err) != fault.Invalid || !strings.Contains(err.Error(), "stores no files") {
		t.Errorf("hosting without a store of files: %v", err)
	}
	must(d.AddUpstreamChannel(d.ctx, fleet.AddUpstreamChannel{UpstreamID: up.ID, ChannelID: s.channel.ID}))(t)
	if _, err := d.AddUpstreamChannel(d.ctx, fleet.AddUpstreamChannel{UpstreamID: up.ID, ChannelID: s.channel.ID}); fault.CodeOf(err) != fault.Conflict {
		t.Errorf("a channel with two upstreams: %v", err)
	}
	must(d.UpdateUpstream(d.ctx, fleet.UpdateUpstream{ID: up.ID, Enabled: new(false)}))(t)
	if _, err := d.RunUpstream(d.ctx, fleet.RunUpstream{ID: up.ID}); fault.CodeOf(err) != fault.Conflict {
		t.Errorf("a run of a mirror that is off: %v", err)
	}
	d.must(d.DeleteUpstream(d.ctx, fleet.DeleteUpstream{ID: up.ID}))
	if all := must(d.View.Upstreams(d.ctx, nil, nil))(t); len(all) != 0 {
		t.Errorf("%d mirrors after the deletion", len(all))
	}
}

func TestFollowFlatcar(t *testing.T) {
	d := newHarness(t, storetest.SQLite(t))
	for range 2 {
		up := must(d.FollowFlatcar(d.ctx, fleet.FollowFlatcar{}))(t)
		if len(up.Edges.Channels) != 6 || up.URL != fleet.FlatcarURL || up.Interval != 3600 || up.Edges.Channels[0].Mode != "IMPORT" {
			t.Errorf("%+v", up)
		}
	}
	d.must(d.FollowFlatcarOnce(d.ctx))
	if all := must(d.View.Upstreams(d.ctx, nil, nil))(t); len(all) != 1 {
		t.Errorf("%d mirrors", len(all))
	}
}

// twoPublishers creates users, so that a channel can require approvals.
func (d *harness) twoPublishers() {
	d.t.Helper()
	for _, name := range []string{"paul", "petra"} {
		must(d.Accounts.CreateUser(d.ctx, account.CreateUser{Username: name, Password: "builder 1", Role: auth.Publisher}))(d.t)
	}
}

// A channel that keeps files here promotes a version when they are stored; machines fetch
// them from this server.
func TestMirrorPromotesOnlyWhatItKeeps(t *testing.T) {
	d, _ := hostingHarness(t, storetest.SQLite(t), 0)
	s, u := d.setup(), newUpstreamServer(t)
	content, works := map[string]string{"/f/update.gz": "CrAU payload", "/f/oem-qemu.gz": "CrAU extension"}, false
	files := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !works {
			http.Error(w, "not yet", http.StatusNotFound)
			return
		}
		_, _ = io.WriteString(w, content[r.URL.Path])
	}))
	t.Cleanup(files.Close)
	digest, extra := sha256.Sum256([]byte(content["/f/update.gz"])), sha256.Sum256([]byte(content["/f/oem-qemu.gz"]))
	offer := fmt.Sprintf(`<updatecheck status="ok"><urls><url codebase="%s/f/"/></urls><manifest version="3.0.0"><packages>`+
		`<package name="update.gz" size="12" hash_sha256="%x" required="true"/><package name="oem-qemu.gz" size="14" hash_sha256="%x" required="false"/></packages>`+
		`<actions><action event="postinstall" sha256=%q/></actions></manifest></updatecheck>`, files.URL, digest, extra, base64.StdEncoding.EncodeToString(digest[:]))
	u.set(func(string) string { return answerOf(s.app.ID, offer) })
	up := d.follow(s, u, view.MirrorPromote)
	channel := must(d.View.Upstream(d.ctx, up.ID, nil))(t).Edges.Channels[0]
	must(d.UpdateUpstreamChannel(d.ctx, fleet.UpdateUpstreamChannel{ID: channel.ID, HostFiles: new(true)}))(t)
	if row, _ := d.mirrored(up); !strings.Contains(row.LastError, "fetch file update.gz of 3.0.0") || d.target(s) != "2.0.0" {
		t.Errorf("%s %+v", d.target(s), row)
	}
	works = true
	row, _ := d.mirrored(up)
	if row.LastError != "" || d.target(s) != "3.0.0" {
		t.Fatalf("%s %+v", d.target(s), row)
	}
	stored := must(d.store.Reader().StoredFile.Query().All(d.ctx))(t)
	if a := d.check(s, "m1", "2.0.0"); len(stored) != 2 || len(a.Offers) != 1 || !strings.Contains(a.Offers[0].Package.URL, "/payloads/") {
		t.Errorf("%d files, offers %+v", len(stored), a.Offers)
	}
}

func TestMirrorFillsTheTemplateOfURLs(t *testing.T) {
	d := newHarness(t, storetest.SQLite(t))
	s, u := d.setup(), newUpstreamServer(t)
	u.offers(s.app.ID, manifestOf("3.0.0+build.1", "", 2))
	up := d.follow(s, u, view.MirrorPromote)
	must(d.UpdateUpstream(d.ctx, fleet.UpdateUpstream{ID: up.ID, URLTemplate: new("https://files.example/{{ARCH}}/{{VERSION}}")}))(t)
	d.mirrored(up)
	if a := d.check(s, "m1", "2.0.0"); len(a.Offers) != 1 || a.Offers[0].Package.URL != "https://files.example/amd64/3.0.0+build.1/" {
		t.Errorf("offers %+v", a.Offers)
	}
}

// A version that a person blacklisted here is not promoted, whatever the upstream says.
func TestMirrorKeepsTheBlacklist(t *testing.T) {
	d := newHarness(t, storetest.SQLite(t))
	s, u := d.setup(), newUpstreamServer(t)
	u.offers(s.app.ID, manifestOf("3.0.0", "", 2))
	up := d.follow(s, u, view.MirrorImport)
	d.mirrored(up)
	row := must(d.store.Reader().Release.Query().Where(release.Version("3.0.0")).Only(d.ctx))(t)
	must(d.BlacklistPackage(d.ctx, fleet.BlacklistPackage{ChannelID: s.channel.ID, PackageID: row.ID, Reason: "breaks our disks"}))(t)
	mode := view.MirrorPromote
	channel := must(d.View.Upstream(d.ctx, up.ID, nil))(t).Edges.Channels[0]
	must(d.UpdateUpstreamChannel(d.ctx, fleet.UpdateUpstreamChannel{ID: channel.ID, Mode: &mode}))(t)
	if row, run := d.mirrored(up); d.target(s) != "2.0.0" || row.Problem != "the upstream offers 3.0.0, which is blacklisted here: breaks our disks" || run.Outcome != "UNCHANGED" {
		t.Errorf("%s %+v %+v", d.target(s), row, run)
	}
}

// A channel keeps the runs of its last 500 rounds.
func TestMirrorKeepsTheLastRuns(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		s, u := d.setup(), newUpstreamServer(t)
		u.offers(s.app.ID)
		up := d.follow(s, u, view.MirrorImport)
		row, first := d.mirrored(up)
		d.must(d.store.Write(d.ctx, d.clock(), func(tx *store.Tx) error {
			many := make([]*db.MirrorRunCreate, 502)
			for i := range many {
				many[i] = tx.Client().MirrorRun.Create().SetID(store.NewID(d.clock())).SetApplicationID(s.app.ID).SetUpstreamID(up.ID).SetUpstreamChannelID(row.ID).
					SetStartedAt(d.clock()).SetEndedAt(d.clock()).SetOutcome("UNCHANGED").SetChanges([]string{}).SetError("").SetBytes(1)
			}
			return tx.Client().MirrorRun.CreateBulk(many...).Exec(d.ctx)
		}))
		_, last := d.mirrored(up)
		ids := must(d.store.Reader().MirrorRun.Query().Order(db.Asc(mirrorrun.FieldID)).IDs(d.ctx))(t)
		if len(ids) != 500 || ids[len(ids)-1] != last.ID || slices.Contains(ids, first.ID) {
			t.Errorf("%d runs are kept", len(ids))
		}
	})
}
