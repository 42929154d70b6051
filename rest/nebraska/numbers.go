package nebraska

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/view"
	"github.com/coreroller/coreroller/fleet/view/machines"
	"github.com/coreroller/coreroller/rest/endpoint"
	"github.com/coreroller/coreroller/rollout"
)

// span is one of Nebraska's time spans, with the interval between two points of a chart.
type span struct{ length, step time.Duration }

const day = 24 * time.Hour

var spans = map[string]span{
	"1h": {time.Hour, 15 * time.Minute}, "1d": {day, time.Hour}, "7d": {7 * day, day}, "30d": {30 * day, 3 * day},
}

func spanOf(q *endpoint.Params) span {
	s, ok := spans[q.Get("duration")]
	if !ok {
		q.Refuse("duration", "must be 1h, 1d, 7d or 30d")
	}
	return s
}

// within returns the machines of a group that were seen within the duration. Counters
// distinguish machines that were seen within a day; a machine leaves its group after a
// month.
func (h *Handler) within(q *endpoint.Params, group uuid.UUID) machines.Filter {
	f, length := machines.Filter{Group: &group}, spanOf(q).length
	if length <= day {
		f.Standings = machines.Seen()
	}
	if length == time.Hour || length == 7*day {
		f.SeenAfter = new(h.Now().Add(-length))
	}
	return f
}

// count counts machines. Those without counters are counted one by one.
func (h *Handler) count(ctx context.Context, f machines.Filter) (int, error) {
	n, exact, err := h.Fleet.View.CountMachines(ctx, f, mostCounted)
	if err == nil && !exact {
		err = fault.Errorf(fault.Invalid, "duration", "more than %d machines match: ask for 1d or 30d without a search, which have counters", mostCounted)
	}
	return n, err
}

// statsJSON counts machines by state.
type statsJSON struct {
	Total         int `json:"total"`
	Undefined     int `json:"undefined"`
	UpdateGranted int `json:"update_granted"`
	Error         int `json:"error"`
	Complete      int `json:"complete"`
	Installed     int `json:"installed"`
	Downloaded    int `json:"downloaded"`
	Downloading   int `json:"downloading"`
	OnHold        int `json:"onhold"`
}

// stats counts the machines of a group by state. As in Nebraska a machine without a state
// that runs the channel's version counts as complete.
func (h *Handler) stats(_ http.ResponseWriter, r *http.Request) (any, error) {
	id, err := h.groupRoutes().Find(r)
	if err != nil {
		return nil, err
	}
	q := endpoint.ParamsOf(r)
	f := h.within(q, id)
	if q.Err != nil {
		return nil, q.Err
	}
	group, err := h.Fleet.View.Group(r.Context(), id, view.Edge("channel", wholeChannel()))
	if err != nil {
		return nil, err
	}
	var s statsJSON
	for state, n := range map[rollout.State]*int{
		rollout.StateUndefined: &s.Undefined, rollout.StateGranted: &s.UpdateGranted, rollout.StateError: &s.Error,
		rollout.StateComplete: &s.Complete, rollout.StateInstalled: &s.Installed, rollout.StateDownloaded: &s.Downloaded,
		rollout.StateDownloading: &s.Downloading, rollout.StateOnHold: &s.OnHold,
	} {
		f.States = statesOf(int(state))
		if *n, err = h.count(r.Context(), f); err != nil {
			return nil, err
		}
		s.Total += *n
	}
	if ch := group.Edges.Channel; ch != nil && ch.Edges.Package != nil {
		f.States, f.Versions = statesOf(int(rollout.StateUndefined)), []string{ch.Edges.Package.Version}
		done, err := h.count(r.Context(), f)
		if err != nil {
			return nil, err
		}
		s.Undefined, s.Complete = s.Undefined-done, s.Complete+done
	}
	return s, nil
}

// shareJSON counts the machines that run one version.
type shareJSON struct {
	Version    string  `json:"version"`
	Instances  int     `json:"instances"`
	Percentage float64 `json:"percentage"` // of the total
}

// breakdown counts the machines of a group by version, seen within 24 hours.
func (h *Handler) breakdown(_ http.ResponseWriter, r *http.Request) (any, error) {
	id, err := h.groupRoutes().Find(r)
	if err != nil {
		return nil, err
	}
	n, err := h.Fleet.View.GroupNumbers(r.Context(), id)
	if err != nil {
		return nil, err
	}
	all := []shareJSON{}
	for _, v := range n.ByVersion {
		if v.Active > 0 {
			all = append(all, shareJSON{Version: v.Version, Instances: v.Active, Percentage: 100 * float64(v.Active) / float64(n.Active)})
		}
	}
	return all, nil
}

// at is the machines at one point of a chart.
type at struct {
	time   string
	points []*db.StatPoint
}

// chart reads the points of a group for a duration. Each contains the last points that were
// recorded before, none if there are none.
func (h *Handler) chart(r *http.Request) ([]at, error) {
	id, err := h.groupRoutes().Find(r)
	if err != nil {
		return nil, err
	}
	q := endpoint.ParamsOf(r)
	s := spanOf(q)
	if q.Err != nil {
		return nil, q.Err
	}
	now := h.Now().UTC().Truncate(time.Second)
	start := now.Add(-s.length)
	points, err := h.Fleet.View.Points(r.Context(), id, start.Add(-s.step), now)
	if err != nil {
		return nil, err
	}
	var all []at
	for t := start; !t.After(now); t = t.Add(s.step) {
		end := 0
		for end < len(points) && !points[end].At.After(t) {
			end++
		}
		begin := end
		for begin > 0 && points[begin-1].At.Equal(points[end-1].At) {
			begin--
		}
		all = append(all, at{t.Format(time.RFC3339), points[begin:end]})
	}
	return all, nil
}

// versionTimeline counts machines by time and version.
func (h *Handler) versionTimeline(_ http.ResponseWriter, r *http.Request) (any, error) {
	chart, err := h.chart(r)
	if err != nil {
		return nil, err
	}
	versions, times := map[string]bool{}, map[string]map[string]int{}
	for _, c := range chart {
		times[c.time] = map[string]int{}
		for _, p := range c.points {
			versions[p.Version] = true
			times[c.time][p.Version] += p.Machines
		}
	}
	for _, counts := range times {
		for version := range versions {
			counts[version] += 0 // every point has every version
		}
	}
	return times, nil
}

// statusTimeline counts machines by time, status and version.
func (h *Handler) statusTimeline(_ http.ResponseWriter, r *http.Request) (any, error) {
	chart, err := h.chart(r)
	if err != nil {
		return nil, err
	}
	states, times := map[rollout.State]bool{}, map[string]map[rollout.State]map[string]int{}
	for _, c := range chart {
		times[c.time] = map[rollout.State]map[string]int{}
		for _, p := range c.points {
			if p.State == rollout.StateNone {
				continue
			}
			states[p.State] = true
			if times[c.time][p.State] == nil {
				times[c.time][p.State] = map[string]int{}
			}
			times[c.time][p.State][p.Version] += p.Machines
		}
	}
	for _, counts := range times {
		for state := range states {
			if counts[state] == nil {
				counts[state] = map[string]int{} // every point has every state
			}
		}
	}
	return times, nil
}
