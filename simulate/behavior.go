package simulate

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/semver"
)

// Behavior is how the machines of a simulated fleet behave. Lengths are usual
// ones: each actual length is between half and one and a half of it. Shares are
// fractions of update attempts, from 0 to 1.
type Behavior struct {
	Interval  time.Duration // between two checks
	Download  time.Duration
	Install   time.Duration
	Reboot    time.Duration // from the end of the installation to the shutdown
	SilentFor time.Duration // see Silence

	Failure      float64 // reports an error
	Rollback     float64 // boots back into the old version
	Silence      float64 // sends nothing for SilentFor
	Deferral     float64 // defers the offer
	Interruption float64 // restarts during the download

	Bad map[string]float64 // version → its failure share, instead of Failure
}

// DefaultBehavior is that of a healthy fleet of update_engine machines.
func DefaultBehavior() Behavior {
	return Behavior{
		Interval: 45 * time.Minute, Download: 6 * time.Minute, Install: 2 * time.Minute, Reboot: 10 * time.Minute, SilentFor: 3 * time.Hour,
		Failure: 0.02, Rollback: 0.005, Silence: 0.01, Deferral: 0.005, Interruption: 0.005,
	}
}

// Flawless returns the behavior without failures, except of bad versions.
func (b Behavior) Flawless() Behavior {
	b.Failure, b.Rollback, b.Silence, b.Deferral, b.Interruption = 0, 0, 0, 0, 0
	return b
}

func (b *Behavior) validate() error {
	for _, d := range []time.Duration{b.Interval, b.Download, b.Install, b.Reboot, b.SilentFor} {
		if d <= 0 {
			return errors.New("--interval, --download, --install, --reboot and --silent-for must be above zero")
		}
	}
	sum := b.Failure + b.Rollback + b.Silence + b.Deferral + b.Interruption
	if min(b.Failure, b.Rollback, b.Silence, b.Deferral, b.Interruption) < 0 || sum > 1 {
		return errors.New("--failure, --rollback, --silence, --deferral and --interruption must be at least 0 and together at most 1")
	}
	return nil
}

// scenario is the course of one update attempt.
type scenario struct {
	kind scenarioKind
	code int32 // the error code that the machine reports, without flags
}

type scenarioKind uint8

const (
	succeeds      scenarioKind = iota
	transferFails              // reports an error instead of "downloaded"
	installFails               // reports an error instead of "installed"
	firmwareB                  // reports an error, but still reboots into the new version
	restarts                   // restarts during the download
	goesSilent                 // goes silent during the download
	rollsBack                  // boots back into the old version
	defers                     // defers the offer
)

// randomScenario chooses a scenario by the shares of the machine's behavior.
func randomScenario(m *Machine) scenario {
	b := m.behavior
	r, failureKind := m.random.Float64(), m.random.IntN(4)
	failure := b.Failure
	if bad, ok := b.Bad[m.attempt.offer.Version]; ok {
		failure = bad
	}
	within := func(share float64) bool {
		r -= share
		return r < 0
	}
	failures := [...]scenario{
		{transferFails, codeTransfer}, {transferFails, codePayloadHash},
		{installFails, codeOperation}, {installFails, codePostinstall},
	}
	switch {
	case within(failure):
		return failures[failureKind]
	case within(b.Rollback):
		if m.program { // a program has no second partition to boot from
			return scenario{installFails, codePostinstall}
		}
		return scenario{kind: rollsBack}
	case within(b.Silence):
		return scenario{kind: goesSilent}
	case within(b.Interruption):
		return scenario{kind: restarts}
	case within(b.Deferral):
		return scenario{defers, codeBackoff}
	default:
		return scenario{}
	}
}

// weighted is a name with a weight, such as a version and its part of a fleet.
type weighted struct {
	name   string
	weight int
}

// parseWeights parses a flag such as "1.0.0:60,1.1.0:40". The default weight is 1.
// what describes an element, for errors.
func parseWeights(flag, text, what string) ([]weighted, error) {
	var all []weighted
	for part := range strings.SplitSeq(text, ",") {
		name, number, found := strings.Cut(strings.TrimSpace(part), ":")
		weight := 1
		if found {
			var err error
			if weight, err = strconv.Atoi(number); err != nil || weight < 1 {
				return nil, fmt.Errorf("--%s: %q is not %s", flag, part, what)
			}
		}
		all = append(all, weighted{name, weight})
	}
	return all, nil
}

// parseVersions parses --versions.
func parseVersions(text string) ([]weighted, error) {
	all, err := parseWeights("versions", text, "a version and a weight, such as 1.0.0:60")
	for _, v := range all {
		if !semver.IsValid("v" + v.name) {
			return nil, fmt.Errorf("--versions: %q is not a version, such as 1.0.0", v.name)
		}
	}
	return all, err
}

// parseBad parses "2.1.0:0.6": versions with the share of attempts that fail.
func parseBad(text string) (map[string]float64, error) {
	bad := map[string]float64{}
	for part := range strings.SplitSeq(text, ",") {
		version, share, _ := strings.Cut(strings.TrimSpace(part), ":")
		f, err := strconv.ParseFloat(share, 64)
		if err != nil || f < 0 || f > 1 || !semver.IsValid("v"+version) {
			return nil, fmt.Errorf("--bad: %q is not a version and a share, such as 2.1.0:0.6", part)
		}
		bad[version] = f
	}
	return bad, nil
}

// versionOf returns the version of machine i of n. The shares are exact to one
// machine.
func versionOf(shares []weighted, i, n int) string {
	total := 0
	for _, s := range shares {
		total += s.weight
	}
	sum := 0
	for _, s := range shares {
		sum += s.weight
		if i*total < sum*n {
			return s.name
		}
	}
	return shares[len(shares)-1].name
}
