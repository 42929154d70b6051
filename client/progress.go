package client

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// progress is a group during a rollout.
type progress struct {
	ID          string   `json:"id"`
	Name        string   `json:"name"`
	Arch        string   `json:"arch"`
	State       string   `json:"state"`
	Application named    `json:"application"`
	Channel     *named   `json:"channel"`
	Numbers     numbers  `json:"numbers"`
	Rollout     *rollout `json:"rollout"`
	Pause       *struct {
		By     string `json:"by"`
		Reason string `json:"reason"`
	} `json:"pause"`
	CurrentHold *struct {
		Sentence string     `json:"sentence"`
		Until    *time.Time `json:"until"`
	} `json:"currentHold"`
}

// counts are numbers of machines, as a list of groups shows them.
type counts struct {
	Total       int `json:"total"`
	Active      int `json:"active"`
	OnTarget    int `json:"onTarget"`
	AboveTarget int `json:"aboveTarget"`
	InFlight    int `json:"inFlight"`
	Waiting     int `json:"waiting"`
	Failed      int `json:"failed"`
}

// numbers are all counts of a group.
type numbers struct {
	counts
	ConcurrencyLimit int            `json:"concurrencyLimit"`
	Quarantined      int            `json:"quarantined"`
	Silent           int            `json:"silent"`
	Overridden       int            `json:"overridden"`
	ByVersion        []versionCount `json:"byVersion,omitempty"`
	HeldByReason     []struct {
		Reason   string `json:"reason"`
		Machines int    `json:"machines"`
	} `json:"heldByReason,omitempty"`
}

// versionCount is the number of machines that run a version.
type versionCount struct {
	Version  string `json:"version"`
	Machines int    `json:"machines"`
	Standing string `json:"standing"`
}

// rollout is the update of a group.
type rollout struct {
	ID           string     `json:"id,omitempty"`
	Version      string     `json:"version"`
	State        string     `json:"state"`
	CreatedAt    *time.Time `json:"createdAt,omitempty"`
	EndedAt      *time.Time `json:"endedAt,omitempty"`
	CurrentWave  int        `json:"currentWave,omitempty"`
	ProjectedEnd *time.Time `json:"projectedEnd,omitempty"`
	Attempts     attempts   `json:"attempts"`
	Waves        []wave     `json:"waves,omitempty"`
	Halt         *struct {
		Sentence string `json:"sentence"`
	} `json:"halt,omitempty"`
	Stall *struct {
		Cause  string `json:"cause"`
		Action string `json:"action"`
	} `json:"stall,omitempty"`
}

// attempts are counts of attempts.
type attempts struct {
	Granted   int `json:"granted"`
	Succeeded int `json:"succeeded"`
	Failed    int `json:"failed"`
}

// wave is one wave of a rollout.
type wave struct {
	Position   int      `json:"position"`
	Share      float64  `json:"share"`
	Canaries   []string `json:"canaries"`
	Expression string   `json:"expression"`
	State      string   `json:"state"`
	Attempts   attempts `json:"attempts"`
}

const (
	progressFields = `id name arch state application { id name } channel { id name } pause { by reason } currentHold { sentence until }
  numbers { total active onTarget aboveTarget inFlight concurrencyLimit waiting failed quarantined silent overridden
    byVersion { version machines standing } heldByReason { reason machines } }
  rollout { id version state createdAt endedAt currentWave projectedEnd halt { sentence } stall { cause action }
    attempts { granted succeeded failed }
    waves { position share canaries expression state attempts { granted succeeded failed } } }`

	progressDocument = `subscription($id: ID!) { groupChanged(groupId: $id) { group { ` + progressFields + ` } } }`
)

// follow sends the state of a group to receive, at first and after every change, until it
// returns api.ErrEnd or another error.
func (s *session) follow(ctx context.Context, group place, receive func(*progress) error) error {
	return s.followQuietly(ctx, group, s.lost, receive)
}

// followQuietly is follow with another report of a lost connection.
func (s *session) followQuietly(ctx context.Context, group place, lost func(error), receive func(*progress) error) error {
	return s.Follow(ctx, progressDocument, map[string]any{"id": group.ID}, lost, func(data json.RawMessage) error {
		var message struct {
			GroupChanged struct{ Group *progress }
		}
		if err := json.Unmarshal(data, &message); err != nil {
			return err
		}
		if message.GroupChanged.Group == nil {
			return fmt.Errorf("group %s was deleted", group.path())
		}
		return receive(message.GroupChanged.Group)
	})
}

// updated is the number of active machines that need no update any more, and of how many.
func (g *progress) updated() (done, all int) {
	return g.Numbers.OnTarget + g.Numbers.AboveTarget, g.Numbers.Active
}

// share is the part of the active machines that are updated, from 0 to 1.
func (g *progress) share() float64 {
	done, all := g.updated()
	if all == 0 {
		return 0
	}
	return float64(done) / float64(all)
}

// percent rounds down, so that 100 % means all.
func percent(share float64) string {
	return fmt.Sprintf("%.1f %%", float64(int(share*1000))/10)
}

// waveText is such as "wave 3 of 4", "" without a rollout.
func (g *progress) waveText() string {
	if g.Rollout == nil || len(g.Rollout.Waves) < 2 {
		return ""
	}
	return fmt.Sprintf("wave %d of %d", g.Rollout.CurrentWave, len(g.Rollout.Waves))
}

// target is the version of the rollout, "–" without one.
func (g *progress) target() string {
	if g.Rollout == nil {
		return "–"
	}
	return g.Rollout.Version
}

// progressLine prints the state of a group in one line.
func (s *session) progressLine(g *progress) {
	done, all := g.updated()
	state := enum(g.State)
	if text := g.waveText(); text != "" {
		state += ", " + text
	}
	failed := ink{text: count(g.Numbers.Failed) + " failed"}
	if g.Numbers.Failed > 0 {
		failed.style = red
	}
	s.line("%s  %s  %s of %s  %s in flight  %s  %s", ink{time.Now().Format(time.TimeOnly), dim}, percent(g.share()),
		count(done), count(all), count(g.Numbers.InFlight), failed, ink{state, stateStyles[g.State]})
}
