package rollout

import (
	"github.com/coreroller/coreroller/rollout/policy"
	"github.com/coreroller/coreroller/rollout/version"
)

// Policy says how a group updates; package policy has its fields, their checks and their
// texts. The other names are its parts and its compiled form.
type (
	Policy   = policy.Policy
	Wave     = policy.Wave
	OnDemand = policy.OnDemand
	Schedule = policy.Schedule
)

func (w *World) policy() *Policy { return w.Policy.Policy() }

// Version is a version of a package or a machine; package version orders them.
type Version = version.Version

// ParseVersion parses a semantic or numeric version. For any other text ok is false
// and v is the zero Version.
func ParseVersion(text string) (v Version, ok bool) { return version.Parse(text) }
