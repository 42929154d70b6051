package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"sync"
	"time"
)

// request is what one connection sends next; it is built into buf.
type request func(connection int, buf []byte) (path string, body []byte)

type result struct {
	perSecond float64
	p50, p99  time.Duration
	requests  int
	errors    int // answers other than 200
}

// load sends requests over a fixed number of connections, each waiting for its
// answer before it sends the next. With a rate (requests per second, all
// together) it is an open loop: each request has a moment at which it is due,
// and its time counts from there, so a server that falls behind cannot hide it.
// With rate 0 it is a closed loop. The client is as thin as can be, so that it
// takes little of the machine from the server.
func load(ctx context.Context, address string, connections int, rate float64, length time.Duration, next request) (result, error) {
	var (
		g     sync.WaitGroup
		mu    sync.Mutex
		all   []time.Duration
		bad   int
		first error
	)
	start := time.Now()
	for n := range connections {
		p := pace{next: start, until: start.Add(length)}
		if rate > 0 {
			p.every = time.Duration(float64(connections) / rate * float64(time.Second))
			p.next = start.Add(p.every * time.Duration(n) / time.Duration(connections))
		}
		g.Go(func() {
			times, wrong, err := converse(ctx, address, n, p, next)
			mu.Lock()
			defer mu.Unlock()
			all, bad = append(all, times...), bad+wrong
			if first == nil {
				first = err
			}
		})
	}
	g.Wait()
	took := time.Since(start)
	if first != nil {
		return result{}, first
	}
	if len(all) == 0 {
		return result{}, errors.New("nothing was answered")
	}
	slices.Sort(all)
	return result{perSecond: float64(len(all)) / took.Seconds(), requests: len(all), p50: all[len(all)/2], p99: all[len(all)*99/100], errors: bad}, nil
}

// pace is when one connection sends.
type pace struct {
	next, until time.Time
	every       time.Duration // 0: at once
}

// due waits for the moment of the next request; ok is false when it is over.
func (p *pace) due() (at time.Time, ok bool) {
	now := time.Now()
	if p.every == 0 {
		return now, now.Before(p.until)
	}
	at = p.next
	p.next = p.next.Add(p.every)
	time.Sleep(at.Sub(now))
	return at, at.Before(p.until)
}

func converse(ctx context.Context, address string, n int, p pace, next request) (times []time.Duration, bad int, err error) {
	c, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, 0, err
	}
	defer c.Close()
	in := bufio.NewReaderSize(c, 16<<10)
	var body, out []byte
	for {
		at, ok := p.due()
		if !ok {
			return times, bad, nil
		}
		var path string
		path, body = next(n, body[:0])
		out = append(out[:0], "POST "...)
		out = append(out, path...)
		out = append(out, " HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\nContent-Type: text/xml\r\nContent-Length: "...)
		out = strconv.AppendInt(out, int64(len(body)), 10)
		out = append(append(out, "\r\n\r\n"...), body...)
		if _, err := c.Write(out); err != nil {
			return nil, 0, err
		}
		if ok, err = readAnswer(in); err != nil {
			return nil, 0, err
		}
		if !ok {
			bad++
		}
		times = append(times, time.Since(at))
	}
}

// readAnswer reads one answer and reports whether it was 200.
func readAnswer(in *bufio.Reader) (ok bool, err error) {
	line, err := in.ReadSlice('\n')
	if err != nil {
		return false, err
	}
	ok = bytes.Contains(line, []byte(" 200 "))
	length := -1
	for {
		if line, err = in.ReadSlice('\n'); err != nil {
			return false, err
		}
		if len(line) <= 2 {
			break
		}
		if value, found := bytes.CutPrefix(line, []byte("Content-Length: ")); found {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return false, err
			}
		}
	}
	if length < 0 {
		return false, fmt.Errorf("an answer without length")
	}
	_, err = io.CopyN(io.Discard, in, int64(length))
	return ok, err
}
