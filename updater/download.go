package updater

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const (
	payloadPrefix = "payload-"
	partSuffix    = ".part"

	// triesPerURL are transfers of one URL that bring nothing new, before the next URL.
	triesPerURL = 4
	// longestPause is the longest wait within a download; a server that asks for more fails it.
	longestPause = 5 * time.Minute
)

// Download fetches the file of the update into Options.Dir and checks its size and
// digest. A transfer that was cut is continued, also by a later process, if the server
// supports ranges. A failure is reported to the server, except the end of ctx.
// Afterwards only complete and checked files have the final name, and a full disk or a
// wrong digest leaves no part of it.
func (up *Update) Download(ctx context.Context) error {
	u := up.updater
	started := report{Type: eventDownloadStarted, Result: resultSuccess, Version: u.Version()}
	if err := u.report(ctx, started, func(s *state) { s.Pending = up }); err != nil {
		return err
	}
	if err := up.download(ctx); err != nil {
		return u.fail(ctx, fmt.Errorf("download %s: %w", up.Version, err))
	}
	u.progress(Progress{Step: StepDownloaded, Version: up.Version, Done: up.Size, Size: up.Size})
	return u.report(ctx, report{Type: eventDownloaded, Result: resultSuccess, Version: u.Version()}, nil)
}

// payload is the file of a complete download.
func (up *Update) payload() string {
	return filepath.Join(up.updater.o.Dir, payloadPrefix+up.digest().want)
}

func (up *Update) download(ctx context.Context) error {
	name := up.payload()
	if up.verify(name) == nil {
		return nil // a restart interrupted the installation
	}
	others, err := filepath.Glob(filepath.Join(up.updater.o.Dir, payloadPrefix+"*"))
	if err != nil {
		return err
	}
	for _, other := range others {
		if other != name+partSuffix {
			if err := os.Remove(other); err != nil {
				return &DiskError{err}
			}
		}
	}
	for _, address := range up.URLs {
		if err = up.fetch(ctx, address, name+partSuffix); err == nil {
			break
		}
		var disk *DiskError
		if ctx.Err() != nil || errors.As(err, &disk) {
			return err
		}
	}
	if err != nil {
		return err
	}
	if err := rename(name+partSuffix, name); err != nil {
		return &DiskError{err}
	}
	return nil
}

// fetch downloads one URL into the part, in several transfers if they are cut.
func (up *Update) fetch(ctx context.Context, address, part string) error {
	reached := sizeOf(part)
	for try := 1; ; try++ {
		t := transfer{Update: up, part: part, base: sizeOf(part)}
		err := t.run(ctx, address)
		if err == nil || ctx.Err() != nil {
			return err
		}
		var (
			disk   *DiskError
			digest *DigestError
			size   *SizeError
			status *StatusError
		)
		switch {
		case errors.As(err, &disk), errors.As(err, &digest), errors.As(err, &size):
			if remove := os.Remove(part); remove != nil && !errors.Is(remove, os.ErrNotExist) {
				err = errors.Join(err, remove)
			}
			if disk != nil || t.base == 0 {
				return err
			}
			// The part that was continued may have been of another file.
		case errors.As(err, &status) && !status.temporary():
			return err
		}
		if end := sizeOf(part); end > reached {
			reached, try = end, 1 // progress, though a server without ranges begins again each time
		}
		if try >= triesPerURL {
			return err
		}
		pause := backoff(try, time.Second, longestPause)
		if status != nil {
			pause = max(pause, status.RetryAfter)
		}
		if pause > longestPause {
			return err
		}
		if err := up.updater.sleep(ctx, pause); err != nil {
			return err
		}
	}
}

func sizeOf(name string) int64 {
	info, err := os.Stat(name)
	if err != nil {
		return 0
	}
	return info.Size()
}

// transfer is one GET.
type transfer struct {
	*Update
	part string
	base int64 // bytes of the part at the beginning
	file *os.File
	sum  digest
	done int64 // bytes of the file so far
}

