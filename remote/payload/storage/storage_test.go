package storage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

const helloSHA256 = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"

var at = time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)

func newStaging(t *testing.T) *Staging {
	t.Helper()
	s, err := NewStaging(filepath.Join(t.TempDir(), "incoming"), DefaultReserve)
	if err != nil {
		t.Fatal(err)
	}
	s.free = func(string) (int64, bool) { return 1 << 40, true }
	return s
}

func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// files returns the names of all files below a folder.
func files(t *testing.T, root string) (all []string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			all = append(all, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// checkStorage checks what every Storage does.
func checkStorage(t *testing.T, to Storage) {
	t.Helper()
	staging := newStaging(t)
	for range 2 { // the second time the content is there already
		d := must(staging.Create(at, 6, nil))(t)
		must(io.WriteString(d, "hello\n"))(t)
		if err := d.Keep(t.Context(), to); err != nil {
			t.Fatal(err)
		}
	}
	if left := files(t, staging.dir); len(left) > 0 {
		t.Errorf("the draft stays: %v", left)
	}
	all := must(to.List(t.Context()))(t)
	if len(all) != 1 || all[0].SHA256 != helloSHA256 || all[0].Size != 6 || time.Since(all[0].Since) > time.Hour {
		t.Errorf("list: %+v", all)
	}
	r := must(to.Open(t.Context(), helloSHA256, 6))(t)
	if end := must(r.Seek(0, io.SeekEnd))(t); end != 6 {
		t.Errorf("end %d", end)
	}
	must(r.Seek(2, io.SeekStart))(t)
	if text := must(io.ReadAll(r))(t); string(text) != "llo\n" {
		t.Errorf("read %q", text)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if _, err := to.Open(t.Context(), helloSHA256, 7); err == nil || errors.Is(err, ErrMissing) {
		t.Errorf("another size: %v", err)
	}
	for range 2 {
		if err := to.Delete(t.Context(), helloSHA256); err != nil {
			t.Error(err)
		}
	}
	if _, err := to.Open(t.Context(), helloSHA256, 6); !errors.Is(err, ErrMissing) {
		t.Errorf("a deleted file: %v", err)
	}
	if all := must(to.List(t.Context()))(t); len(all) != 0 {
		t.Errorf("list: %+v", all)
	}
}

func TestDirectory(t *testing.T) {
	d := must(NewDirectory(filepath.Join(t.TempDir(), "a", "files")))(t)
	checkStorage(t, d)
	if free, known := d.Free(); !known || free <= 0 {
		t.Errorf("free: %d %v", free, known)
	}
}

func TestDraftContinues(t *testing.T) {
	s := newStaging(t)
	d := must(s.Create(at, 6, map[string]string{"name": "hello.txt"}))(t)
	must(io.WriteString(d, "hel"))(t)
	if _, err := s.Open(d.ID); !errors.Is(err, ErrBusy) {
		t.Errorf("a second writer: %v", err)
	}
	if err := d.Pause(at.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	state := must(s.State(d.ID))(t)
	if state.Offset != 3 || state.Length != 6 || string(state.Note) != `{"name":"hello.txt"}` || !state.Touched.Equal(at.Add(time.Minute)) {
		t.Errorf("%+v", state)
	}
	// Bytes that were written before a crash, without the state, are kept.
	f := must(os.OpenFile(s.path(d.ID), os.O_APPEND|os.O_WRONLY, 0))(t)
	must(f.WriteString("l"))(t)
	_ = f.Close()
	again := must(s.Open(d.ID))(t)
	if again.Offset != 4 || again.Complete() {
		t.Errorf("offset %d", again.Offset)
	}
	must(io.WriteString(again, "o\n"))(t)
	if facts := again.Facts(); facts.SHA256 != helloSHA256 || facts.Size != 6 || !again.Complete() {
		t.Errorf("%+v", facts)
	}
	if _, err := io.WriteString(again, "x"); !errors.Is(err, ErrTooLong) {
		t.Errorf("more than announced: %v", err)
	}
	// Power was lost: less is on disk than the state says.
	if err := again.Pause(at); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(s.path(d.ID), 2); err != nil {
		t.Fatal(err)
	}
	third := must(s.Open(d.ID))(t)
	must(io.WriteString(third, "llo\n"))(t)
	if third.Facts().SHA256 != helloSHA256 {
		t.Errorf("after lost bytes: %+v", third.Facts())
	}
	if err := third.Restart(); err != nil {
		t.Fatal(err)
	}
	must(io.WriteString(third, "hello\n"))(t)
	if head := must(third.Head(4))(t); string(head) != "hell" || third.Facts().SHA256 != helloSHA256 {
		t.Errorf("after a restart: %q %+v", head, third.Facts())
	}
	if err := third.Remove(); err != nil || third.Remove() != nil {
		t.Error(err)
	}
	for _, id := range []string{d.ID, "../incoming", "", "x.json"} {
		if _, err := s.Open(id); !errors.Is(err, ErrMissing) {
			t.Errorf("%q: %v", id, err)
		}
	}
}

// brokenDisk writes some bytes and is full then.
type brokenDisk struct {
	io.Writer
	left int
}

func (b *brokenDisk) Write(data []byte) (int, error) {
	n, err := b.Writer.Write(data[:min(len(data), b.left)])
	if b.left -= n; err == nil && n < len(data) {
		err = &os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}
	}
	return n, err
}

func TestFullDisk(t *testing.T) {
	s := newStaging(t)
	s.wrap = func(w io.Writer) io.Writer { return &brokenDisk{w, 4} }
	d := must(s.Create(at, 6, nil))(t)
	_, err := io.WriteString(d, "hello\n")
	if _, is := errors.AsType[*FullError](err); !is || d.Offset != 4 {
		t.Errorf("%v at %d", err, d.Offset)
	}
	if err := d.Remove(); err != nil {
		t.Error(err)
	}
	if left := files(t, s.dir); len(left) > 0 {
		t.Errorf("left: %v", left)
	}

	s.wrap = func(w io.Writer) io.Writer { return w }
	// Room is kept for what is announced already, and for the system.
	s.free = func(string) (int64, bool) { return DefaultReserve + 100, true }
	first := must(s.Create(at, 60, nil))(t)
	if _, err := s.Create(at, 41, nil); err == nil || !strings.Contains(err.Error(), "has no room for 101 more bytes") {
		t.Errorf("%v", err)
	}
	if err := must(s.Create(at, 40, nil))(t).Remove(); err != nil {
		t.Error(err)
	}
	s.free = func(string) (int64, bool) { return DefaultReserve, true }
	if _, err := first.Write(make([]byte, 10)); err != nil { // looked at when it was created
		t.Error(err)
	}
	first.sinceRoom = 1
	if _, err := first.Write(make([]byte, 10)); err == nil {
		t.Error("the disk filled up meanwhile")
	}
	_ = first.Remove()
}

func TestOldDraftsExpire(t *testing.T) {
	s := newStaging(t)
	now := time.Now()
	pause := func(d *Draft, at time.Time) string {
		if err := d.Pause(at); err != nil {
			t.Fatal(err)
		}
		return d.ID
	}
	old := pause(must(s.Create(now, 6, nil))(t), now.Add(-2*time.Hour))
	young := pause(must(s.Create(now, 6, nil))(t), now)
	busy := must(s.Create(now.Add(-2*time.Hour), 6, nil))(t)
	for _, name := range []string{"junk", young + ".json.new"} {
		if err := os.WriteFile(s.path(name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range files(t, s.dir) {
		if err := os.Chtimes(name, now.Add(-2*time.Hour), now.Add(-2*time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Expire(now.Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	all := must(s.List())(t)
	if len(all) != 2 || len(files(t, s.dir)) != 4 {
		t.Errorf("%d drafts, files %v", len(all), files(t, s.dir))
	}
	if _, err := s.State(old); !errors.Is(err, ErrMissing) {
		t.Errorf("the old draft: %v", err)
	}
	if err := errors.Join(busy.Remove(), s.Expire(now.Add(time.Hour))); err != nil || len(files(t, s.dir)) != 0 {
		t.Errorf("%v: %v", err, files(t, s.dir))
	}
}

func TestStorageErrorLeavesNothing(t *testing.T) {
	s := newStaging(t)
	d := must(s.Create(at, -1, nil))(t)
	must(io.WriteString(d, "hello\n"))(t)
	err := d.Keep(t.Context(), refusing{})
	if err == nil || len(files(t, s.dir)) != 2 {
		t.Errorf("%v: the draft must stay until the caller removes it", err)
	}
	if err := d.Remove(); err != nil || len(files(t, s.dir)) != 0 {
		t.Error(err)
	}
}

type refusing struct{ Storage }

func (refusing) Keep(context.Context, string, string) error { return fmt.Errorf("refused") }
