package auth

import "container/list"

// bounded is a map that forgets what was not touched for longest when it is
// full, so that strangers cannot make it grow. It is not safe for concurrent
// use.
type bounded[K comparable, V any] struct {
	limit int
	items map[K]*list.Element
	order list.List // of pair[K, V], last touched first
}

type pair[K comparable, V any] struct {
	key   K
	value V
}

func newBounded[K comparable, V any](limit int) *bounded[K, V] {
	return &bounded[K, V]{limit: limit, items: map[K]*list.Element{}}
}

func (b *bounded[K, V]) get(key K) (V, bool) {
	e, ok := b.items[key]
	if !ok {
		var none V
		return none, false
	}
	b.order.MoveToFront(e)
	return e.Value.(pair[K, V]).value, true
}

func (b *bounded[K, V]) set(key K, value V) {
	if e, ok := b.items[key]; ok {
		e.Value = pair[K, V]{key, value}
		b.order.MoveToFront(e)
		return
	}
	if len(b.items) >= b.limit {
		last := b.order.Back()
		b.order.Remove(last)
		delete(b.items, last.Value.(pair[K, V]).key)
	}
	b.items[key] = b.order.PushFront(pair[K, V]{key, value})
}

func (b *bounded[K, V]) remove(key K) {
	if e, ok := b.items[key]; ok {
		b.order.Remove(e)
		delete(b.items, key)
	}
}

func (b *bounded[K, V]) clear() {
	clear(b.items)
	b.order.Init()
}
