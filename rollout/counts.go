package rollout

// Counts counts attempts by the stage and outcome they reached. An attempt whose
// machine has a later result in the same rollout does not count. Finished is
// Succeeded plus Failed.
type Counts struct {
	Granted, Downloading, Downloaded, Installed     int
	Succeeded, Failed                               int
	TimedOut, RolledBack, NotRunning, Lost, Looping int // part of Failed
	Released                                        int // ended as interrupted, deferred or withdrawn
}

// Finished returns the number of attempts that ended as success or failure.
func (c Counts) Finished() int { return c.Succeeded + c.Failed }

// Plus returns the sum of two counts.
func (c Counts) Plus(d Counts) Counts {
	c.Granted += d.Granted
	c.Downloading += d.Downloading
	c.Downloaded += d.Downloaded
	c.Installed += d.Installed
	c.Succeeded += d.Succeeded
	c.Failed += d.Failed
	c.TimedOut += d.TimedOut
	c.RolledBack += d.RolledBack
	c.NotRunning += d.NotRunning
	c.Lost += d.Lost
	c.Looping += d.Looping
	c.Released += d.Released
	return c
}

// Minus returns the difference of two counts.
func (c Counts) Minus(d Counts) Counts {
	return c.Plus(Counts{
		Granted: -d.Granted, Downloading: -d.Downloading, Downloaded: -d.Downloaded, Installed: -d.Installed,
		Succeeded: -d.Succeeded, Failed: -d.Failed, TimedOut: -d.TimedOut, RolledBack: -d.RolledBack, NotRunning: -d.NotRunning, Lost: -d.Lost, Looping: -d.Looping, Released: -d.Released,
	})
}

// counts returns what an ended attempt with this outcome adds.
func (o Outcome) counts() Counts {
	switch {
	case o.Success():
		return Counts{Succeeded: 1}
	case o == OutcomeTimeout:
		return Counts{Failed: 1, TimedOut: 1}
	case o == OutcomeRolledBack:
		return Counts{Failed: 1, RolledBack: 1}
	case o == OutcomeNotRunning:
		return Counts{Failed: 1, NotRunning: 1}
	case o == OutcomeLost:
		return Counts{Failed: 1, Lost: 1}
	case o == OutcomeLooping:
		return Counts{Failed: 1, Looping: 1}
	case o.Failure():
		return Counts{Failed: 1}
	default:
		return Counts{Released: 1}
	}
}

// counts returns all that the attempt added, from its grant to its end.
func (r *Result) counts() Counts {
	c := r.Outcome.counts()
	c.Granted = 1
	switch r.Stage {
	case StateInstalled:
		c.Installed = 1
		fallthrough
	case StateDownloaded:
		c.Downloaded = 1
		fallthrough
	case StateDownloading:
		c.Downloading = 1
	}
	return c
}
