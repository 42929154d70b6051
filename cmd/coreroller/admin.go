package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"

	"github.com/coreroller/coreroller/server"
)

// admin serves the profiles on a separate listener.
type admin struct {
	listener net.Listener
	http     *http.Server
}

// listenAdmin opens the port if --admin-listen is set.
func (p *Program) listenAdmin(ctx context.Context) (*admin, error) {
	if p.config.AdminListen == "" {
		return nil, nil
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", p.config.AdminListen)
	if err != nil {
		return nil, explainListen("admin-listen", p.config.AdminListen, err)
	}
	if address, err := netip.ParseAddrPort(listener.Addr().String()); err != nil || !address.Addr().IsLoopback() {
		p.log.Warn("profiles are reachable from other machines: set --admin-listen to an address such as localhost:6060", "address", listener.Addr())
	}
	return &admin{listener: listener, http: &http.Server{Handler: server.Profile(), ReadHeaderTimeout: defaultTimeouts().header}}, nil
}

// close does not wait for requests, because a profile may take minutes. It also
// closes a listener that is not served yet.
func (a *admin) close() error {
	err := errors.Join(a.http.Close(), a.listener.Close())
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
