//go:build !linux

package postgres

import "syscall"

// limitSilence does nothing: only keep-alive probes end a silent connection here.
func limitSilence(string, string, syscall.RawConn) error { return nil }
