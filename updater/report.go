package updater

import (
	"context"
	"errors"
	"fmt"
)

// report is an event for the server.
type report struct {
	Type     int    `xml:"eventtype,attr" json:"type"`
	Result   int    `xml:"eventresult,attr" json:"result"`
	Code     int    `xml:"errorcode,attr,omitempty" json:"code,omitempty"`
	Previous string `xml:"previousversion,attr,omitempty" json:"previous,omitempty"`
	Version  string `xml:"-" json:"version"` // that runs at the time of the event
}

// Event types and results.
const (
	eventUpdate          = 3
	eventDownloadStarted = 13
	eventDownloaded      = 14
	eventInstalled       = 800

	resultError   = 0
	resultSuccess = 1
	resultRuns    = 2 // the new version runs
)

// maxReports bounds what gathers while the server is out of reach. The oldest are
// dropped: the latest say what became of the machine.
const maxReports = 50

// queue adds an event. The caller holds the lock and saves the state.
func (u *Updater) queue(r report) {
	u.state.Reports = append(u.state.Reports, r)
	if n := len(u.state.Reports); n > maxReports {
		u.state.Reports = u.state.Reports[n-maxReports:]
	}
}

// report stores an event, changes the state in the same write, and sends what waits.
// Only a failure to store it is an error.
func (u *Updater) report(ctx context.Context, r report, change func(*state)) error {
	err := u.change(func(s *state) {
		if change != nil {
			change(s)
		}
		u.queue(r)
	})
	if err != nil {
		return err
	}
	_ = u.Flush(ctx) // kept, and sent before the next check
	return nil
}

// Flush sends the events that the server has not answered yet, in order. Run, Download,
// Install and Confirm do it by themselves.
func (u *Updater) Flush(ctx context.Context) error {
	u.sending.Lock()
	defer u.sending.Unlock()
	for {
		u.mu.Lock()
		if len(u.state.Reports) == 0 {
			u.mu.Unlock()
			return nil
		}
		r := u.state.Reports[0]
		u.mu.Unlock()
		a, err := u.exchange(ctx, appXML{Version: r.Version, Event: &r})
		if err == nil && a.Status == appInternal {
			err = &RefusedError{a.Status}
		}
		if err != nil {
			return fmt.Errorf("event %d/%d: %w", r.Type, r.Result, err)
		}
		// An answer with another error is final too: the same event would get it again.
		if err := u.change(func(s *state) { s.drop(r) }); err != nil {
			return err
		}
	}
}

// drop removes an answered event, unless queue dropped it meanwhile.
func (s *state) drop(r report) {
	if len(s.Reports) > 0 && s.Reports[0] == r {
		s.Reports = s.Reports[1:]
	}
}

// fail reports a failed download or installation, counts it, and returns its error. An
// operation that its caller ended is no failure.
func (u *Updater) fail(ctx context.Context, err error) error {
	if stopped(ctx, err) {
		return ctx.Err()
	}
	r := report{Type: eventUpdate, Result: resultError, Code: codeOf(err), Version: u.Version()}
	return errors.Join(err, u.report(ctx, r, func(s *state) { s.Pending = nil }))
}
