package updater

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Result is the answer to an update check.
type Result struct {
	// Update is the offered version, nil for none.
	Update *Update
	// Reason is why there is none, as the server names it, such as outside_window. It may
	// be empty.
	Reason string
	// PollInterval is the time until the next check that the server asks for, 0 if it
	// leaves it to the client.
	PollInterval time.Duration
}

// Update is a version that the server offers.
type Update struct {
	Version string   `json:"version"`
	URLs    []string `json:"urls"`             // of the file, in order of preference
	Size    int64    `json:"size,omitempty"`   // bytes, 0 if unknown
	SHA256  string   `json:"sha256,omitempty"` // hex
	SHA1    string   `json:"sha1,omitempty"`   // hex; checked only without SHA256

	updater *Updater
}

// Check asks the server for an update. A machine that may not update now gets no update
// and a reason. An error is a missing or unusable answer, a *StatusError, or a
// *RefusedError. During a trial it is ErrOnTrial, because the server takes a check of the
// new version for a success.
func (u *Updater) Check(ctx context.Context) (Result, error) {
	if u.OnTrial() {
		return Result{}, ErrOnTrial
	}
	version := u.Version()
	a, err := u.exchange(ctx, appXML{Version: version, Ping: &pingXML{Active: 1}, Check: &struct{}{}})
	if err != nil {
		return Result{}, fmt.Errorf("update check: %w", err)
	}
	r, err := u.read(a)
	if err != nil {
		return r, fmt.Errorf("update check: %w", err)
	}
	if r.Update != nil && r.Update.Version == version {
		r.Update, r.Reason = nil, "the offered version runs already"
	}
	if r.Update != nil {
		u.progress(Progress{Step: StepOffered, Version: r.Update.Version, Size: r.Update.Size})
	} else {
		u.progress(Progress{Step: StepUpToDate, Reason: r.Reason})
	}
	return r, nil
}

// inProgress is what Nebraska answers to a machine that lost its download by a restart.
const inProgress = "error-updateInProgressOnInstance"

// notNow reports whether a status means that the machine must wait. Nebraska sends an
// error where the protocol has noupdate.
func notNow(status string) bool {
	return strings.HasPrefix(status, "error-max") ||
		slices.Contains([]string{inProgress, "error-updatesDisabled", "error-noPackageFound"}, status)
}

// read converts the answer to a check.
func (u *Updater) read(a *appAnswer) (Result, error) {
	var r Result
	if a.Check != nil {
		r.PollInterval = min(time.Duration(max(a.Check.PollInterval, 0)), longestPoll/time.Second) * time.Second
		r.Reason = a.Check.Info
	}
	switch {
	case a.Status == inProgress:
		r.Update = u.pending()
		r.Reason = a.Status
		return r, nil
	case notNow(a.Status):
		r.Reason = a.Status
		return r, nil
	case a.Status != appOK:
		return r, &RefusedError{a.Status}
	case a.Check == nil:
		return r, errors.New("the answer has no update check")
	case a.Check.Status == "noupdate":
		return r, nil
	case a.Check.Status != appOK:
		return r, &RefusedError{a.Check.Status}
	}
	var err error
	if r.Update, err = a.Check.offer(); err != nil {
		return r, fmt.Errorf("the offer cannot be used: %w", err)
	}
	r.Update.updater = u
	return r, nil
}

// longestPoll limits what a server can ask for.
const longestPoll = 24 * time.Hour

// offer converts the first package of the first manifest, which is the payload.
func (c *checkAnswer) offer() (*Update, error) {
	if len(c.Manifests) == 0 || len(c.Manifests[0].Packages) == 0 {
		return nil, errors.New("it has no package")
	}
	m := c.Manifests[0]
	p := m.Packages[0]
	if m.Version == "" || p.Name == "" {
		return nil, errors.New("it has no version, or its package has no name")
	}
	up := &Update{Version: m.Version}
	if p.Size != "" {
		size, err := strconv.ParseInt(p.Size, 10, 64)
		if err != nil || size < 0 {
			return nil, fmt.Errorf("its size %q is no number of bytes", p.Size)
		}
		up.Size = size
	}
	hashes := []string{p.SHA256, p.Hash}
	for _, action := range m.Actions {
		hashes = append(hashes, action.SHA256)
	}
	for _, text := range hashes {
		switch sum := digestBytes(text); len(sum) {
		case 32:
			up.SHA256 = hex.EncodeToString(sum)
		case 20:
			up.SHA1 = hex.EncodeToString(sum)
		}
	}
	if up.SHA256 == "" && up.SHA1 == "" {
		return nil, errors.New("it has neither a SHA-256 nor a SHA-1")
	}
	for _, u := range c.URLs {
		base := u.Codebase
		if !strings.HasSuffix(base, "/") {
			base += "/"
		}
		parsed, err := url.Parse(base + p.Name)
		if err != nil || parsed.Host == "" || parsed.Scheme != "http" && parsed.Scheme != "https" {
			return nil, fmt.Errorf("%q is no http or https URL", base+p.Name)
		}
		up.URLs = append(up.URLs, parsed.String())
	}
	if len(up.URLs) == 0 {
		return nil, errors.New("it has no URL")
	}
	return up, nil
}

// digestBytes decodes a digest in base64 or hex, of which servers send both. It returns
// nil for anything else.
func digestBytes(text string) []byte {
	if len(text) == 40 || len(text) == 64 { // hex; base64 of these digests is shorter
		sum, err := hex.DecodeString(text)
		if err != nil {
			return nil
		}
		return sum
	}
	sum, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil
	}
	return sum
}
