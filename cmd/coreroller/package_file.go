package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/remote/payload"
)

// versionFolder is a folder of a URL whose name is a version.
var versionFolder = regexp.MustCompile(`^\d+(\.\d+){1,3}([-+][0-9A-Za-z.+-]+)?$`)

// sourceFile is a file to read: a URL or a local file.
type sourceFile struct {
	folder string // with the separator at its end
	name   string
	remote bool
}

// beside returns another file of the same folder.
func (f sourceFile) beside(name string) sourceFile { f.name = name; return f }

// complete sets what the command line omits, and returns the file to read.
func (a *addPackage) complete(source string) (sourceFile, error) {
	file := sourceFile{remote: strings.HasPrefix(source, "http://") || strings.HasPrefix(source, "https://")}
	if file.remote {
		u, err := url.Parse(source)
		if err != nil || u.RawQuery != "" || u.Fragment != "" || u.User != nil || strings.HasSuffix(source, "/") || strings.Count(source, "/") < 3 {
			return file, fmt.Errorf("%q is not the URL of a file: use the form https://example.com/1.2.3/file.gz, without a query or password", source)
		}
		file.folder, file.name = source[:strings.LastIndex(source, "/")+1], path.Base(source)
	} else {
		file.folder, file.name = filepath.Split(source)
	}
	a.input.Filename, a.input.URL = file.name, a.folder
	if a.input.URL == "" && file.remote {
		a.input.URL = file.folder
	}
	if a.input.URL == "" {
		return file, errors.New("--folder is missing: the URL of the folder from which machines download the file")
	}
	folders := strings.Split(a.input.URL, "/")
	if a.input.Arch == "" {
		a.input.Arch = "amd64"
		if slices.Contains(folders, "arm64-usr") {
			a.input.Arch = "arm64"
		}
	}
	if i := slices.IndexFunc(folders, versionFolder.MatchString); a.input.Version == "" && i >= 0 {
		a.input.Version = folders[i]
	}
	if a.input.Version == "" {
		return file, errors.New("--version is missing, and no folder of the URL is a version")
	}
	return file, a.completeType()
}

// completeType translates the type to the name of the API.
func (a *addPackage) completeType() error {
	switch a.input.Type {
	case "operating-system", "docker", "rkt", "other":
		a.input.Type = strings.ToUpper(strings.ReplaceAll(a.input.Type, "-", "_"))
	case "":
		a.input.Type = "OTHER"
		if a.app == catalog.FlatcarID().String() {
			a.input.Type = "OPERATING_SYSTEM"
		}
	default:
		return fmt.Errorf("--type is %q: use operating-system, docker, rkt or other", a.input.Type)
	}
	return nil
}

// read reads the first file and the additional ones.
func (a *addPackage) read(ctx context.Context, p process, first sourceFile) error {
	facts, err := first.read(ctx, p.Stderr)
	if err != nil {
		return err
	}
	a.input.Size, a.input.SHA1, a.input.SHA256 = facts.Size, facts.SHA1, facts.SHA256
	for _, name := range a.files {
		facts, err := first.beside(name).read(ctx, p.Stderr)
		if err != nil {
			return err
		}
		a.input.Files = append(a.input.Files, fileFact{Name: name, Size: facts.Size, SHA1: facts.SHA1, SHA256: facts.SHA256})
	}
	return nil
}

func (f sourceFile) read(ctx context.Context, out *os.File) (payload.Facts, error) {
	shown := &progress{out: out, terminal: term.IsTerminal(int(out.Fd())), name: f.name, at: time.Now()}
	defer shown.end()
	if f.remote {
		facts, err := payload.NewUnlimitedFetcher(payload.DefaultLimits()).Fetch(ctx, f.folder+f.name, shown.show)
		if err != nil {
			return facts, fmt.Errorf("%s%s: %w", f.folder, f.name, err)
		}
		return facts, nil
	}
	file, err := os.Open(f.folder + f.name)
	if err != nil {
		return payload.Facts{}, err
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return payload.Facts{}, err
	}
	if info.Size() == 0 {
		return payload.Facts{}, fmt.Errorf("%s is empty", file.Name())
	}
	return payload.Read(untilDone{ctx, file}, info.Size(), shown.show)
}

// untilDone is a reader that ends with a context.
type untilDone struct {
	ctx context.Context //nolint:containedctx // of one read
	r   io.Reader
}

func (u untilDone) Read(p []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.r.Read(p)
}

// progress prints how much of a file is read: one changing line on a terminal, else
// a line every tenth of the file or, if its size is not known, every 10 s.
type progress struct {
	out      *os.File
	terminal bool
	name     string
	at       time.Time // of the last line
	tenth    int64     // that the last line reported
	open     bool      // the line on the terminal has no end yet
}

func (s *progress) show(done, total int64) {
	line, tenth := fmt.Sprintf("%s: %d bytes", s.name, done), int64(0)
	if total > 0 {
		line, tenth = fmt.Sprintf("%s: %d of %d bytes (%d %%)", s.name, done, total, 100*done/total), 10*done/total
	}
	switch {
	case s.terminal && (done == total || time.Since(s.at) > 200*time.Millisecond):
		_, _ = fmt.Fprintf(s.out, "\r\x1b[K%s", line)
		s.open = true
	case !s.terminal && (tenth > s.tenth || total == 0 && time.Since(s.at) > 10*time.Second):
		_, _ = fmt.Fprintln(s.out, line)
	default:
		return
	}
	s.at, s.tenth = time.Now(), tenth
}

func (s *progress) end() {
	if s.open {
		_, _ = fmt.Fprintln(s.out)
	}
}
