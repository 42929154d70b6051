package server

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/coreroller/coreroller/graph"
)

// connectionUse collects how many connections of each listener are open.
type connectionUse struct {
	all               []*Connections
	open, limit, full *prometheus.Desc
}

func (m *metrics) measureConnections(all []*Connections) {
	listener := []string{"listener"}
	m.registry.MustRegister(&connectionUse{
		all:   all,
		open:  prometheus.NewDesc("coreroller_connections_open", "Open connections of a listener.", listener, nil),
		limit: prometheus.NewDesc("coreroller_connections_limit", "Open connections of a listener at which further ones wait.", listener, nil),
		full:  prometheus.NewDesc("coreroller_connections_full_total", "How often all connections of a listener were in use, so that further ones waited.", listener, nil),
	})
}

// Describe implements prometheus.Collector.
func (c *connectionUse) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.open, c.limit, c.full} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (c *connectionUse) Collect(out chan<- prometheus.Metric) {
	for _, one := range c.all {
		out <- prometheus.MustNewConstMetric(c.open, prometheus.GaugeValue, float64(one.open.Load()), one.limits.Name)
		out <- prometheus.MustNewConstMetric(c.limit, prometheus.GaugeValue, float64(one.limits.Open), one.limits.Name)
		out <- prometheus.MustNewConstMetric(c.full, prometheus.CounterValue, float64(one.full.Load()), one.limits.Name)
	}
}

// measureStreams adds the connections of dashboards and other clients that get messages.
func (m *metrics) measureStreams(read func() graph.Streams) {
	m.gauge(func(out func(string, float64, ...string)) {
		s := read()
		out("open", float64(s.Websockets), "websocket")
		out("open", float64(s.EventStreams), "event_stream")
		out("subscriptions", float64(s.Subscriptions))
	}, map[string]*prometheus.Desc{
		"open":          desc("coreroller_streams_open", "Open connections that get messages, such as those of dashboards, by kind.", "kind"),
		"subscriptions": desc("coreroller_subscriptions", "Subscriptions of the open websockets."),
	})
}
