//go:build race

package store_test

// The race detector makes SQLite, which is Go here, ten times slower.
const many = 20_000
