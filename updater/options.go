package updater

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"
	"unicode/utf8"
)

// Options configure an Updater. URL, AppID, Version and Dir are required.
type Options struct {
	// URL is the update URL of the server, such as
	// https://updates.example.com/v1/update/. A secret may be part of its path.
	URL string
	// AppID is the id or product id of the application.
	AppID string
	// Track is the track of the group that the machine belongs to. Nebraska also takes
	// the id of a group.
	Track string
	// Version is the version that runs. With Restart it is the version of File before
	// the first update; later ones are remembered.
	Version string
	// MachineID identifies the machine. Empty: a random one that Dir remembers.
	MachineID string
	// Alias is a name of the machine for people, such as its host name. It may be empty.
	Alias string
	// Attributes are further attributes of the machine that are sent with each request,
	// by name: lower-case letters, digits and _. CoreRoller keeps those that the
	// application names.
	Attributes map[string]string
	// Secret is a machine secret of CoreRoller, sent as a bearer token to URL only.
	Secret string

	// Dir is a directory for the state and for downloads. One updater uses it at a time.
	Dir string
	// File is the file to replace. Empty: the executable of this process. File.new and
	// File.old beside it are used as well.
	File string

	// Restart starts the program after File was replaced, and again after it was put
	// back. Nil: the program of File is this process, and Run returns ErrRestart.
	Restart func(ctx context.Context) error
	// Healthy decides once, ConfirmAfter after the start, whether a new version works.
	// Nil: it works if it still runs, and with Restart always.
	Healthy func(ctx context.Context) error
	// Probe are arguments with which a new file is run before it replaces the old one.
	// It must exit with 0 within 30 seconds and print its version. Nil: not run.
	Probe []string
	// ConfirmAfter is how long a new version must run until Run confirms it. 0: the
	// program calls Confirm; with Restart it is confirmed at once.
	ConfirmAfter time.Duration
	// ConfirmWithin is how long Run waits for Confirm if ConfirmAfter is 0. 0: 5 minutes.
	ConfirmWithin time.Duration
	// TrialStarts is how often a new version may start without being confirmed. 0: 2, so
	// that one interruption by something else is no failure.
	TrialStarts int

	// Interval is the time between two checks, ±10 %, if the server sends none. 0: 45
	// minutes.
	Interval time.Duration
	// MaxBackoff limits the wait after failures, which doubles from 30 seconds. 0: 4
	// hours.
	MaxBackoff time.Duration
	// StallTimeout ends a transfer that received nothing for so long. 0: 1 minute.
	StallTimeout time.Duration
	// MaxSize limits a download whose size the server does not send, in bytes. 0: 4 GiB.
	MaxSize int64

	// HTTPClient sends all requests. Nil: a client that keeps the proxy settings of the
	// environment. Redirects of URL are never followed, because they turn a POST into a GET.
	HTTPClient *http.Client
	// OnProgress is called after each step, and during downloads, by the goroutine that
	// works. It must return soon. Nil: not called.
	OnProgress func(Progress)
}

// Step is what an updater has just done.
type Step string

// The steps of an update. A failed step is StepFailed with Progress.Err.
const (
	StepUpToDate    Step = "up to date"  // Progress.Reason is why there is no update
	StepOffered     Step = "offered"     // the server offers a version
	StepDownloading Step = "downloading" // Progress.Done of Progress.Size bytes
	StepDownloaded  Step = "downloaded"  // complete, and its digest is right
	StepInstalled   Step = "installed"   // in place, on trial
	StepConfirmed   Step = "confirmed"   // the new version works
	StepRolledBack  Step = "rolled back" // the old version was put back
	StepFailed      Step = "failed"      // tried again later
)

// Progress describes a step.
type Progress struct {
	Step       Step
	Version    string // of the update; empty without one
	Reason     string // of the server
	Done, Size int64  // bytes; Size is 0 if it is unknown
	Err        error
}

const (
	defaultInterval      = 45 * time.Minute // as machines of Omaha servers do
	defaultMaxBackoff    = 4 * time.Hour
	defaultConfirmWithin = 5 * time.Minute
	defaultTrialStarts   = 2
	defaultStallTimeout  = time.Minute
	defaultMaxSize       = 4 << 30
)

var (
	attributeName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,62}$`)
	// ownAttributes are sent already, or have a meaning in the protocol.
	ownAttributes = []string{"appid", "version", "track", "bootid", "machineid", "machinealias", "installsource", "multi_manifest_ok", "withdrawn_ok"}
)

// complete checks the options and sets defaults.
func (o *Options) complete() error {
	for _, required := range []struct{ name, value string }{{"URL", o.URL}, {"AppID", o.AppID}, {"Version", o.Version}, {"Dir", o.Dir}} {
		if required.value == "" {
			return fmt.Errorf("updater: %s is missing", required.name)
		}
	}
	for name, value := range o.Attributes {
		if !attributeName.MatchString(name) || slices.Contains(ownAttributes, name) {
			return fmt.Errorf("updater: Attributes: %q is no name of an attribute, or one that is sent anyway", name)
		}
		if !utf8.ValidString(value) {
			return fmt.Errorf("updater: Attributes: the value of %s is not valid UTF-8", name)
		}
	}
	if u, err := url.Parse(o.URL); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("updater: URL %q is no http or https URL", o.URL)
	}
	if o.Restart != nil && o.File == "" {
		return errors.New("updater: File is missing: Restart is for the file of another program")
	}
	if o.File == "" {
		executable, err := os.Executable()
		if err != nil {
			return fmt.Errorf("updater: File: %w", err)
		}
		o.File = executable
	}
	// A link must stay a link: the file behind it is replaced.
	if target, err := filepath.EvalSymlinks(o.File); err == nil {
		o.File = target
	} else if o.Restart == nil || !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("updater: File: %w", err)
	}
	for _, d := range []struct {
		value     *time.Duration
		otherwise time.Duration
		name      string
	}{
		{&o.Interval, defaultInterval, "Interval"}, {&o.MaxBackoff, defaultMaxBackoff, "MaxBackoff"},
		{&o.ConfirmWithin, defaultConfirmWithin, "ConfirmWithin"}, {&o.StallTimeout, defaultStallTimeout, "StallTimeout"},
		{&o.ConfirmAfter, 0, "ConfirmAfter"},
	} {
		if *d.value < 0 {
			return fmt.Errorf("updater: %s is negative", d.name)
		}
		if *d.value == 0 {
			*d.value = d.otherwise
		}
	}
	if o.TrialStarts <= 0 {
		o.TrialStarts = defaultTrialStarts
	}
	if o.MaxSize <= 0 {
		o.MaxSize = defaultMaxSize
	}
	if o.HTTPClient == nil {
		o.HTTPClient = &http.Client{CheckRedirect: keepScheme}
	}
	if o.OnProgress == nil {
		o.OnProgress = func(Progress) {}
	}
	return nil
}

// keepScheme follows redirects of downloads like net/http, but not from https to http.
func keepScheme(r *http.Request, via []*http.Request) error {
	const most = 10
	if len(via) >= most {
		return fmt.Errorf("more than %d redirects", most)
	}
	if via[0].URL.Scheme == "https" && r.URL.Scheme != "https" {
		return errors.New("redirected from https to http")
	}
	return nil
}