// run continues the part. Without an error it is complete, checked and on disk.
func (t *transfer) run(ctx context.Context, address string) error {
	f, err := os.OpenFile(t.part, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return &DiskError{err}
	}
	defer func() { _ = f.Close() }()
	t.file, t.sum = f, t.digest()
	if t.done, err = io.Copy(t.sum, io.LimitReader(f, t.base)); err != nil {
		return &DiskError{err}
	}
	if t.Size == 0 || t.done != t.Size {
		if err := t.get(ctx, address); err != nil {
			return err
		}
	}
	if err := t.sum.check(); err != nil {
		return err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return &DiskError{err}
	}
	return nil
}

// restart empties the part.
func (t *transfer) restart() error {
	if t.done == 0 {
		return nil
	}
	t.done = 0
	t.sum.Reset()
	_, err := t.file.Seek(0, io.SeekStart)
	if err := errors.Join(err, t.file.Truncate(0)); err != nil {
		return &DiskError{err}
	}
	return nil
}

// get requests what is missing and stores it.
func (t *transfer) get(ctx context.Context, address string) error {
	u := t.updater
	if limit := t.limit(); t.done > limit {
		if err := t.restart(); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stall := time.AfterFunc(u.o.StallTimeout, func() { cancel(fmt.Errorf("%s sent nothing for %s", address, u.o.StallTimeout)) })
	defer stall.Stop()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	r.Header.Set("Accept-Encoding", "identity") // the digest is of the file as it is
	if t.done > 0 {
		r.Header.Set("Range", fmt.Sprintf("bytes=%d-", t.done))
	}
	w, err := u.o.HTTPClient.Do(r)
	if err != nil {
		return stallOr(ctx, err)
	}
	defer func() { _ = w.Body.Close() }()
	switch {
	case w.StatusCode == http.StatusPartialContent && strings.HasPrefix(w.Header.Get("Content-Range"), fmt.Sprintf("bytes %d-", t.done)):
	case w.StatusCode == http.StatusOK:
		if err := t.restart(); err != nil {
			return err
		}
	case w.StatusCode == http.StatusPartialContent, w.StatusCode == http.StatusRequestedRangeNotSatisfiable:
		// The server has another file, or cannot continue this one.
		return errors.Join(fmt.Errorf("%s cannot continue at byte %d", address, t.done), t.restart())
	default:
		return &StatusError{address, w.StatusCode, retryAfter(w.Header, u.now())}
	}
	return t.store(ctx, w, stall)
}

// limit is the largest size that the file may have.
func (t *transfer) limit() int64 {
	if t.Size > 0 {
		return t.Size
	}
	return t.updater.o.MaxSize
}

// progressStep is how many bytes are between two calls of OnProgress.
const progressStep = 1 << 20

// store appends a response to the part.
func (t *transfer) store(ctx context.Context, w *http.Response, stall *time.Timer) error {
	if all := t.done + w.ContentLength; w.ContentLength >= 0 && t.Size > 0 && all != t.Size {
		return &SizeError{all, t.Size}
	}
	u := t.updater
	u.progress(Progress{Step: StepDownloading, Version: t.Version, Done: t.done, Size: t.Size})
	reported := t.done
	buffer := make([]byte, 64<<10)
	for {
		n, err := w.Body.Read(buffer)
		stall.Reset(u.o.StallTimeout)
		if t.done+int64(n) > t.limit() {
			return &SizeError{t.done + int64(n), t.limit()}
		}
		if _, err := t.file.Write(buffer[:n]); err != nil {
			return &DiskError{err}
		}
		_, _ = t.sum.Write(buffer[:n]) // never fails
		t.done += int64(n)
		if t.done-reported >= progressStep || t.done == t.Size && n > 0 {
			reported = t.done
			u.progress(Progress{Step: StepDownloading, Version: t.Version, Done: t.done, Size: t.Size})
		}
		switch {
		case errors.Is(err, io.EOF) && t.Size > 0 && t.done != t.Size:
			return &SizeError{t.done, t.Size}
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return stallOr(ctx, err)
		}
	}
}

// stallOr returns why a transfer ended: its stall, or err.
func stallOr(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}
