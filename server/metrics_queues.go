package server

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/coreroller/coreroller/fleet"
)

// measureQueues adds the background work that waits in the database. It is counted at most
// every attentionEvery.
func (m *metrics) measureQueues(read func(context.Context) (fleet.Queues, error), now func() time.Time) {
	cached := atMost(m, now, func(ctx context.Context) (*fleet.Queues, error) {
		q, err := read(ctx)
		return &q, err
	})
	m.gauge(func(out func(string, float64, ...string)) {
		q := cached()
		if q == nil {
			return
		}
		out("messages", float64(q.Messages))
		age := 0.0
		if q.Oldest != nil {
			age = max(0, now().Sub(*q.Oldest).Seconds())
		}
		out("age", age)
		out("jobs", float64(q.MachineJobs))
	}, map[string]*prometheus.Desc{
		"messages": desc("coreroller_messages_waiting", "Messages of notifiers that are not delivered yet."),
		"age":      desc("coreroller_messages_oldest_age_seconds", "Age of the oldest message that is not delivered yet; 0: there is none."),
		"jobs":     desc("coreroller_machine_jobs_running", "Machine jobs that run."),
	})
}

// measureDownloads adds the downloads of stored files from this process.
func (m *metrics) measureDownloads(open func() int) {
	m.gauge(func(out func(string, float64, ...string)) { out("open", float64(open())) }, map[string]*prometheus.Desc{
		"open": desc("coreroller_downloads_open", "Downloads of stored files in progress."),
	})
}

// measurePools adds the connections to the database.
func (m *metrics) measurePools(pools func() []fleet.PoolUse) {
	m.gauge(func(out func(string, float64, ...string)) {
		for _, p := range pools() {
			out("connections", float64(p.InUse), p.Name, "in_use")
			out("connections", float64(p.Idle), p.Name, "idle")
			out("most", float64(p.Most), p.Name)
		}
	}, map[string]*prometheus.Desc{
		"connections": desc("coreroller_database_connections", "Connections to the database, by pool.", "pool", "state"),
		"most":        desc("coreroller_database_connections_limit", "Connections that a pool may open.", "pool"),
	})
	m.counter(func(out func(string, float64, ...string)) {
		for _, p := range pools() {
			out("waited", p.Waited.Seconds(), p.Name)
		}
	}, map[string]*prometheus.Desc{
		"waited": desc("coreroller_database_connection_wait_seconds_total", "Seconds that requests of this process have waited for a connection of a pool.", "pool"),
	})
}
