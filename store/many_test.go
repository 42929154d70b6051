//go:build !race

package store_test

// many is how many machines wait in one group: what a statement costs must not
// depend on it.
const many = 1_000_000
