package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// openTerminal returns the two ends of a new terminal: what a person sees and types, and
// what a program uses.
func openTerminal(t *testing.T) (person, program *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = person.Close() })
	control := func(request uintptr, value *uint32) {
		if _, _, e := syscall.Syscall(syscall.SYS_IOCTL, person.Fd(), request, uintptr(unsafe.Pointer(value))); e != 0 {
			t.Fatal(e)
		}
	}
	var unlocked, number uint32
	control(0x40045431, &unlocked) // TIOCSPTLCK
	control(0x80045430, &number)   // TIOCGPTN
	program, err = os.OpenFile(fmt.Sprint("/dev/pts/", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = program.Close() })
	size := [4]uint16{40, 140}
	if _, _, e := syscall.Syscall(syscall.SYS_IOCTL, program.Fd(), syscall.TIOCSWINSZ, uintptr(unsafe.Pointer(&size))); e != 0 {
		t.Fatal(e)
	}
	return person, program
}

// seen collects what a terminal shows.
type seen struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *seen) Write(data []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(data)
}

// until waits until the terminal shows a text that it has not shown before.
func (s *seen) until(t *testing.T, text string) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		s.mu.Lock()
		all := s.text.String()
		if _, rest, found := strings.Cut(all, text); found {
			s.text.Reset()
			s.text.WriteString(rest)
			s.mu.Unlock()
			return
		}
		s.mu.Unlock()
		if time.Now().After(end) {
			t.Fatalf("the terminal does not show %q: %q", text, all)
		}
	}
}

func TestKeysOfWatchNeedAReasonAndAConfirmation(t *testing.T) {
	p := startProgram(t, "")
	k := newTestGroup(t, p.fleet, p.store, fastPolicy(1))
	r := remoteUser(t, p, "admin")
	person, program := openTerminal(t)
	stderr, err := os.Create(filepath.Join(t.TempDir(), "err"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stderr.Close() }()
	done := make(chan int, 1)
	go func() {
		done <- run(t.Context(), process{Environ: r.environ, Stdin: program, Stdout: program, Stderr: stderr}, []string{"watch", "production"})
	}()
	screen := &seen{}
	go func() { _, _ = io.Copy(screen, person) }()
	press := func(keys string) {
		t.Helper()
		if _, err := person.WriteString(keys); err != nil {
			t.Fatal(err)
		}
	}
	screen.until(t, "p pause   n next wave   h halt   o page   q quit")
	checkIn(t, p, k, "web-1")
	screen.until(t, "100.0 %")

	press("p\rmigratiom\x7fn\r") // an empty reason is not accepted
	screen.until(t, "because migration?")
	press("n")
	screen.until(t, "Nothing was changed.")
	if text := r.run(0, []string{"groups"}, "production"); strings.Contains(text, "paused") {
		t.Errorf("without a confirmation: %s", text)
	}

	press("pmigration\ry")
	screen.until(t, "is paused.")
	r.run(0, []string{"groups"}, "paused")
	r.run(0, []string{"resume", "production", "--reason", "migration is done"})
	screen.until(t, "migration is done") // the latest activity

	press("nno waves\ry")
	screen.until(t, "✗ ")
	press("o")
	screen.until(t, p.URL()+"/apps/")
	press("q")
	if code := <-done; code != 0 {
		text, _ := os.ReadFile(stderr.Name())
		t.Errorf("exit code %d: %s", code, text)
	}
}
