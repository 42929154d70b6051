package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"

	"github.com/coreroller/coreroller/server"
)

// admin is the listener for whoever runs the server: profiles, and nothing
// that machines or people need.
type admin struct {
	listener net.Listener
	http     *http.Server
}

// listenAdmin opens the port, when one is wanted.
func (p *Program) listenAdmin(ctx context.Context) (*admin, error) {
	if p.config.AdminListen == "" {
		return nil, nil
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", p.config.AdminListen)
	if err != nil {
		return nil, explainListen("admin-listen", p.config.AdminListen, err)
	}
	if address, err := netip.ParseAddrPort(listener.Addr().String()); err != nil || !address.Addr().IsLoopback() {
		p.log.Warn("profiles can be read from other machines: give --admin-listen an address such as localhost:6060", "address", listener.Addr())
	}
	return &admin{listener: listener, http: &http.Server{Handler: server.Profile(), ReadHeaderTimeout: readHeaderTimeout}}, nil
}

// serve returns when it is closed.
func (a *admin) serve() error {
	if err := a.http.Serve(a.listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// close ends it at once: a profile under way may take minutes. The listener is
// its own while nothing is served yet.
func (a *admin) close() error {
	err := errors.Join(a.http.Close(), a.listener.Close())
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
