package rollout

// Counts are attempts by how far they came. Finished is Succeeded plus Failed;
// TimedOut and RolledBack are part of Failed.
type Counts struct {
	Granted, Downloading, Downloaded, Installed int
	Succeeded, Failed, TimedOut, RolledBack     int
	Released                                    int // interrupted, deferred or withdrawn
}

// Finished is the number of attempts that ended as success or failure.
func (c Counts) Finished() int { return c.Succeeded + c.Failed }

// Plus adds two sets of counts.
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
