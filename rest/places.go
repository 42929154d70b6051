package rest

import (
	"sync"
	"time"
)

const (
	// maxPlaces limits the cache to about 200 kB.
	maxPlaces = 1024
	// placeTime is how long a script may take between two pages.
	placeTime = 10 * time.Minute
)

// place is an offset in a list.
type place struct {
	list string
	skip int
}

// places caches the last machine of each page, so that reading the pages in order
// costs as little as with a cursor, and misses no machine when others are added or
// removed. Other offsets are reached by skipping index entries. It is safe for
// concurrent use.
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
