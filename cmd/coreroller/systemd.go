package main

import (
	"context"
	"net"
	"strings"
)

// notifySystemd sends a state such as READY=1 to the service manager that started
// the process, as sd_notify(3) describes. Without one it does nothing.
func notifySystemd(ctx context.Context, environ []string, state string) error {
	for _, line := range environ {
		socket, ok := strings.CutPrefix(line, "NOTIFY_SOCKET=")
		if !ok || socket == "" {
			continue
		}
		// net translates a leading @ to the zero byte of an abstract socket.
		conn, err := new(net.Dialer).DialContext(ctx, "unixgram", socket)
		if err != nil {
			return err
		}
		defer conn.Close()
		_, err = conn.Write([]byte(state))
		return err
	}
	return nil
}
