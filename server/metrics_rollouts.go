package server

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/coreroller/coreroller/fleet"
)

// measureRollouts adds the rollouts by state, and the progress of those that are not
// complete. Groups are named by their ids, because names change. They are read at most
// every attentionEvery.
func (m *metrics) measureRollouts(read func(context.Context) (map[string]int, []fleet.RolloutProgress, error), now func() time.Time) {
	type rollouts struct {
		states   map[string]int
		progress []fleet.RolloutProgress
	}
	cached := atMost(m, now, func(ctx context.Context) (all rollouts, err error) {
		all.states, all.progress, err = read(ctx)
		return all, err
	})
	group := []string{"application", "group"}
	m.gauge(func(out func(string, float64, ...string)) {
		all := cached()
		for state, n := range all.states {
			out("rollouts", float64(n), state)
		}
		for _, p := range all.progress {
			out("flight", float64(p.InFlight), p.Application, p.Group)
			out("limit", float64(p.Limit), p.Application, p.Group)
			for what, n := range map[string]int{
				"behind": p.Behind, "on_target": p.OnTarget, "granted": p.Counts.Granted, "succeeded": p.Counts.Succeeded, "failed": p.Counts.Failed, "lost": p.Counts.Lost,
			} {
				out("machines", float64(n), p.Application, p.Group, what)
			}
		}
	}, map[string]*prometheus.Desc{
		"rollouts": desc("coreroller_rollouts", "Groups by the state of their rollout.", "state"),
		"flight":   desc("coreroller_rollout_in_flight", "Updates of a group that hold a place under its limit.", group...),
		"limit":    desc("coreroller_rollout_in_flight_limit", "Updates at a time that the policy of a group allows.", group...),
		"machines": desc("coreroller_rollout_machines", "Machines of a group by their place in its rollout.", append(group, "is")...),
	})
}

// atMost reads at most every attentionEvery, whatever scrapes. While the database cannot be
// used there is no value, so that no old one is shown.
func atMost[T any](m *metrics, now func() time.Time, read func(context.Context) (T, error)) func() T {
	var mu sync.Mutex
	var last T
	var at time.Time
	return func() T {
		mu.Lock()
		defer mu.Unlock()
		if !m.usable() {
			at = time.Time{}
			return *new(T)
		}
		if at.IsZero() || now().Sub(at).Abs() >= attentionEvery {
			ctx, cancel := context.WithTimeout(context.Background(), attentionTimeout)
			defer cancel()
			found, err := read(ctx)
			if at = now(); err != nil {
				found = *new(T)
			}
			last = found
		}
		return last
	}
}
