package fleet_test

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/view"
	"github.com/coreroller/coreroller/store/storetest"
)

// While a file is fetched, however long that takes, no other process takes over the mirror.
func TestMirrorHoldsItsLeaseDuringADownload(t *testing.T) {
	d, _ := hostingHarness(t, storetest.SQLite(t), 0, func(o *fleet.Options) { o.LeaseEvery = new(5 * time.Millisecond) })
	s, u := d.setup(), newUpstreamServer(t)
	const content = "CrAU payload"
	held := false
	var until func() *time.Time
	files := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		before := *until()
		d.wait(time.Hour) // the lease that the run began with has expired
		for deadline := time.Now().Add(20 * time.Second); !held && time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
			now := until()
			held = now != nil && now.After(before) && now.After(d.clock())
		}
		asked := u.count()
		if err := d.WorkUpstreams(t.Context()); err != nil || u.count() != asked {
			t.Errorf("another round asked the upstream during the download: %v", err)
		}
		_, _ = io.WriteString(w, content)
	}))
	t.Cleanup(files.Close)
	digest := sha256.Sum256([]byte(content))
	u.set(func(string) string {
		return answerOf(s.app.ID, fmt.Sprintf(`<updatecheck status="ok"><urls><url codebase="%s/f/"/></urls><manifest version="3.0.0"><packages><package name="update.gz" size="12" hash_sha256="%x" required="true"/></packages>`+
			`<actions><action event="postinstall" sha256=%q/></actions></manifest></updatecheck>`, files.URL, digest, base64.StdEncoding.EncodeToString(digest[:])))
	})
	up := d.follow(s, u, view.MirrorPromote)
	until = func() *time.Time { return d.store.Reader().Upstream.GetX(d.ctx, up.ID).LeasedUntil }
	channel := must(d.View.Upstream(d.ctx, up.ID, nil))(t).Edges.Channels[0]
	must(d.UpdateUpstreamChannel(d.ctx, fleet.UpdateUpstreamChannel{ID: channel.ID, HostFiles: new(true)}))(t)
	if row, _ := d.mirrored(up); !held || row.LastError != "" || d.target(s) != "3.0.0" {
		t.Errorf("held %v, the channel has %s: %+v", held, d.target(s), row)
	}
}

func (u *upstreamServer) count() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.asked
}
