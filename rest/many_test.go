//go:build !race

package rest_test

const many = 100_000
