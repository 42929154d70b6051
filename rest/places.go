package rest

import (
	"sync"
	"time"
)

const (
	// maxPlaces bounds the memory of places, some 200 bytes each.
	maxPlaces = 1024
	// placeTime is how long a script may take from one page to the next.
	placeTime = 10 * time.Minute
)

// place is a list and how many of its entries come before.
type place struct {
	list string
	skip int
}

// places remembers where pages ended, so that a script that reads page after
// page costs as much as one that could name the place itself, and misses
// nobody when machines come and go meanwhile. What it does not know is found by
// counting. It is safe for concurrent use.
type places struct {
	mu    sync.Mutex
	known map[place]ending
	order []place // oldest first
}

type ending struct {
	machine string
	until   time.Time
}

func (p *places) put(at place, machine string, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known == nil {
		p.known = map[place]ending{}
	}
	if _, ok := p.known[at]; !ok {
		if len(p.order) >= maxPlaces {
			delete(p.known, p.order[0])
			p.order = p.order[1:]
		}
		p.order = append(p.order, at)
	}
	p.known[at] = ending{machine, now.Add(placeTime)}
}

func (p *places) get(at place, now time.Time) (machine string, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	e, ok := p.known[at]
	return e.machine, ok && now.Before(e.until)
}
