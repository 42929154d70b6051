package server

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/coreroller/coreroller/fleet/disk"
)

// disks collects the free space of the folders that the server writes to.
type disks struct {
	watch                        *disk.Watch
	free, size, reserve, refused *prometheus.Desc
}

func (m *metrics) measureDisks(w *disk.Watch) {
	folder := []string{"folder"}
	m.registry.MustRegister(&disks{
		watch:   w,
		free:    prometheus.NewDesc("coreroller_disk_free_bytes", "Free bytes of the disk of a folder that the server writes to.", folder, nil),
		size:    prometheus.NewDesc("coreroller_disk_size_bytes", "Size of the disk of a folder that the server writes to.", folder, nil),
		reserve: prometheus.NewDesc("coreroller_disk_reserve_bytes", "Free bytes below which the server refuses new machines or uploads.", folder, nil),
		refused: prometheus.NewDesc("coreroller_disk_refused_machines_total", "Requests of new machines that were refused because the disk was nearly full.", nil, nil),
	})
}

// Describe implements prometheus.Collector.
func (c *disks) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.free, c.size, c.reserve, c.refused} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (c *disks) Collect(out chan<- prometheus.Metric) {
	for _, s := range c.watch.States() {
		if !s.Known {
			continue
		}
		out <- prometheus.MustNewConstMetric(c.free, prometheus.GaugeValue, float64(s.Free), s.Name)
		out <- prometheus.MustNewConstMetric(c.size, prometheus.GaugeValue, float64(s.Total), s.Name)
		out <- prometheus.MustNewConstMetric(c.reserve, prometheus.GaugeValue, float64(s.Bounds.Reserve), s.Name)
	}
	out <- prometheus.MustNewConstMetric(c.refused, prometheus.CounterValue, float64(c.watch.Refused()))
}
