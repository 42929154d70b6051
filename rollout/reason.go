package rollout

// Reason names the rule that decided an update check. Its text is stable: it is
// sent to machines in the info attribute of updatecheck, stored with the machine
// and shown in every API.
type Reason uint8

// The reasons in the order in which the rules are tried.
const (
	ReasonNone Reason = iota
	ReasonInvalidRequest
	ReasonUnknownApplication
	ReasonUnknownGroup
	ReasonUpToDate
	ReasonOutsideClientPrefix
	ReasonDisabledByClient
	ReasonQuarantined
	ReasonPinned
	ReasonHeld
	ReasonNoPackage
	ReasonBlacklisted
	ReasonUpdateInProgress
	ReasonNotEnrolled
	ReasonPaused
	ReasonHalted
	ReasonOutsideWindow
	ReasonFrozen
	ReasonWaveNotReached
	ReasonSoaking
	ReasonWaitingForApproval
	ReasonSafeModeFirst
	ReasonNewcomerWaits
	ReasonConcurrencyLimit
	ReasonPeriodLimit
	ReasonGranted
	reasonCount

	// MaxReason is the last reason.
	MaxReason = reasonCount - 1
)

var reasonText = [reasonCount]string{
	"", "invalid_request", "unknown_application", "unknown_group", "up_to_date",
	"outside_client_prefix", "disabled_by_client", "quarantined", "pinned", "held", "no_package", "blacklisted", "update_in_progress", "not_enrolled", "paused", "halted", "outside_window", "frozen",
	"wave_not_reached", "soaking", "waiting_for_approval", "safe_mode_first", "newcomer_waits", "concurrency_limit",
	"period_limit", "granted",
}

// String returns the stable code, "" for ReasonNone.
func (r Reason) String() string {
	if r >= reasonCount {
		return ""
	}
	return reasonText[r]
}

// ParseReason is the inverse of String; unknown text gives ReasonNone.
func ParseReason(text string) Reason {
	for i, t := range reasonText {
		if t == text {
			return Reason(i)
		}
	}
	return ReasonNone
}

// Counts reports whether machines with this last reason are in the census.
func (r Reason) Counts() bool { return r != ReasonNone && r != ReasonNotEnrolled }

// Excludes reports whether only the machine itself, or a person who enrolls it, lets it
// update: the rollout neither counts it nor waits for it.
func (r Reason) Excludes() bool { return r.Declines() || r == ReasonNotEnrolled }

// Declines reports whether the machine itself accepts no update.
func (r Reason) Declines() bool { return r == ReasonOutsideClientPrefix || r == ReasonDisabledByClient }

// Waits reports whether the reason counts a machine below the target as held: the group
// shows how many machines wait for it. Quarantined, pinned and held machines are counted
// apart, and updates in progress are in flight.
func (r Reason) Waits() bool {
	return r.Holds() || r.Declines() || r == ReasonNoPackage || r == ReasonBlacklisted
}

// Holds reports whether the reason puts a machine on hold (rules 9 to 13).
func (r Reason) Holds() bool { return r >= ReasonNotEnrolled && r <= ReasonPeriodLimit }
