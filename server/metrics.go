package server

import (
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/notice"
	"github.com/coreroller/coreroller/fleet/quota"
	"github.com/coreroller/coreroller/fleet/upkeep"
)

// metrics are the metrics of one Server, in their own registry.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	usable   func() bool // whether the database may be asked
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		usable:   func() bool { return true },
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "coreroller_http_requests_total", Help: "Requests by route and status, without the Omaha endpoint.",
		}, []string{"route", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "coreroller_http_request_seconds", Help: "Request duration in seconds by route, without the Omaha endpoint. A websocket counts for its whole lifetime.",
			Buckets: []float64{.001, .005, .01, .05, .1, .5, 1, 5, 20},
		}, []string{"route"}),
	}
	m.registry.MustRegister(m.requests, m.seconds, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// show adds the version of the program.
func (m *metrics) show(version string) {
	m.gauge(func(out func(string, float64, ...string)) { out("build", 1, version, runtime.Version()) }, map[string]*prometheus.Desc{
		"build": desc("coreroller_build_info", "1, with the version of the program and of Go.", "version", "go"),
	})
}

// countRefusals adds the counters of what the Omaha endpoint refused, by kind.
func (m *metrics) countRefusals(r *quota.Refusals) {
	for _, kind := range quota.Kinds() {
		m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "coreroller_refused_total", Help: "Requests and values of clients without credentials that were refused or not stored, and failed update checks of many machines within minutes (failed_check), by kind.",
			ConstLabels: prometheus.Labels{"kind": string(kind)},
		}, func() float64 { return float64(r.Total(kind)) }))
	}
}

// measureClock adds the offset of the host's clock.
func (m *metrics) measureClock(offset func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "coreroller_clock_offset_seconds", Help: "Seconds by which the clock of this host is ahead of the time that the server uses.",
	}, offset))
}

// count counts the requests of a route. Routes are few and fixed, so the number
// of label values is bounded.
func (m *metrics) count(route string, next http.Handler) http.Handler {
	seconds := m.seconds.WithLabelValues(route)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := &recorder{ResponseWriter: w}
		timer := prometheus.NewTimer(seconds)
		defer func() {
			timer.ObserveDuration()
			m.requests.WithLabelValues(route, strconv.Itoa(rec.status())).Inc()
		}()
		next.ServeHTTP(rec, r)
	})
}

// countRefusedRequests adds the counters of requests that reached no group, by
// reason. f returns them all.
func (m *metrics) countRefusedRequests(f func() map[string]int64) {
	for reason := range f() {
		m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "coreroller_refused_requests_total", Help: "Requests of machines that were refused before they reached a group, by reason.",
			ConstLabels: prometheus.Labels{"reason": reason},
		}, func() float64 { return float64(f()[reason]) }))
	}
}

// mirrors collects the state of the mirrors' channels. Upstreams and channels are named by
// their ids, because names change.
type mirrors struct {
	states        func() []fleet.MirrorState
	age, failures *prometheus.Desc
	now           func() time.Time
}

func (m *metrics) measureMirrors(states func() []fleet.MirrorState, now func() time.Time) {
	labels := []string{"upstream", "channel", "track", "arch"}
	m.registry.MustRegister(&mirrors{
		states: states, now: now,
		age: prometheus.NewDesc("coreroller_mirror_last_success_age_seconds",
			"Seconds since the last run of a mirror's channel that did not fail; no value before the first.", labels, nil),
		failures: prometheus.NewDesc("coreroller_mirror_failures", "Failed runs of a mirror's channel in a row.", labels, nil),
	})
}

// Describe implements prometheus.Collector.
func (c *mirrors) Describe(out chan<- *prometheus.Desc) {
	out <- c.age
	out <- c.failures
}

// Collect implements prometheus.Collector.
func (c *mirrors) Collect(out chan<- prometheus.Metric) {
	for _, s := range c.states() {
		labels := []string{s.Upstream, s.Channel, s.Track, s.Arch}
		out <- prometheus.MustNewConstMetric(c.failures, prometheus.GaugeValue, float64(s.Failures), labels...)
		if s.LastSuccess != nil {
			out <- prometheus.MustNewConstMetric(c.age, prometheus.GaugeValue, c.now().Sub(*s.LastSuccess).Seconds(), labels...)
		}
	}
}

// countMessages adds the counters of messages to other servers, by kind of receiver and
// result.
func (m *metrics) countMessages(f func(notice.Count) int64) {
	for _, c := range notice.Counts() {
		m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "coreroller_messages_total", Help: "Attempts of this process to send messages of notifiers, by kind of receiver and result.",
			ConstLabels: prometheus.Labels{"kind": strings.ToLower(string(c.Kind)), "result": c.Result},
		}, func() float64 { return float64(f(c)) }))
	}
}

// countDeletions adds the numbers of records deleted by age, and how far that is behind.
func (m *metrics) countDeletions(f func() []upkeep.Retained) {
	for i, r := range f() {
		label := prometheus.Labels{"records": r.Name}
		m.registry.MustRegister(
			prometheus.NewCounterFunc(prometheus.CounterOpts{
				Name: "coreroller_retention_deleted_rows_total", Help: "Records that this process deleted because they were older than their period, by kind.", ConstLabels: label,
			}, func() float64 { return float64(f()[i].Deleted) }),
			prometheus.NewGaugeFunc(prometheus.GaugeOpts{
				Name: "coreroller_retention_behind_seconds", Help: "How much older than its period the oldest record was after the last batch of this process that left some, by kind; 0: none is left.", ConstLabels: label,
			}, func() float64 { return f()[i].Behind.Seconds() }),
		)
	}
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}
