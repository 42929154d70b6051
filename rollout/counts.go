package rollout

// Counts counts attempts by the stage and outcome they reached. Finished is Succeeded plus Failed;
// TimedOut and RolledBack are part of Failed.
type Counts struct {
	Granted, Downloading, Downloaded, Installed int
	Succeeded, Failed, TimedOut, RolledBack     int
	Released                                    int // ended as interrupted, deferred or withdrawn
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
	c.Released += d.Released
	return c
}
