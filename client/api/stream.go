package api

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

const (
	// maxSilence is three pings of the server. Without one the connection is lost.
	maxSilence = 30 * time.Second
	// firstRetry and lastRetry limit the pause before a subscription is made again.
	firstRetry = time.Second
	lastRetry  = 30 * time.Second
)

// ErrEnd is returned by the receiver of a subscription to end it.
var ErrEnd = errors.New("the subscription is no longer needed")

// Follow subscribes, and again after the connection was lost, until the receiver
// returns an error, the server refuses, or the context ends. It reports each loss.
// ErrEnd ends it without an error.
func (s *Server) Follow(ctx context.Context, document string, variables map[string]any, lost func(error), receive func(json.RawMessage) error) error {
	pause, received := firstRetry, false
	for {
		err := s.subscribe(ctx, document, variables, func(data json.RawMessage) error {
			pause, received = firstRetry, true
			if err := receive(data); err != nil {
				return receiverError{err}
			}
			return nil
		})
		if failed, ok := errors.AsType[receiverError](err); ok {
			if errors.Is(failed.error, ErrEnd) {
				return nil
			}
			return failed.error
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		// The first connection shows whether there is a server at all.
		if err != nil && !received && Code(err) == "" || refused(err) {
			return err
		}
		if err == nil {
			err = errors.New("the server ended the subscription")
		}
		lost(err)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
			pause = min(2*pause, lastRetry)
		}
	}
}

// receiverError is an error of the receiver, not of the connection.
type receiverError struct{ error }

// refused reports whether the server would answer the same again.
func refused(err error) bool {
	code := Code(err)
	return code != "" && code != Unavailable && code != RateLimited
}

// subscribe sends the data of each message to receive. It returns nil when the server
// completes the subscription.
func (s *Server) subscribe(ctx context.Context, document string, variables map[string]any, receive func(json.RawMessage) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silence := time.AfterFunc(maxSilence, func() { cancel(fmt.Errorf("%s sent nothing for %s", s.URL, maxSilence)) })
	defer silence.Stop()
	resp, err := s.post(ctx, "text/event-stream", document, variables)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") {
		if _, err := s.read(resp); err != nil {
			return err
		}
		return fmt.Errorf("%s answered a subscription with %s", resp.Request.URL, resp.Header.Get("Content-Type"))
	}
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, maxAnswer)
	for lines.Scan() {
		silence.Reset(maxSilence)
		text, isData := strings.CutPrefix(lines.Text(), "data: ")
		if lines.Text() == "event: complete" {
			return nil
		}
		if !isData {
			continue
		}
		data, err := s.parse([]byte(text))
		if err == nil {
			err = receive(data)
		}
		if err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return errors.Join(context.Cause(ctx), err)
	}
	return io.ErrUnexpectedEOF
}
