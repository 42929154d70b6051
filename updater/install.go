package updater

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

const (
	newSuffix = ".new" // the new version before it is in place
	oldSuffix = ".old" // the old version, until the next update

	probeTimeout = 30 * time.Second

	programMode = 0o755 // of a file that did not exist
)

// Install puts the downloaded file in place: it is written beside Options.File and
// probed, the old file is kept, and one rename replaces it, so that File exists and is
// complete at every moment.
//
// It returns ErrRestart if the program is this process. Otherwise it restarts the
// program, waits for the end of its trial, and returns nil or a *RollbackError. A failure
// is reported to the server, except the end of ctx, after which New and Run continue.
func (up *Update) Install(ctx context.Context) error {
	u := up.updater
	if err := up.install(ctx); err != nil {
		return u.fail(ctx, fmt.Errorf("update to %s: %w", up.Version, err))
	}
	if err := u.installed(ctx); err != nil {
		return err
	}
	if u.own() {
		return ErrRestart
	}
	return u.try(ctx)
}

func (up *Update) install(ctx context.Context) error {
	u := up.updater
	file := u.o.File
	if u.own() && !replaceable {
		return &InstallError{fmt.Errorf("a running executable cannot be replaced on this system: %w", errors.ErrUnsupported)}
	}
	if u.OnTrial() {
		return &InstallError{ErrOnTrial}
	}
	t := trial{Version: up.Version, Previous: u.Version()}
	if err := up.stage(file + newSuffix); err != nil {
		return errors.Join(err, removeIfExists(file+newSuffix))
	}
	err := u.probe(ctx, file+newSuffix, up.Version)
	if err == nil {
		t.SHA256, err = sha256Of(file + newSuffix)
	}
	if err == nil {
		t.HadOld, err = keep(file)
	}
	if err != nil {
		return errors.Join(&InstallError{err}, removeIfExists(file+newSuffix))
	}
	// The trial is on disk before the rename: after a crash in between, New compares the
	// file's digest with it.
	if err := u.change(func(s *state) { s.Trial = &t }); err != nil {
		return err
	}
	if err := rename(file+newSuffix, file); err != nil {
		return errors.Join(&InstallError{err}, u.change(func(s *state) { s.Trial = nil }))
	}
	return nil
}

// installed records that the new version is in place and reports it.
func (u *Updater) installed(ctx context.Context) error {
	t := u.trial()
	up := u.pending()
	err := u.report(ctx, report{Type: eventInstalled, Result: resultSuccess, Version: t.Previous}, func(s *state) {
		s.Trial.Installed, s.Pending = true, nil
	})
	if err != nil {
		return err
	}
	if up != nil {
		_ = os.Remove(up.payload()) // else the next download removes it
	}
	u.progress(Progress{Step: StepInstalled, Version: t.Version})
	return nil
}

// stage copies the payload to a file beside the one to replace, which can be on another
// disk than Options.Dir.
func (up *Update) stage(name string) error {
	from, err := os.Open(up.payload())
	if err != nil {
		return fmt.Errorf("call Download first: %w", err)
	}
	defer func() { _ = from.Close() }()
	mode := os.FileMode(programMode)
	if info, err := os.Stat(up.updater.o.File); err == nil {
		mode = info.Mode().Perm()
	}
	if err := removeIfExists(name); err != nil {
		return &DiskError{err}
	}
	to, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode) //nolint:gosec // G304: beside Options.File
	if err != nil {
		return &DiskError{err}
	}
	defer func() { _ = to.Close() }()
	d := up.digest()
	if _, err := io.Copy(io.MultiWriter(to, d), from); err != nil {
		return &DiskError{err}
	}
	if err := d.check(); err != nil {
		return err
	}
	// Chmod, because the umask limits the mode of a new file.
	if err := errors.Join(to.Chmod(mode), to.Sync(), to.Close()); err != nil {
		return &DiskError{err}
	}
	return nil
}

// probe runs a new file with Options.Probe.
func (u *Updater) probe(ctx context.Context, name, version string) error {
	if u.o.Probe == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, u.o.Probe...) //nolint:gosec // G204: its digest was checked
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	const shown = 300
	text := out[:min(len(out), shown)]
	if err != nil {
		return fmt.Errorf("the new file does not run: %w: %s", err, text)
	}
	for field := range bytes.FieldsSeq(out) {
		if string(field) == version || string(field) == "v"+version {
			return nil
		}
	}
	return fmt.Errorf("the new file does not print its version %s, but: %s", version, text)
}

// keep keeps the old file. It reports false if there is none.
func keep(file string) (bool, error) {
	if _, err := os.Stat(file); errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err := removeIfExists(file + oldSuffix); err != nil {
		return false, err
	}
	if err := os.Link(file, file+oldSuffix); err != nil { // a file system without links
		if err := duplicate(file, file+oldSuffix); err != nil {
			return false, err
		}
	}
	return true, syncDir(filepath.Dir(file))
}

// duplicate copies a file with its mode.
func duplicate(from, to string) error {
	in, err := os.Open(from) //nolint:gosec // G304: Options.File
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, info.Mode().Perm()) //nolint:gosec // G304: beside Options.File
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Chmod(info.Mode().Perm()), out.Sync(), out.Close())
}

func removeIfExists(name string) error {
	if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}
