package rest_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/store/storetest"
)

var update = flag.Bool("update", false, "rewrite the responses in testdata: read the difference")

// The files in testdata are recorded conversations: each response is compared field
// by field, on both databases. A line of a file is
//
//	# a comment
//	! as NAME:PASSWORD      credentials of the next requests; "none" sends no credentials
//	! wait DURATION         advances the clock; each request also advances it by a second
//	! work                  runs the background work once
//	! machine ID VERSION GROUP [XML]  sends an Omaha request; default: update check
//	! save NAME PATH        names a value of the last response; later lines contain {NAME} instead
//	>>> METHOD PATH         a request, its headers ("Name: value") and its body
//	<<< STATUS              the response
//
// Ids that were not saved are written {id}.
func TestConversations(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	more, _ := filepath.Glob("testdata/nebraska/*.txt")
	files = append(files, more...)
	if err != nil || len(files) < 15 {
		t.Fatalf("%d conversations, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(strings.TrimPrefix(file, "testdata/"), ".txt"), func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, url string) {
				text, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				c := &conversation{site: newSite(t, url), who: "admin:admin", names: map[string]string{"flatcar": catalog.FlatcarID().String()}}
				was := string(text)
				is := c.play(was)
				if *update && strings.HasSuffix(t.Name(), "sqlite") {
					if err := os.WriteFile(file, []byte(is), 0o600); err != nil {
						t.Fatal(err)
					}
					return
				}
				if is != was {
					t.Errorf("%s differs:\n%s", file, firstDifference(was, is))
				}
			})
		})
	}
}

// conversation runs one file.
type conversation struct {
	*site
	who    string
	names  map[string]string // by name
	answer any               // the last response
}

var uuidPattern = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)

// play sends the requests of the file and returns the file with the responses.
func (c *conversation) play(text string) string {
	c.t.Helper()
	var out strings.Builder
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		if !strings.HasPrefix(line, ">>> ") {
			out.WriteString(line + "\n")
			if command, ok := strings.CutPrefix(line, "! "); ok {
				c.command(&out, strings.Fields(command))
			}
			if strings.HasPrefix(line, "! machine") { // the recorded answer
				for i+1 < len(lines) && strings.HasPrefix(lines[i+1], "    ") {
					i++
				}
			}
			continue
		}
		end := i + 1
		for end < len(lines) && !strings.HasPrefix(lines[end], "<<<") && !strings.HasPrefix(lines[end], ">>> ") && !strings.HasPrefix(lines[end], "! ") {
			end++
		}
		out.WriteString(strings.Join(lines[i:end], "\n") + "\n")
		answer := c.say(lines[i], lines[i+1:end])
		for end < len(lines) && !strings.HasPrefix(lines[end], ">>> ") && !strings.HasPrefix(lines[end], "! ") && !strings.HasPrefix(lines[end], "#") {
			end++ // the response as it was
		}
		for n := end; n < len(lines) && strings.HasPrefix(lines[n], "! save "); n++ {
			c.save(strings.Fields(lines[n])[2:])
		}
		out.WriteString(c.written(answer))
		i = end - 1
	}
	return out.String()
}

func (c *conversation) command(out *strings.Builder, args []string) {
	c.t.Helper()
	switch args[0] {
	case "as":
		if c.who = args[1]; c.who == "none" {
			c.who = ""
		}
	case "wait":
		d, err := time.ParseDuration(args[1])
		c.ok(err)
		c.wait(d)
	case "work":
		c.ok(c.Upkeep.Work(c.ctx))
	case "save":
	case "machine":
		c.wait(time.Second)
		inside := "<ping/><updatecheck/>"
		if len(args) > 4 {
			inside = strings.Join(args[4:], " ")
		}
		answer := c.machine(args[1], args[2], c.filled(args[3]), c.filled(inside))
		for _, part := range regexp.MustCompile(`<updatecheck [^>]*>|<manifest [^>]*>|<url [^>]*>|<package [^>]*>|<action event="postinstall"[^>]*>`).FindAllString(answer, -1) {
			fmt.Fprintf(out, "    %s\n", part)
		}
	default:
		c.t.Fatalf("unknown command %q", args)
	}
}

