package client

import (
	"context"
	"crypto/sha1" //nolint:gosec // Omaha's digest
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/coreroller/coreroller/client/api"
)

// push is the command line of `coreroller package push`.
type push struct {
	where                                    scope
	version, kind, name, description, reason string
}

func pushCommand(t Terminal) *cobra.Command {
	var p push
	cmd := t.command("push FILE", "upload the file of a package; machines fetch it from the server", `
Uploads a file to the server. If the application has no package of the version, it is created with the
size and the digests of the file; otherwise the file must be the one that the package describes. After a
broken connection the upload goes on; run the same command again if it was interrupted.`,
		`  coreroller package push agent.tar.gz --app io.example.agent --version 3.8.0
  coreroller package push flatcar_production_update.gz --app "Flatcar Container Linux" --version 4459.2.1 --arch arm64
  coreroller package push oem-azure.gz --app "Flatcar Container Linux" --version 4459.2.1`,
		func(ctx context.Context, s *session, args []string) error { return p.run(ctx, s, args[0]) })
	p.where.flags(cmd)
	f := cmd.Flags()
	f.StringVar(&p.version, "version", "", "version of the package")
	f.StringVar(&p.kind, "type", "", "type of a new package: operating-system, docker, rkt or other; default: operating-system for an update payload, else other")
	f.StringVar(&p.name, "name", "", "name of the file in the package; default: that of the file")
	f.StringVar(&p.description, "description", "", "description of a new package")
	reasonFlag(cmd, &p.reason)
	return cmd
}

// localFile is what the command knows about the file.
type localFile struct {
	file         *os.File
	size         int64
	sha1, sha256 string
	update       bool // it begins like a payload of update_engine
}

func (p *push) run(ctx context.Context, s *session, path string) error {
	if p.version == "" {
		return usage("--version is missing: the version of the package")
	}
	if p.name == "" {
		p.name = filepath.Base(path)
	}
	app, err := s.findApplication(ctx, p.where.app)
	if err != nil {
		return err
	}
	file, err := os.Open(path) //nolint:gosec // G304: the user names the file
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	local, err := p.read(ctx, s, file)
	if err != nil {
		return err
	}
	pkg, made, err := p.find(ctx, s, app, local)
	if err != nil {
		return err
	}
	url, err := p.send(ctx, s, pkg, local)
	if err != nil {
		return err
	}
	done := map[string]any{"packageId": pkg, "created": made, "url": url + p.name, "size": local.size, "sha256": local.sha256}
	return s.show(done, func() {
		if made {
			s.line("%s Package %s of %s was created.", ink{"✓", green}, p.version, app.Name)
		}
		s.line("%s %s is stored: %s", ink{"✓", green}, p.name, url+p.name)
	})
}

// read computes the digests of the file.
func (p *push) read(ctx context.Context, s *session, file *os.File) (*localFile, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() == 0 {
		return nil, fmt.Errorf("%s is no file, or empty", file.Name())
	}
	head := make([]byte, len(updateMagic))
	if _, err := file.ReadAt(head, 0); err != nil && err != io.EOF {
		return nil, err
	}
	short, long := sha1.New(), sha256.New() //nolint:gosec // Omaha's digest
	bar := s.transfer("Reading " + p.name)
	defer bar.end()
	block, done := make([]byte, 1<<20), int64(0)
	for {
		n, err := file.Read(block)
		_, _ = short.Write(block[:n]) // documented never to fail
		_, _ = long.Write(block[:n])
		done += int64(n)
		bar.show(done, info.Size())
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case err == io.EOF:
			return &localFile{
				file: file, size: done, update: string(head) == updateMagic,
				sha1: base64.StdEncoding.EncodeToString(short.Sum(nil)), sha256: hex.EncodeToString(long.Sum(nil)),
			}, nil
		case err != nil:
			return nil, err
		}
	}
}

// updateMagic begins the payload of update_engine.
const updateMagic = "CrAU"

