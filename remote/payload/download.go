package payload

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// Sink receives a file that is downloaded.
type Sink interface {
	io.Writer
	// Restart forgets what was written: the file changed meanwhile, or its server cannot
	// send a part of it.
	Restart() error
}

// maxPause limits the time between two connections.
const maxPause = time.Minute

// Download fetches a file into a sink. After a broken connection it goes on where that
// ended, if the file is the same. progress may be nil. An error that the sink returned is
// returned as it is.
func (f *Fetcher) Download(ctx context.Context, address string, sink Sink, progress Progress) error {
	ctx, cancel := context.WithTimeoutCause(ctx, f.limits.Total, errorf("took longer than %s", f.limits.Total))
	defer cancel()
	d := &download{fetcher: f, address: address, sink: sink, progress: progress}
	pause, failed := f.limits.Pause, 0
	for {
		before := d.done
		err := d.next(ctx)
		if err == nil && d.done == 0 {
			return errorf("the file is empty")
		}
		if err == nil {
			return nil
		}
		if own, ok := errors.AsType[*sinkError](err); ok {
			return own.error
		}
		if failed++; d.done > before {
			pause, failed = f.limits.Pause, 1
		}
		broken, again := errors.AsType[*brokenError](err)
		if !again || ctx.Err() != nil || failed >= f.limits.Tries {
			if again {
				err = broken.error
			}
			return explain(ctx, err)
		}
		wait := time.NewTimer(pause)
		select {
		case <-wait.C:
		case <-ctx.Done():
			wait.Stop()
			return explain(ctx, ctx.Err())
		}
		pause = min(2*pause, maxPause)
	}
}

// download is the state of one Download.
type download struct {
	fetcher  *Fetcher
	address  string
	sink     Sink
	progress Progress

	done      int64  // bytes in the sink
	total     int64  // of the file; 0: not known
	validator string // strong ETag or date of the file; "": a part of it cannot be asked for
}

// brokenError is an error after which another connection may do better.
type brokenError struct{ error }

func (e *brokenError) Unwrap() error { return e.error }

// next reads the rest of the file from one connection.
func (d *download) next(ctx context.Context) error {
	ctx, stall := context.WithCancelCause(ctx)
	defer stall(nil)
	limit := d.fetcher.limits.Stall
	watchdog := time.AfterFunc(limit, func() { stall(errorf("the server sent nothing for %s", limit)) })
	defer watchdog.Stop()
	resp, err := d.ask(ctx)
	if err != nil {
		return d.broken(ctx, err)
	}
	defer func() { _ = resp.Body.Close() }()
	start := d.done
	err = copyTo(d.sink, io.LimitReader(resp.Body, d.fetcher.limits.Size+1-start), 0, func(done, _ int64) {
		watchdog.Reset(limit)
		if d.done = start + done; d.progress != nil {
			d.progress(d.done, d.total)
		}
	})
	switch {
	case d.done > d.fetcher.limits.Size:
		return d.fetcher.tooLarge()
	case errors.Is(err, io.ErrUnexpectedEOF), err == nil && d.done < d.total:
		err = errorf("the server of the file ended the connection early")
	}
	return d.broken(ctx, err)
}

// broken decides whether another connection is worth a try.
func (d *download) broken(ctx context.Context, err error) error {
	own, refused := errors.AsType[*Error](err)
	_, sink := errors.AsType[*sinkError](err)
	again, _ := errors.AsType[*brokenError](err)
	switch {
	case err == nil, sink, again != nil:
		return err
	case refused && !strings.Contains(own.message, "ended the connection early"):
		return err // the address or the answer is wrong, and will be again
	}
	if cause, ok := errors.AsType[*Error](context.Cause(ctx)); ok {
		err = cause // it stalled
	}
	return &brokenError{err}
}

// ask requests the file, or what is missing of it.
func (d *download) ask(ctx context.Context) (*http.Response, error) {
	header := http.Header{}
	if d.done > 0 && d.validator != "" {
		header.Set("Range", fmt.Sprintf("bytes=%d-", d.done))
		header.Set("If-Range", d.validator)
	}
	resp, err := d.fetcher.get(ctx, d.address, header)
	if err != nil {
		return nil, err
	}
	if err = d.accept(resp); err != nil {
		_ = resp.Body.Close()
		return nil, err
	}
	return resp, nil
}

// accept checks an answer, and whether it continues what is there.
func (d *download) accept(resp *http.Response) error {
	switch code := resp.StatusCode; {
	case code == http.StatusPartialContent:
		var from, to, total int64
		if _, err := fmt.Sscanf(resp.Header.Get("Content-Range"), "bytes %d-%d/%d", &from, &to, &total); err != nil || from != d.done || total != d.total && d.total > 0 {
			return errorf("the server of the file sent another part than it was asked for")
		}
		return nil
	case code == http.StatusOK:
	case code >= 500 || code == http.StatusTooManyRequests || code == http.StatusRequestTimeout:
		return &brokenError{errorf("the server of the file answered %s", resp.Status)}
	default:
		return errorf("the server of the file answered %s", resp.Status)
	}
	if d.done > 0 {
		if err := d.sink.Restart(); err != nil {
			return &sinkError{err}
		}
	}
	d.done, d.total, d.validator = 0, max(resp.ContentLength, 0), ""
	if tag := resp.Header.Get("ETag"); strings.HasPrefix(tag, `"`) { // a weak one cannot be used
		d.validator = tag
	} else if tag == "" {
		d.validator = resp.Header.Get("Last-Modified")
	}
	return nil
}