// save names a value of the last response: "name path", with a path such as
// 0.channel.id.
func (c *conversation) save(args []string) {
	c.t.Helper()
	v := c.answer
	for part := range strings.SplitSeq(args[1], ".") {
		switch x := v.(type) {
		case map[string]any:
			v = x[part]
		case []any:
			n, err := strconv.Atoi(part)
			c.ok(err)
			if n >= len(x) {
				c.t.Fatalf("no entry %d for %v in %v", n, args, c.answer)
			}
			v = x[n]
		}
	}
	text, ok := v.(string)
	if !ok {
		c.t.Fatalf("no value for %v in %v", args, c.answer)
	}
	c.names[args[0]] = text
}

// filled replaces names by their values.
func (c *conversation) filled(text string) string {
	for name, value := range c.names {
		text = strings.ReplaceAll(text, "{"+name+"}", value)
	}
	return text
}

func (c *conversation) say(line string, rest []string) reply {
	c.t.Helper()
	c.wait(time.Second)
	method, path, _ := strings.Cut(strings.TrimPrefix(line, ">>> "), " ")
	var header []string
	for len(rest) > 0 {
		name, value, ok := strings.Cut(rest[0], ": ")
		if !ok || strings.ContainsAny(name, `{}[]" `) {
			break
		}
		header, rest = append(header, name, c.filled(value)), rest[1:]
	}
	var body io.Reader = http.NoBody
	switch text := strings.Join(rest, "\n"); {
	case strings.HasPrefix(text, "10 MB of "):
		body = strings.NewReader(`{"name":"` + strings.Repeat("x", 10<<20) + `"}`)
	case strings.HasPrefix(text, "Go "): // invalid UTF-8
		bytes, err := strconv.Unquote(strings.TrimPrefix(text, "Go "))
		c.ok(err)
		body = strings.NewReader(bytes)
	case text != "":
		body = strings.NewReader(c.filled(text))
	}
	r := c.ask(c.who, method, c.filled(path), body, header...)
	c.answer = nil
	_ = json.Unmarshal(r.data, &c.answer)
	return r
}

// written formats a response for the file.
func (c *conversation) written(r reply) string {
	var b strings.Builder
	fmt.Fprintf(&b, "<<< %d\n", r.status)
	for _, name := range []string{"Content-Type", "X-Authenticated-Username", "WWW-Authenticate", "Allow"} {
		if v := r.header.Get(name); v != "" {
			fmt.Fprintf(&b, "%s: %s\n", name, v)
		}
	}
	data := r.data
	var pretty bytes.Buffer
	if json.Indent(&pretty, bytes.TrimSpace(data), "", "  ") == nil {
		data = pretty.Bytes()
	}
	text := string(data)
	names := make([]string, 0, len(c.names))
	for name := range c.names {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if uuidPattern.MatchString(c.names[name]) {
			text = strings.ReplaceAll(text, c.names[name], "{"+name+"}")
		}
	}
	text = uuidPattern.ReplaceAllStringFunc(text, func(id string) string {
		if wellKnown(id) {
			return id
		}
		return "{id}"
	})
	if text != "" {
		b.WriteString(text + "\n")
	}
	b.WriteString("\n")
	return b.String()
}

// wellKnown reports whether an id is the same in every new database.
func wellKnown(id string) bool { return id[14] != '7' }

func firstDifference(was, is string) string {
	w, i := strings.Split(was, "\n"), strings.Split(is, "\n")
	for n := range min(len(w), len(i)) {
		if w[n] != i[n] {
			from := max(0, n-8)
			return fmt.Sprintf("line %d\n%s\nwas  %s\nis   %s\nand then\n%s", n+1, strings.Join(i[from:n], "\n"), w[n], i[n], strings.Join(i[n+1:min(n+8, len(i))], "\n"))
		}
	}
	return fmt.Sprintf("%d lines were, %d are", len(w), len(i))
}
