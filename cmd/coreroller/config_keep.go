package main

import (
	"fmt"

	"github.com/spf13/pflag"

	"github.com/coreroller/coreroller/store"
)

// keepFlag is a flag with the time for which records of one kind are kept.
type keepFlag struct {
	period store.Period
	keep   store.Keep
}

func (k *keepFlag) String() string {
	if k.keep == nil { // pflag compares with an empty value
		return ""
	}
	return store.PeriodText(k.keep.Of(k.period.Name))
}

func (k *keepFlag) Type() string { return "period" }

func (k *keepFlag) Set(text string) error {
	d, err := store.ParsePeriod(text)
	if err != nil {
		return err
	}
	if err := k.period.Check(d); err != nil {
		return err
	}
	k.keep[k.period.Name] = d
	return nil
}

// keepFlags adds a flag for every period after which records are deleted.
func (c *Config) keepFlags(f *pflag.FlagSet) {
	c.Keep = store.Keep{}
	for _, p := range store.Periods() {
		c.keepFlag(f, p)
	}
}

func (c *Config) keepFlag(f *pflag.FlagSet, p store.Period) {
	f.Var(&keepFlag{p, c.Keep}, p.Flag(), fmt.Sprintf("how long to keep %s: from %s to %s", p.Records, store.PeriodText(p.Min), store.PeriodText(p.Max)))
}
