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

var update = flag.Bool("update", false, "rewrite the check-in and response sections of testdata/*.txt")

// TestGoldenFiles runs testdata/*.txt: requests of documented clients, byte for
// byte, with their responses. A file is a comment and any number of exchanges, each
// of four sections:
//
//	---- fleet      the script of the fake fleet, see scripted
//	---- request    the body
//	---- check-in   the arguments of the fleet
//	---- response   status, content type, empty line, body
func TestGoldenFiles(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := runGolden(t, string(raw))
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got != string(raw) {
				t.Errorf("%s differs (run with -update and compare with git diff); got:\n%s", file, got)
			}
		})
	}
}

// runGolden returns the file with the actual check-ins and responses.
func runGolden(t *testing.T, file string) string {
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
				t.Errorf("no check-in used %q", f.script)
			}
			out.WriteString(mark + "request\n" + content + "\n" + mark + "check-in\n")
			for _, in := range f.checkIns {
				out.WriteString(describe(in))
			}
			fmt.Fprintf(&out, "%sresponse\nHTTP %d\n%s\n\n%s", mark, w.Code, w.Header().Get("Content-Type"), w.Body)
		case "check-in", "response": // written above
		default:
			t.Fatalf("unknown section %q", name)
		}
	}
	return out.String()
}

// describe prints the fields of a check-in that are set.
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
	line(in.Disabled, "updates disabled")
	line(in.Prefix != "", "prefix %q", in.Prefix)
	line(in.MultiManifest, "all manifests at once")
	line(in.Withdrawals, "the state of the channel")
	line(in.Syncer, "a syncer, if the machine id is in braces")
	return b.String()
}
