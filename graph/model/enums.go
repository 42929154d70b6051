package model

import (
	"slices"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/job"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/rollout/policy"
	"github.com/coreroller/coreroller/rollout/version"
)

// Names of enumerations, in the order of the numbers if there are numbers.
const (
	instanceStates = "NONE UNDEFINED GRANTED ERROR COMPLETE INSTALLED DOWNLOADED DOWNLOADING ON_HOLD"
	standings      = "ACTIVE SILENT OVERRIDDEN QUARANTINED"
	rolloutStates  = "ACTIVE PAUSED HALTED COMPLETED SUPERSEDED"
	outcomes       = "SUCCEEDED FAILED ROLLED_BACK TIMED_OUT INTERRUPTED DEFERRED WITHDRAWN NOT_RUNNING CAME_BACK LOST LOOPING" // from 1
	overrideKinds  = "HOLD PIN"                                                                                                 // from 1
	packageTypes   = "OPERATING_SYSTEM DOCKER RKT OTHER"                                                                        // from 1
	severities     = "SUCCESS INFO WARNING ERROR"                                                                               // from 1
	countedAs      = "ON_TARGET OTHER_BUILD ABOVE_TARGET BAD_VERSION IN_FLIGHT WAITING FAILED QUARANTINED SILENT OVERRIDDEN"
	jobResults     = "FAILED AFTER_UPDATE SKIPPED DONE PENDING"
	roles          = "VIEWER OPERATOR PUBLISHER ADMIN OWNER" // from 1
	weekdays       = "SUNDAY MONDAY TUESDAY WEDNESDAY THURSDAY FRIDAY SATURDAY"
	activityKinds  = "PACKAGE_NOT_FOUND ROLLOUT_STARTED ROLLOUT_FINISHED ROLLOUT_HALTED MACHINE_FAILED CHANNEL_MOVED " +
		"PAUSED RESUMED WAVE_ADVANCED MACHINE_QUARANTINED PACKAGE_BLACKLISTED POLICY_CHANGED MIRROR_FAILED " +
		"MACHINE_CAME_BACK ROLLOUT_STALLED TIMES_REPAIRED SAME_VERSION ROLLED_BACK " +
		"MACHINES_HELD MACHINES_PINNED MACHINES_RELEASED MACHINES_MOVED MIRROR_WORKS MIRROR_FOUND MIRROR_WITHDRAWN " +
		"REBOOT_SLOT_OVERDUE REBOOT_SLOT_RELEASED MACHINES_LABELED" // from 1
)

type number interface{ ~int8 | ~uint8 | ~int }

// name writes the name of a number; first is the number of the first name. An
// unknown number, which no row should contain, gets the first name.
func name[T number](n T, first T, names string) graphql.Marshaler {
	all := strings.Fields(names)
	i := int(n) - int(first)
	if i < 0 || i >= len(all) {
		i = 0
	}
	return graphql.MarshalString(all[i])
}

func numbered[T number](v any, first T, names string) (T, error) {
	text, _ := v.(string)
	i := slices.Index(strings.Fields(names), text)
	if i < 0 {
		return 0, inputError("%.50q is not one of %s", text, strings.ReplaceAll(names, " ", ", "))
	}
	return first + T(i), nil
}

// MarshalRole writes a role.
func MarshalRole(r auth.Role) graphql.Marshaler { return name(r, 1, roles) }

// UnmarshalRole reads a role.
func UnmarshalRole(v any) (auth.Role, error) { return numbered[auth.Role](v, 1, roles) }

// MarshalInstanceState writes a state of a machine.
func MarshalInstanceState(s rollout.State) graphql.Marshaler { return name(s, 0, instanceStates) }

// UnmarshalInstanceState reads a state of a machine.
func UnmarshalInstanceState(v any) (rollout.State, error) {
	return numbered[rollout.State](v, 0, instanceStates)
}

// MarshalStanding writes a standing.
func MarshalStanding(s rollout.Standing) graphql.Marshaler { return name(s, 0, standings) }

// UnmarshalStanding reads a standing.
func UnmarshalStanding(v any) (rollout.Standing, error) {
	return numbered[rollout.Standing](v, 0, standings)
}

// MarshalRolloutState writes a state of a rollout.
func MarshalRolloutState(s rollout.RolloutState) graphql.Marshaler { return name(s, 0, rolloutStates) }

// UnmarshalRolloutState reads a state of a rollout.
func UnmarshalRolloutState(v any) (rollout.RolloutState, error) {
	return numbered[rollout.RolloutState](v, 0, rolloutStates)
}

// MarshalOutcome writes how an attempt ended.
func MarshalOutcome(o rollout.Outcome) graphql.Marshaler { return name(o, 1, outcomes) }

// UnmarshalOutcome reads how an attempt ended.
func UnmarshalOutcome(v any) (rollout.Outcome, error) {
	return numbered[rollout.Outcome](v, 1, outcomes)
}

// MarshalOverrideKind writes the kind of an override.
func MarshalOverrideKind(k rollout.OverrideKind) graphql.Marshaler { return name(k, 1, overrideKinds) }

// UnmarshalOverrideKind reads the kind of an override.
func UnmarshalOverrideKind(v any) (rollout.OverrideKind, error) {
	return numbered[rollout.OverrideKind](v, 1, overrideKinds)
}