// find returns the id of the package, which it creates if it is missing.
func (p *push) find(ctx context.Context, s *session, app *application, f *localFile) (id string, made bool, err error) {
	arch := p.where.arch
	if arch == "" {
		arch = "amd64"
	}
	type answer struct {
		Application *struct {
			Packages struct{ Nodes []packageRow }
		}
	}
	found, err := read[answer](ctx, s, `query($id: ID!, $filter: PackageFilter!) {
  application(id: $id) { packages(filter: $filter, first: 500) { nodes { id version } } } }`,
		map[string]any{"id": app.ID, "filter": map[string]any{"arch": arch, "version": p.version}})
	if err != nil {
		return "", false, err
	}
	if found.Application != nil {
		for _, row := range found.Application.Packages.Nodes {
			if row.Version == p.version {
				return row.ID, false, nil
			}
		}
	}
	kind := p.kind
	if kind == "" {
		if kind = "other"; f.update {
			kind = "operating-system"
		}
	}
	created, err := read[struct {
		CreatePackage struct{ Package struct{ ID string } }
	}](ctx, s, `mutation($input: CreatePackageInput!) { createPackage(input: $input) { package { id } userErrors { code field message } } }`,
		map[string]any{"input": map[string]any{
			"applicationId": app.ID, "version": p.version, "arch": arch, "type": enumInput(kind), "hosted": true,
			"filename": p.name, "size": f.size, "sha1": f.sha1, "sha256": f.sha256, "description": p.description,
		}})
	return created.CreatePackage.Package.ID, true, err
}

// send uploads the file. It continues an upload of the same file that was interrupted.
func (p *push) send(ctx context.Context, s *session, pkg string, f *localFile) (string, error) {
	memory := interruptedUpload(s.URL, pkg, p.name, f.sha256)
	bar := s.transfer("Sending " + p.name)
	defer bar.end()
	url, err := s.Send(ctx, api.Upload{
		PackageID: pkg, Name: p.name, Reason: p.reason, File: f.file, Size: f.size,
		Path: memory.read(), Begun: memory.write, Progress: bar.show,
	})
	if err == nil || api.Code(err) != "" {
		memory.forget()
	}
	return url, err
}

// uploadMemory is the file in which the path of an upload is kept until it is complete, so
// that the next command can continue it. Without a folder for it nothing is kept.
type uploadMemory string

func interruptedUpload(parts ...string) uploadMemory {
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	name := sha256.New()
	for _, part := range parts {
		_, _ = fmt.Fprintf(name, "%q", part)
	}
	return uploadMemory(filepath.Join(dir, "coreroller", "uploads", hex.EncodeToString(name.Sum(nil))))
}

func (m uploadMemory) read() string {
	text, err := os.ReadFile(string(m))
	if err != nil {
		return ""
	}
	return string(text)
}

func (m uploadMemory) write(path string) {
	if m == "" || os.MkdirAll(filepath.Dir(string(m)), 0o700) != nil {
		return
	}
	_ = os.WriteFile(string(m), []byte(path), 0o600) // only the continuation is lost
}

func (m uploadMemory) forget() {
	if m != "" {
		_ = os.Remove(string(m)) // the server has forgotten the upload, too
	}
}

// transferBar shows how much of a file is done: one changing line on a terminal, nothing elsewhere.
type transferBar struct {
	out   io.Writer // nil: nothing is shown
	title string
	at    time.Time // of the last line
	open  bool
}

func (s *session) transfer(title string) *transferBar {
	b := &transferBar{title: title}
	if s.format == "table" && isTerminal(s.terminal.Stderr) {
		b.out = s.terminal.Stderr
	}
	return b
}

// barWidth is the number of characters of a full bar.
const barWidth = 30

func (b *transferBar) show(done, total int64) {
	if b.out == nil || total <= 0 || done < total && time.Since(b.at) < 200*time.Millisecond {
		return
	}
	full := int(done * barWidth / total)
	line := make([]rune, barWidth)
	for i := range line {
		if line[i] = '·'; i < full {
			line[i] = '█'
		}
	}
	_, _ = fmt.Fprintf(b.out, "\r\x1b[K%s %s %3d %%  %s of %s", clean(b.title), string(line), done*100/total, size(done), size(total))
	b.at, b.open = time.Now(), true
}

func (b *transferBar) end() {
	if b.open {
		_, _ = fmt.Fprintln(b.out)
	}
}

// size returns a number of bytes for people, in units of 1024.
func size(n int64) string {
	const unit = 1024
	if n < unit {
		return fmt.Sprintf("%d B", n)
	}
	value, units := float64(n)/unit, "KMGT"
	i := 0
	for value >= unit && i < len(units)-1 {
		value, i = value/unit, i+1
	}
	return fmt.Sprintf("%.1f %ciB", value, units[i])
}
