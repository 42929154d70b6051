package auth

import "github.com/hashicorp/golang-lru/v2/simplelru"

// newLRU returns a map of at most size entries that evicts the least recently
// used one, so that unauthenticated clients cannot make it grow. It is not safe
// for concurrent use.
func newLRU[K comparable, V any](size int) *simplelru.LRU[K, V] {
	lru, err := simplelru.NewLRU[K, V](size, nil)
	if err != nil {
		panic(err) // only if size is below 1
	}
	return lru
}
