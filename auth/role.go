package auth

import (
	"fmt"
	"slices"
	"strings"
)

// Role is what a principal may do. Each role may do everything that the roles before
// it may. The zero Role may do nothing.
type Role int8

// The roles.
const (
	Viewer    Role = iota + 1 // reads
	Operator                  // also controls rollouts and machines: pauses, resumes, halts, rolls back, overrides
	Publisher                 // also decides what machines get: packages, promotions, floors, blacklists, policies
	Admin                     // also creates and deletes applications, groups and channels, and manages users
	Owner                     // also manages teams and owners; always on the whole installation
)

var roleNames = []string{"", "viewer", "operator", "publisher", "admin", "owner"}

// Roles returns all roles, those that may do least first.
func Roles() []Role { return []Role{Viewer, Operator, Publisher, Admin, Owner} }

// String is the name of the role, as in the database and the command line.
func (r Role) String() string {
	if r < Viewer || r > Owner {
		return ""
	}
	return roleNames[r]
}

// ParseRole reads the name of a role.
func ParseRole(name string) (Role, error) {
	if i := slices.Index(roleNames, name); i > 0 {
		return Role(i), nil //nolint:gosec // G115: i is below len(roleNames)
	}
	return 0, fmt.Errorf("must be one of %s, not %q", strings.Join(roleNames[1:], ", "), name)
}

// MarshalText implements encoding.TextMarshaler.
func (r Role) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (r *Role) UnmarshalText(text []byte) (err error) {
	*r, err = ParseRole(string(text))
	return err
}

// Permissions returns the names of the verbs and reads that need a role and that this
// role may call, sorted.
func (r Role) Permissions() []string {
	all := make([]string, 0, len(needs))
	for name, least := range needs {
		if least <= r {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return all
}

// Needs returns the least role for a verb or a read, by its name in the API; Viewer
// if it is for all users.
func Needs(name string) Role { return max(needs[name], Viewer) }

// needs has the least role for every verb, by its name in the API, and for the reads
// that are not for all viewers. Users change their own password in any role. The schema
// shows it (directive needs), the service layer enforces it, and the dashboard disables
// what the user may not do.
var needs = map[string]Role{
	"pauseUpdates":      Operator,
	"resumeUpdates":     Operator,
	"haltRollout":       Operator,
	"advanceWave":       Operator,
	"rollBack":          Operator,
	"holdInstance":      Operator,
	"pinInstance":       Operator,
	"releaseInstance":   Operator,
	"setInstanceAlias":  Operator,
	"labelInstance":     Operator,
	"moveInstance":      Operator,
	"enrollInstances":   Operator,
	"releaseRebootSlot": Operator,
	"startMachineJob":   Operator, // and what the action needs for one machine
	"stopMachineJob":    Operator,
	"retryMachineJob":   Operator,
	"downloads":         Operator, // addresses of machines

	"payloadInspected":   Publisher,
	"createPackage":      Publisher,
	"updatePackage":      Publisher,
	"deletePackage":      Publisher,
	"uploadPackageFile":  Publisher,
	"fetchPackageFile":   Publisher,
	"deletePackageFile":  Publisher,
	"promotePackage":     Publisher,
	"addFloor":           Publisher,
	"removeFloor":        Publisher,
	"blacklistPackage":   Publisher,
	"unblacklistPackage": Publisher,
	"updatePolicy":       Publisher,
	"updateGroup":        Publisher,
	"updateChannel":      Publisher,

	"propose":          Operator, // and what the proposed verb needs
	"approveProposal":  Operator, // and what the proposed verb needs
	"refuseProposal":   Operator, // and what the proposed verb needs
	"withdrawProposal": Operator, // of oneself

	"notifiers":         Admin, // and their deliveries: addresses, and what was sent
	"notifier":          Admin,
	"delivery":          Admin,
	"failedDeliveries":  Admin,
	"messageSettings":   Admin,
	"notifiersChanged":  Admin,
	"createNotifier":    Admin,
	"updateNotifier":    Admin,
	"deleteNotifier":    Admin,
	"rotateNotifier":    Admin,
	"testNotifier":      Admin,
	"redeliverMessages": Admin,

	"createMachineSecret": Admin, // also updateGroup with requireSecret
	"revokeMachineSecret": Admin,

	// A mirror promotes by itself and makes the server ask an address.
	"createUpstream":        Admin,
	"updateUpstream":        Admin,
	"deleteUpstream":        Admin,
	"addUpstreamChannel":    Admin,
	"updateUpstreamChannel": Admin,
	"removeUpstreamChannel": Admin,
	"followFlatcar":         Admin,
	"runUpstream":           Publisher,

	"createApplication": Admin,
	"updateApplication": Admin,
	"deleteApplication": Admin,
	"createGroup":       Admin,
	"deleteGroup":       Admin,
	"createChannel":     Admin,
	"deleteChannel":     Admin,
	"forgetInstance":    Admin,
	"forgetInstances":   Admin,
	"cleanUpStorage":    Admin, // on the whole installation
	"startDemo":         Admin,
	"stopDemo":          Admin,
	"createUser":        Admin,
	"updateUser":        Admin,
	"setPassword":       Admin,
	"deleteUser":        Admin,
	"users":             Admin,
	"imports":           Admin, // on the whole installation

	"createTeam": Owner,
	"updateTeam": Owner,
	"deleteTeam": Owner,

	// For oneself: a token never may more than its user. Those of other users need Admin.
	"tokens":           Viewer,
	"createToken":      Viewer,
	"revokeToken":      Viewer,
	"sessions":         Viewer,
	"endSession":       Viewer,
	"endOtherSessions": Viewer,
}
