package clock

import (
	"fmt"
	"time"
)

// verdict is what is wrong with the host's clock.
type verdict int8

const (
	agrees  verdict = iota
	apart           // from the database's clock
	jumping         // jumped within Settle
	ahead           // was set back; the process loses the difference at half speed
)

// judge sets the state, and logs when it becomes another one or the clock jumps.
func (c *Clock) judge(r Reading, jump time.Duration) {
	was, offset := c.verdict, r.Wall.Sub(c.line.Load().at(r.Steps))
	limit := Limit
	if was != agrees {
		limit /= 2 // so that a difference near the limit is not logged again and again
	}
	switch {
	case offset.Abs() <= limit:
		c.verdict = agrees
	case c.options.Database != nil:
		c.verdict = apart
	case r.Steps-c.jumped < Settle:
		c.verdict = jumping
	default:
		c.verdict = ahead
	}
	c.state = State{Offset: offset, Steady: c.verdict == agrees || c.verdict == ahead, Text: c.verdict.describe(offset)}
	switch log := c.options.Log; {
	case c.verdict == was && jump.Abs() > Limit:
		log.Warn("the clock of this host jumped", "by", jump, "offset", offset)
	case c.verdict == was:
	case c.verdict == agrees:
		log.Info("the clock of this host agrees again")
	default:
		log.Warn("the clock of this host disagrees", "offset", offset, "effect", c.state.Text)
	}
}

func (v verdict) describe(offset time.Duration) string {
	way := "ahead of"
	if offset < 0 {
		way = "behind"
	}
	by := offset.Abs().Round(time.Second)
	switch v {
	case apart:
		return fmt.Sprintf("the clock of this host is %s %s the database's: this server answers with the database's time and does no background work; set the clock of the host or of the database", by, way)
	case jumping:
		return fmt.Sprintf("the clock of this host jumped and is %s %s the server's time: background work waits until it is steady for %s", by, way, Settle)
	case ahead:
		return fmt.Sprintf("the clock of this host was set back and is %s %s the server's time, which runs at half speed until they agree; a restart follows at once", by, way)
	}
	return ""
}
