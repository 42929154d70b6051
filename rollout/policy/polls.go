package policy

import "time"

const (
	// usualPoll is the longest time between two polls of update_engine, and of most
	// programs, if the policy sets none: 45 minutes, give or take 5.
	usualPoll = 50 * time.Minute
	// lostPolls is how many polls an installed machine may miss before it is lost.
	lostPolls = 3
)

// LongestPoll returns the longest time between two polls of a machine that is
// well. Machines vary an interval by up to half.
func (p *Policy) LongestPoll() time.Duration {
	if p.PollInterval > 0 {
		return p.PollInterval * 3 / 2
	}
	return usualPoll
}

// Lease returns how long a machine may work on an update without a report. A
// machine whose response got lost asks again one poll later.
func (p *Policy) Lease() time.Duration {
	if p.PollInterval > 0 {
		return max(p.UpdateTimeout, p.LongestPoll())
	}
	return p.UpdateTimeout
}

// MaxSilence returns how long an installed machine may be silent before it is lost.
func (p *Policy) MaxSilence() time.Duration {
	if p.LostAfter > 0 {
		return p.LostAfter
	}
	return max(p.UpdateTimeout, lostPolls*p.LongestPoll())
}

// KnownBefore returns the time before which a machine must have been seen to be known in
// a rollout that begins now.
func (p *Policy) KnownBefore(now time.Time) time.Time { return now.Add(-p.EvidenceAge) }
