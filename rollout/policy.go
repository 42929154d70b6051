package rollout

import (
	"github.com/coreroller/coreroller/rollout/policy"
	"github.com/coreroller/coreroller/rollout/version"
)

// Policy says how a group updates. Package policy has its fields, their checks and texts.
type Policy = policy.Policy

// Wave is one step of a rollout.
type Wave = policy.Wave

// OnDemand says which rules a check may skip that a person requested at the machine.
type OnDemand = policy.OnDemand

// Schedule is a compiled policy.
type Schedule = policy.Schedule

func (w *World) policy() *Policy { return w.Policy.Policy() }

// Version is a version of a package or a machine; package version orders them.
type Version = version.Version

// ParseVersion parses a semantic or numeric version. For any other text ok is false
// and v is the zero Version.
func ParseVersion(text string) (v Version, ok bool) { return version.Parse(text) }
