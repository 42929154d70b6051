package main

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"

	"github.com/coreroller/coreroller/server"
)

// part is one listener with its server.
type part struct {
	flag     string // "listen", "listen-machines" or "listen-metrics"
	listener *server.Connections
	http     *http.Server // nil before serveParts
}

// listen opens the ports. They come before the database, because they fail most often,
// and because a second program with the same configuration must not open it.
func (p *Program) listen(ctx context.Context) error {
	each := p.config.boundConnections(openFiles(), p.log)
	for _, l := range []struct{ flag, address string }{
		{"listen", p.config.Listen}, {"listen-machines", p.config.Web.ListenMachines}, {"listen-metrics", p.config.Web.ListenMetrics},
	} {
		if l.address == "" && l.flag != "listen" {
			continue
		}
		listener, err := new(net.ListenConfig).Listen(ctx, "tcp", l.address)
		if err != nil {
			return explainListen(l.flag, l.address, err)
		}
		limits := server.ConnectionLimits{Name: l.flag, Open: each, PerAddress: p.config.perAddressOf(each), Proxies: p.config.TrustedProxies, Log: p.log}
		if l.flag == "listen-metrics" {
			limits.Open = min(each, metricsConnections)
		}
		limited := server.LimitConnections(listener, limits)
		p.parts = append(p.parts, &part{flag: l.flag, listener: limited})
	}
	return nil
}

// part returns the part of a flag, or nil.
func (p *Program) part(flag string) *part {
	for _, one := range p.parts {
		if one.flag == flag {
			return one
		}
	}
	return nil
}

// connect gives each part its server. The one of machines asks for their certificates.
func (p *Program) connect(certificates *tls.Config, machines *machineCA) {
	for _, one := range p.parts {
		handler, config := http.Handler(p.server), certificates.Clone() // net/http changes the configuration
		switch one.flag {
		case "listen":
			if p.part("listen-machines") == nil {
				config = machines.ask(config)
			}
		case "listen-machines":
			handler, config = p.server.Machines(), machines.ask(config)
		case "listen-metrics":
			handler, config = p.server.Metrics(), nil
		}
		one.http = &http.Server{
			Handler: one.listener.LimitKeepAlives(handler), TLSConfig: config,
			ReadHeaderTimeout: p.timeouts.header, ReadTimeout: p.timeouts.request, WriteTimeout: p.timeouts.write, IdleTimeout: p.timeouts.idle,
			MaxHeaderBytes: maxHeaderBytes, ErrorLog: slog.NewLogLogger(p.log.Handler(), slog.LevelDebug),
			HTTP2: &http.HTTP2Config{MaxConcurrentStreams: maxStreams},
		}
		one.listener.CloseIdleOf(one.http)
	}
}

// connections are those of all listeners.
func (p *Program) connections() (all []*server.Connections) {
	for _, one := range p.parts {
		all = append(all, one.listener)
	}
	return all
}

// closeParts stops accepting, and waits for requests in flight on all listeners at once.
func (p *Program) closeParts(ctx context.Context) error {
	errs := make(chan error, len(p.parts))
	for _, one := range p.parts {
		go func() {
			if one.http == nil { // the start failed
				errs <- one.listener.Close()
				return
			}
			err := one.http.Shutdown(ctx)
			if err != nil {
				err = errors.Join(err, one.http.Close())
			}
			errs <- err
		}()
	}
	var all []error
	for range p.parts {
		all = append(all, <-errs)
	}
	return errors.Join(all...)
}
