package server

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/coreroller/coreroller/fleet/checkin"
	"github.com/coreroller/coreroller/fleet/upkeep"
)

// numbers collects gauges or counters that are read when they are asked for.
type numbers struct {
	kind prometheus.ValueType
	read func(out func(name string, value float64, labels ...string))
	all  map[string]*prometheus.Desc
}

func (m *metrics) gauge(read func(out func(name string, value float64, labels ...string)), all map[string]*prometheus.Desc) {
	m.registry.MustRegister(&numbers{prometheus.GaugeValue, read, all})
}

func (m *metrics) counter(read func(out func(name string, value float64, labels ...string)), all map[string]*prometheus.Desc) {
	m.registry.MustRegister(&numbers{prometheus.CounterValue, read, all})
}

// Describe implements prometheus.Collector.
func (c *numbers) Describe(out chan<- *prometheus.Desc) {
	for _, d := range c.all {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (c *numbers) Collect(out chan<- prometheus.Metric) {
	c.read(func(name string, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(c.all[name], c.kind, value, labels...)
	})
}

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, labels, nil)
}

// measureDatabase adds what this process knows of its database. While it cannot be used,
// nothing of the metrics asks it: the scrape would wait, and its limit would hide the
// numbers that say why.
func (m *metrics) measureDatabase(database databaseState, now func() time.Time) {
	m.usable = func() bool {
		_, failing, _, problem := database.Condition()
		return failing.IsZero() && problem == nil
	}
	m.gauge(func(out func(string, float64, ...string)) {
		committed, failing, listened, _ := database.Condition()
		if !committed.IsZero() {
			out("commit", now().Sub(committed).Seconds())
		}
		unusable := 0.0
		if !failing.IsZero() {
			unusable = max(0, now().Sub(failing).Seconds())
		}
		out("unusable", unusable)
		if !listened.IsZero() {
			out("events", now().Sub(listened).Seconds())
		}
	}, map[string]*prometheus.Desc{
		"commit":   desc("coreroller_database_commit_age_seconds", "Seconds since the last commit of the background work, which commits every three seconds."),
		"unusable": desc("coreroller_database_unusable_seconds", "Seconds for which nothing could be committed, 0 while the database works."),
		"events":   desc("coreroller_events_age_seconds", "Seconds since the connection that receives the events of other servers answered; PostgreSQL only."),
	})
}

// measureLoad adds the load by machines.
func (m *metrics) measureLoad(status func() checkin.Status) {
	m.gauge(func(out func(string, float64, ...string)) {
		s := status()
		out("rate", s.ChecksPerSecond)
		out("waiting", float64(s.Waiting))
		out("limit", float64(s.WaitingLimit))
		out("cached", float64(s.KnownMachines))
	}, map[string]*prometheus.Desc{
		"rate":    desc("coreroller_checkins_per_second", "Answered requests of machines a second, mean of the last half minute."),
		"waiting": desc("coreroller_checkins_waiting", "Requests of machines that wait for a transaction."),
		"limit":   desc("coreroller_checkins_waiting_limit", "Waiting requests at which machines are asked to come back later."),
		"cached":  desc("coreroller_cached_machines", "Machines whose checks need no transaction while nothing changes."),
	})
}

// measureJobs adds the background jobs of this process.
func (m *metrics) measureJobs(jobs func() []upkeep.Job, now func() time.Time) {
	m.gauge(func(out func(string, float64, ...string)) {
		for _, j := range jobs() {
			if j.LastRunAt == nil {
				continue
			}
			failed := 0.0
			if j.LastError != "" {
				failed = 1
			}
			out("age", now().Sub(*j.LastRunAt).Seconds(), j.Name)
			out("failed", failed, j.Name)
		}
	}, map[string]*prometheus.Desc{
		"age":    desc("coreroller_job_age_seconds", "Seconds since a background job of this process ran last.", "task"),
		"failed": desc("coreroller_job_failed", "1 if the last run of a background job failed.", "task"),
	})
}

const (
	// attentionEvery is how often what needs attention is counted at most, whatever scrapes.
	attentionEvery = 30 * time.Second
	// attentionTimeout bounds the count.
	attentionTimeout = 2 * time.Second
)

// measureAttention adds how many items need attention, by kind. Each kind has a value, so
// that an alert can end.
func (m *metrics) measureAttention(count func(context.Context) (map[string]int, error), now func() time.Time) {
	cached := atMost(m, now, count)
	m.gauge(func(out func(string, float64, ...string)) {
		for kind, n := range cached() {
			out("attention", float64(n), kind)
		}
	}, map[string]*prometheus.Desc{
		"attention": desc("coreroller_attention", "Items that need the attention of an operator, as on the page of the fleet.", "kind"),
	})
}
