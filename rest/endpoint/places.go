package endpoint

import (
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
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

// Places caches the last machine of each page, so that reading the pages in order
// costs as little as with a cursor, and misses no machine when others are added or
// removed. Other offsets are reached by skipping index entries. It is safe for
// concurrent use.
type Places struct{ known *lru.Cache[place, ending] }

type ending struct {
	machine string
	until   time.Time
}

func newPlaces() Places {
	known, _ := lru.New[place, ending](maxPlaces) // fails only for a size below 1
	return Places{known}
}

// Put stores the last machine before an offset.
func (p Places) Put(list string, skip int, machine string, now time.Time) {
	p.known.Add(place{list, skip}, ending{machine, now.Add(placeTime)})
}

// Get returns the last machine before an offset, if a page that ended there was read.
func (p Places) Get(list string, skip int, now time.Time) (machine string, ok bool) {
	e, ok := p.known.Get(place{list, skip})
	return e.machine, ok && now.Before(e.until)
}
