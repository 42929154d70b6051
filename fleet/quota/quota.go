// Package quota bounds what clients without credentials can make the server store,
// and counts what was refused. Known machines are never limited in what they ask,
// only in what is stored about them.
package quota

import (
	"slices"
	"strings"
)

// Quotas are the bounds. They apply in each process. Zero is no bound.
type Quotas struct {
	// NewMachinesPerAddress bounds the machines that one address registers in a
	// minute. A network of 64 bits counts as one address in IPv6.
	NewMachinesPerAddress int
	// NewMachinesPerGroup bounds the machines that register in one group in a
	// minute.
	NewMachinesPerGroup int
	// HistoryPerMachine bounds the history entries of one machine in an hour.
	HistoryPerMachine int
	// ValuesPerGroup bounds the distinct versions of a group, and its platforms.
	ValuesPerGroup int
	// Mirrors decides which clients are served as mirrors. Zero serves any.
	Mirrors Mirrors
}

// Mirrors are the clients that may be served as mirrors: any, or those listed.
type Mirrors struct {
	Listed bool
	IDs    []string // machine ids
}

// Admit reports whether a client may be served as a mirror.
func (m Mirrors) Admit(machine string) bool {
	return !m.Listed || slices.ContainsFunc(m.IDs, func(id string) bool { return strings.EqualFold(id, machine) })
}

// What is stored in place of a value beyond ValuesPerGroup. OtherVersion is a valid
// version, lower than all others.
const (
	Other        = "other"
	OtherVersion = "0.0.0-other"
)

// Defaults returns the quotas of a server that is configured otherwise in nothing.
// Ten thousand new machines behind one address that check every 45 minutes are 220
// a minute. An update writes about six history entries, and a fleet has a few dozen
// versions and platforms.
func Defaults() Quotas {
	return Quotas{NewMachinesPerAddress: 1000, NewMachinesPerGroup: 10_000, HistoryPerMachine: 100, ValuesPerGroup: 1000}
}
