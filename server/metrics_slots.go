package server

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/coreroller/coreroller/fleet"
)

// slotTimeout bounds the read of reboot slots for the metrics.
const slotTimeout = 2 * time.Second

// slots collects the reboot slots of groups, which are named by their ids, because names
// change.
type slots struct {
	usable               func() bool
	uses                 func(context.Context) ([]fleet.RebootUse, error)
	limit, held, overdue *prometheus.Desc
}

// measureSlots adds the reboot slots of the groups that coordinate reboots.
func (m *metrics) measureSlots(uses func(context.Context) ([]fleet.RebootUse, error)) {
	gauge := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc("coreroller_reboot_slots_"+name, help, []string{"application", "group"}, nil)
	}
	m.registry.MustRegister(&slots{
		usable:  func() bool { return m.usable() },
		uses:    uses,
		limit:   gauge("limit", "Reboot slots of a group, as its policy says."),
		held:    gauge("held", "Reboot slots of a group that are held."),
		overdue: gauge("overdue", "Reboot slots of a group that are held for longer than its policy expects."),
	})
}

// Describe implements prometheus.Collector.
func (c *slots) Describe(out chan<- *prometheus.Desc) {
	out <- c.limit
	out <- c.held
	out <- c.overdue
}

// Collect implements prometheus.Collector. Slots that cannot be read have no
// value, so a scrape shows no old ones.
func (c *slots) Collect(out chan<- prometheus.Metric) {
	if !c.usable() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), slotTimeout)
	defer cancel()
	all, err := c.uses(ctx)
	if err != nil {
		return // the series end; the health check shows the state of the database
	}
	for _, use := range all {
		for desc, value := range map[*prometheus.Desc]int{c.limit: use.Limit, c.held: use.Held, c.overdue: use.Overdue} {
			out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, float64(value), use.Application, use.Group)
		}
	}
}
