package server

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/coreroller/coreroller/fleet/checkin"
)

// checkIns collects what this process answered to machines. The numbers are kept outside
// of the registry, because every request of a machine adds to them.
type checkIns struct {
	read                                  func() checkin.Counts
	results, reasons, events, wait, batch *prometheus.Desc
}

func (m *metrics) countCheckIns(read func() checkin.Counts) {
	m.registry.MustRegister(&checkIns{
		read:    read,
		results: desc("coreroller_checkins_total", "Requests of machines for one application, by how they ended.", "result"),
		reasons: desc("coreroller_decisions_total", "Update checks by the reason of the decision; granted is an offer.", "reason"),
		events:  desc("coreroller_events_total", "Events that machines reported, by kind, without those that only say that a machine is idle.", "kind"),
		wait:    desc("coreroller_checkin_seconds", "Duration of check-ins that needed a transaction, with their time in the queue."),
		batch:   desc("coreroller_checkin_batch_size", "Check-ins in one transaction."),
	})
}

// Describe implements prometheus.Collector.
func (c *checkIns) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.results, c.reasons, c.events, c.wait, c.batch} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (c *checkIns) Collect(out chan<- prometheus.Metric) {
	counts := c.read()
	for _, one := range []struct {
		desc   *prometheus.Desc
		values map[string]uint64
	}{{c.results, counts.Results}, {c.reasons, counts.Reasons}, {c.events, counts.Events}} {
		for label, n := range one.values {
			out <- prometheus.MustNewConstMetric(one.desc, prometheus.CounterValue, float64(n), label)
		}
	}
	for _, one := range []struct {
		desc *prometheus.Desc
		h    checkin.Histogram
	}{{c.wait, counts.Wait}, {c.batch, counts.Batch}} {
		out <- prometheus.MustNewConstHistogram(one.desc, one.h.Count, one.h.Sum, one.h.Buckets)
	}
}
