//go:build race

package rest_test

const many = 20_000 // the detector makes it slow
