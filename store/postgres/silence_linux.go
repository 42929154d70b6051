package postgres

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// limitSilence ends a connection whose peer does not acknowledge what was sent.
func limitSilence(network, _ string, c syscall.RawConn) (err error) {
	if network == "unix" {
		return nil
	}
	e := c.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(silentAfter.Milliseconds()))
	})
	if e != nil {
		return e
	}
	return err
}
