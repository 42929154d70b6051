package disk

import (
	"bytes"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestBoundsAreAtMostAPartOfTheDisk(t *testing.T) {
	b := Bounds{Warn: 2 << 30, Reserve: 1 << 30}
	if got := b.Of(100 << 30); got != b {
		t.Errorf("a large disk: %+v", got)
	}
	if got, want := b.Of(1000), (Bounds{Warn: 200, Reserve: 100}); got != want {
		t.Errorf("a small disk: %+v, want %+v", got, want)
	}
}

// Each bound that is crossed is one line of the log, and changes what is refused.
func TestCrossedBoundsAreReported(t *testing.T) {
	var log bytes.Buffer
	var free int64
	known := true
	w := New(Options{
		Folders: []Folder{{Name: "data", Dir: "/srv/data", Machines: true, Uploads: true}}, Bounds: Bounds{Warn: 100, Reserve: 50},
		Space: func(string) (int64, int64, bool) { return free, 1 << 20, known }, Log: slog.New(slog.NewTextHandler(&log, nil)),
	})
	for i, c := range []struct {
		free       int64
		low, tight bool
		logged     string
	}{
		{100, false, false, "has room again"}, // it began with 0 free bytes
		{99, true, false, "little room"},
		{50, true, false, ""},
		{49, true, true, "nearly full"},
		{48, true, true, ""},
		{100, false, false, "has room again"},
		{10, true, true, "nearly full"},
	} {
		log.Reset()
		free = c.free
		if err := w.Look(t.Context()); err != nil {
			t.Fatal(err)
		}
		s := w.States()[0]
		if s.Low() != c.low || s.Tight() != c.tight || w.RefusesMachines() != c.tight {
			t.Errorf("%d: %+v is low %t and tight %t", i, s, s.Low(), s.Tight())
		}
		if lines := strings.Count(log.String(), "\n"); !strings.Contains(log.String(), c.logged) || lines > 1 || (c.logged == "") != (lines == 0) {
			t.Errorf("%d: the log has %q, want %q", i, log.String(), c.logged)
		}
	}
	s := w.States()[0]
	if got := s.Sentence(); got != "the disk of the folder /srv/data has 10 B free of 1.0 MiB: new machines and uploads are refused until there is more" {
		t.Error(got)
	}
	known = false
	if err := w.Look(t.Context()); err == nil || w.RefusesMachines() {
		t.Errorf("a disk that is not known refuses machines: %v", err)
	}
}

func TestOnlyTheDiskOfTheDatabaseRefusesMachines(t *testing.T) {
	w := New(Options{
		Folders: []Folder{{Name: "payloads", Dir: "/srv/payloads", Uploads: true}}, Bounds: Bounds{Warn: 100, Reserve: 50},
		Space: func(string) (int64, int64, bool) { return 0, 1000, true },
	})
	if s := w.States()[0]; w.RefusesMachines() || !s.Tight() || !strings.HasSuffix(s.Sentence(), "uploads are refused until there is more") {
		t.Errorf("%+v", s)
	}
	var none *Watch
	if none.RefusesMachines() || none.States() != nil || none.Look(t.Context()) != nil || none.Refused() != 0 {
		t.Error("without a watch something is refused")
	}
}

func TestBytesAreShortened(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1536: "1.5 KiB", 1 << 30: "1.0 GiB", 5 << 40: "5.0 TiB", 5000 << 40: "5000.0 TiB"} {
		if got := Bytes(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}

// A disk that does not answer keeps nothing else waiting, and is as it was.
func TestSilentDiskIsAsItWas(t *testing.T) {
	release := make(chan struct{})
	var silent atomic.Bool
	w := New(Options{
		Folders: []Folder{{Name: "data", Dir: "/srv/data", Machines: true}}, Bounds: Bounds{Warn: 100, Reserve: 50},
		Space: func(string) (int64, int64, bool) {
			if silent.Load() {
				<-release
			}
			return 10, 1000, true
		},
	})
	silent.Store(true)
	for range 2 { // the second finds that the first waits still
		if err := w.Look(t.Context()); err == nil || !strings.Contains(err.Error(), "/srv/data does not answer") {
			t.Errorf("%v", err)
		}
	}
	if s := w.States()[0]; s.Free != 10 || !w.RefusesMachines() {
		t.Errorf("%+v", s)
	}
	silent.Store(false)
	close(release)
	for w.Look(t.Context()) != nil { // until the first question has ended
		time.Sleep(time.Millisecond)
	}
}
