package omaha

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coreroller/coreroller/fleet/checkin"
)

var update = flag.Bool("update", false, "rewrite the asked and answer sections of testdata/*.txt")

// TestStories plays testdata/*.txt: what documented clients send, byte for
// byte, and what they are answered. A file is a comment and any number of
// exchanges, each of four sections:
//
//	---- fleet     the script of the fake fleet, see scripted
//	---- request   the body
//	---- asked     what the fleet was asked
//	---- answer    status, content type, empty line, body
func TestStories(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no stories: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := playStory(t, string(raw))
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got != string(raw) {
				t.Errorf("%s differs (see it with -update and git diff); got:\n%s", file, got)
			}
		})
	}
}

// playStory returns the file with its results filled in.
func playStory(t *testing.T, file string) string {
	const mark = "---- "
	parts := strings.Split(file, "\n"+mark)
	var out strings.Builder
	out.WriteString(parts[0] + "\n")
	var f *fakeFleet
	for _, part := range parts[1:] {
		name, content, _ := strings.Cut(part, "\n")
		switch name {
		case "fleet":
			f = &fakeFleet{}
			for line := range strings.Lines(content) {
				f.script = append(f.script, strings.TrimSuffix(line, "\n"))
			}
			out.WriteString(mark + "fleet\n" + strings.Join(f.script, "\n") + "\n")
		case "request":
			w := post(newTestHandler(t, f, Options{}), content)
			if len(f.script) > 0 {
				t.Errorf("the fleet was not asked for %q", f.script)
			}
			out.WriteString(mark + "request\n" + content + "\n" + mark + "asked\n")
			for _, in := range f.asked {
				out.WriteString(describe(in))
			}
			fmt.Fprintf(&out, "%sanswer\nHTTP %d\n%s\n\n%s", mark, w.Code, w.Header().Get("Content-Type"), w.Body)
		case "asked", "answer": // written above
		default:
			t.Fatalf("section %q", name)
		}
	}
	return out.String()
}

// describe prints what is set in a check-in.
func describe(in checkin.CheckIn) string {
	var b strings.Builder
	fmt.Fprintf(&b, "app %q version %q machine %q track %q\n", in.AppID, in.Version, in.Machine, in.Track)
	line := func(set bool, format string, args ...any) {
		if set {
			fmt.Fprintf(&b, "  "+format+"\n", args...)
		}
	}
	line(in.Board != "", "board %q", in.Board)
	line(in.Arch != "", "arch %q", in.Arch)
	for _, p := range []struct {
		name  string
		value *string
	}{{"alias", in.Alias}, {"oem", in.OEM}, {"oemversion", in.OEMVersion}, {"aleph", in.AlephVersion}} {
		if p.value != nil {
			line(true, "%s %q", p.name, *p.value)
		}
	}
	line(in.OnDemand, "on demand")
	for _, e := range in.Events {
		previous := "none"
		if e.HasPrevious {
			previous = fmt.Sprintf("%q", e.PreviousVersion)
		}
		line(true, "event %d/%d code %d previous %s", e.Type, e.Result, e.Code, previous)
	}
	line(in.Ping, "ping")
	line(in.UpdateCheck, "updatecheck")
	line(in.MultiManifest, "all manifests at once")
	return b.String()
}
