package main

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestProfilesAreServedByTheAdminListenerOnly(t *testing.T) {
	get := func(url string) (status int, body string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		data, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(data)
	}
	p := NewProgram(Config{Listen: "127.0.0.1:0", AdminListen: "127.0.0.1:0", DataDir: t.TempDir()}, discard(), time.Now)
	if err := p.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	const profile = "/debug/pprof/goroutine?debug=1"
	if status, body := get("http://" + p.admin.listener.Addr().String() + profile); status != http.StatusOK || !strings.HasPrefix(body, "goroutine profile") {
		t.Errorf("the admin listener returned %d %.200s", status, body)
	}
	if _, body := get(p.URL() + profile); strings.Contains(body, "goroutine profile") {
		t.Errorf("the public listener serves profiles: %.200s", body)
	}
	if status, _ := get("http://" + p.admin.listener.Addr().String() + "/graphql"); status != http.StatusNotFound {
		t.Errorf("the admin listener returned %d for /graphql", status)
	}
	http.DefaultClient.CloseIdleConnections()

	none := startProgram(t, "")
	if none.admin != nil {
		t.Error("an admin listener was opened without --admin-listen")
	}
	bad := NewProgram(Config{Listen: "127.0.0.1:0", AdminListen: "6060", DataDir: t.TempDir()}, discard(), time.Now)
	if err := bad.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "--admin-listen") {
		t.Errorf("invalid address: %v", err)
	}
	negative := NewProgram(Config{Listen: "127.0.0.1:0", MaxConnections: -1, DataDir: t.TempDir()}, discard(), time.Now)
	if err := negative.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "--max-connections") {
		t.Errorf("negative limit: %v", err)
	}
}
