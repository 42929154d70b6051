package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// simulateOptions are the flags of simulate.
type simulateOptions struct {
	URL      string
	App      string
	Track    string
	Board    string
	Alias    string
	Kind     string // "daemon" or "program"
	Machines int
	Versions string
	Bad      string
	Seed     uint64
	Speed    float64
	Duration time.Duration // 0 = until interrupted
	Senders  int
	JSON     bool

	Habits habits
	Bench  benchOptions
}

func (o *simulateOptions) validate() error {
	switch {
	case o.URL == "":
		return errors.New("--url is missing: the address of a server, such as http://localhost:8000")
	case o.App == "":
		return errors.New("--app is missing: the id or product id of an application")
	case o.Kind != "daemon" && o.Kind != "program":
		return fmt.Errorf("--kind is %q: daemon (update_engine) and program (updater library) are known", o.Kind)
	case o.Machines < 1:
		return errors.New("--machines has to be above zero")
	case o.Senders < 1:
		return errors.New("--connections has to be above zero")
	case !(o.Speed > 0):
		return errors.New("--speed has to be above zero")
	}
	return o.Habits.validate()
}

// fleet makes the machines.
func (o *simulateOptions) fleet() ([]*machine, error) {
	shares, err := parseVersions(o.Versions)
	if err != nil {
		return nil, fmt.Errorf("--versions: %w", err)
	}
	if o.Habits.Bad, err = parseBad(o.Bad); err != nil {
		return nil, fmt.Errorf("--bad: %w", err)
	}
	oems := [...]string{"", "ami", "gce", "azure", "qemu"}
	machines := make([]*machine, o.Machines)
	for i := range machines {
		id := identity{App: o.App, Track: o.Track, Board: o.Board, Alias: o.Alias, OEM: oems[i%len(oems)]}
		if id.OEM != "" {
			id.OEMVersion = "1.0.0"
		}
		version := spread(shares, i, o.Machines)
		machines[i] = newMachine(&o.Habits, id, o.Kind == "program", version, o.Seed, i)
	}
	return machines, nil
}

// simulate lets the fleet live and tells about it on out.
func simulate(ctx context.Context, o simulateOptions, out io.Writer, now func() time.Time) error {
	if err := o.validate(); err != nil {
		return err
	}
	address, err := omahaURL(o.URL)
	if err != nil {
		return err
	}
	machines, err := o.fleet()
	if err != nil {
		return err
	}
	if o.Duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.Duration)
		defer cancel()
	}
	say := func(text string) { _, _ = fmt.Fprintln(out, text) }
	client := newOmahaClient(address, o.Senders)
	defer client.close()
	s := simulation{Machines: machines, Speed: o.Speed, Senders: o.Senders, Send: client.send, Now: now}
	s.Progress = func(t tally) { say(t.line()) }
	if o.JSON {
		s.Progress = func(t tally) { say(t.json()) }
	} else {
		say(fmt.Sprintf("%d machines of %s in %s ask %s every %s, %g times as fast", o.Machines, o.App, o.Track,
			address, o.Habits.Interval, o.Speed))
	}
	t := s.Run(ctx)
	if !o.JSON {
		say(t.summary())
	}
	if t.Requests > 0 && t.Requests == t.Unanswered {
		return fmt.Errorf("no request to %s was answered", address)
	}
	return nil
}

// omahaURL is where requests go: an address without path means the usual one.
func omahaURL(text string) (string, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return "", fmt.Errorf("--url is %q: an address such as http://localhost:8000 is needed", text)
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = "/v1/update/"
	}
	return u.String(), nil
}

// omahaClient posts requests over a bounded number of kept-alive connections.
type omahaClient struct {
	url    string
	client http.Client
}

func newOmahaClient(address string, connections int) *omahaClient {
	return &omahaClient{url: address, client: http.Client{
		Timeout: 30 * time.Second, // update_engine's own connect timeout
		Transport: &http.Transport{
			MaxConnsPerHost: connections, MaxIdleConnsPerHost: connections,
			DisableCompression: true, // update_engine asks for none
		},
	}}
}

// send posts one request. Any failure to get a whole answer is status 0.
func (c *omahaClient) send(ctx context.Context, body []byte) reply {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return reply{}
	}
	req.Header.Set("Content-Type", "text/xml")
	req.Header.Set("Accept", "*/*")
	req.Header["User-Agent"] = nil // update_engine sends none
	resp, err := c.client.Do(req)
	if err != nil {
		return reply{}
	}
	defer resp.Body.Close()
	const bogus = 1 << 20 // an answer is some kB
	answer, err := io.ReadAll(io.LimitReader(resp.Body, bogus))
	if err != nil {
		return reply{}
	}
	return reply{resp.StatusCode, answer}
}

func (c *omahaClient) close() { c.client.CloseIdleConnections() }