// MarshalPackageType writes the type of a package.
func MarshalPackageType(t int8) graphql.Marshaler { return name(t, 1, packageTypes) }

// UnmarshalPackageType reads the type of a package.
func UnmarshalPackageType(v any) (int8, error) { return numbered[int8](v, 1, packageTypes) }

// MarshalActivityKind writes a kind of activity.
func MarshalActivityKind(k rollout.ActivityKind) graphql.Marshaler { return name(k, 1, activityKinds) }

// UnmarshalActivityKind reads a kind of activity.
func UnmarshalActivityKind(v any) (rollout.ActivityKind, error) {
	return numbered[rollout.ActivityKind](v, 1, activityKinds)
}

// MarshalSeverity writes a severity.
func MarshalSeverity(s rollout.Severity) graphql.Marshaler { return name(s, 1, severities) }

// UnmarshalSeverity reads a severity.
func UnmarshalSeverity(v any) (rollout.Severity, error) {
	return numbered[rollout.Severity](v, 1, severities)
}

// MarshalMachineJobResult writes what became of one machine of a job.
func MarshalMachineJobResult(r job.Result) graphql.Marshaler { return name(r, 0, jobResults) }

// UnmarshalMachineJobResult reads what became of one machine of a job.
func UnmarshalMachineJobResult(v any) (job.Result, error) {
	return numbered[job.Result](v, 0, jobResults)
}

// MarshalWeekday writes a day of the week.
func MarshalWeekday(d time.Weekday) graphql.Marshaler { return name(d, 0, weekdays) }

// UnmarshalWeekday reads a day of the week.
func UnmarshalWeekday(v any) (time.Weekday, error) { return numbered[time.Weekday](v, 0, weekdays) }

// MarshalReason writes a reason.
func MarshalReason(r rollout.Reason) graphql.Marshaler { return MarshalReasonCode(r.String()) }

// UnmarshalReason reads a reason.
func UnmarshalReason(v any) (rollout.Reason, error) {
	text, _ := v.(string)
	r := rollout.ParseReason(strings.ToLower(text))
	if r == rollout.ReasonNone && text != "NONE" {
		return r, inputError("%.50q is not a reason", text)
	}
	return r, nil
}

// MarshalReasonCode writes a reason as it is stored.
func MarshalReasonCode(code string) graphql.Marshaler {
	if rollout.ParseReason(code) == rollout.ReasonNone {
		return graphql.MarshalString("NONE")
	}
	return graphql.MarshalString(strings.ToUpper(code))
}

// UnmarshalReasonCode reads a reason as it is stored.
func UnmarshalReasonCode(v any) (string, error) {
	r, err := UnmarshalReason(v)
	return r.String(), err
}

// MarshalRefusalReason writes why a request was refused, as it is stored.
func MarshalRefusalReason(code string) graphql.Marshaler {
	return graphql.MarshalString(strings.ToUpper(code))
}

// UnmarshalRefusalReason reads why a request was refused.
func UnmarshalRefusalReason(v any) (string, error) {
	text, _ := v.(string)
	return strings.ToLower(text), nil
}

// MarshalHaltRule writes the rule that halted.
func MarshalHaltRule(r rollout.HaltRule) graphql.Marshaler {
	if r == "" {
		r = rollout.HaltByPerson
	}
	return graphql.MarshalString(strings.ToUpper(string(r)))
}

// UnmarshalHaltRule reads the rule that halted.
func UnmarshalHaltRule(v any) (rollout.HaltRule, error) {
	text, _ := v.(string)
	return rollout.HaltRule(strings.ToLower(text)), nil
}

// MarshalVersioning writes which texts are versions of an application.
func MarshalVersioning(s version.Versioning) graphql.Marshaler {
	return graphql.MarshalString(strings.ToUpper(string(s)))
}

// UnmarshalVersioning reads which texts are versions of an application.
func UnmarshalVersioning(v any) (version.Versioning, error) {
	text, _ := v.(string)
	return version.Versioning(strings.ToLower(text)), nil
}

// MarshalOnDemand writes which rules an on-demand check may skip.
func MarshalOnDemand(o rollout.OnDemand) graphql.Marshaler {
	if o == policy.OnDemandSameRules {
		return graphql.MarshalString("SAME_RULES")
	}
	return graphql.MarshalString(strings.ToUpper(string(o)))
}

// UnmarshalOnDemand reads which rules an on-demand check may skip.
func UnmarshalOnDemand(v any) (rollout.OnDemand, error) {
	text, _ := v.(string)
	if text == "SAME_RULES" {
		return policy.OnDemandSameRules, nil
	}
	return rollout.OnDemand(strings.ToLower(text)), nil
}

// MarshalCountedAs writes the count that includes a machine.
func MarshalCountedAs(p catalog.Part) graphql.Marshaler { return graphql.MarshalString(string(p)) }

// UnmarshalCountedAs reads the count that includes a machine.
func UnmarshalCountedAs(v any) (catalog.Part, error) {
	text, _ := v.(string)
	if !slices.Contains(strings.Fields(countedAs), text) {
		return "", inputError("%.50q is not a count of machines", text)
	}
	return catalog.Part(text), nil
}
