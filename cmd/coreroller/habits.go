package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/semver"
)

// habits is how a simulated fleet behaves. Shares are of attempts.
type habits struct {
	Interval time.Duration // between two checks
	Download time.Duration // usual length; each is between half and one and a half
	Install  time.Duration
	Reboot   time.Duration // from installed to going down

	Failure      float64 // reports an error
	Rollback     float64 // boots back into the old version
	Silence      float64 // says nothing more for SilentFor
	Deferral     float64 // puts the offer off
	Interruption float64 // is restarted while it downloads
	SilentFor    time.Duration

	Bad map[string]float64 // failure share of a version, instead of Failure
}

// defaultHabits are those of a healthy fleet of update_engine machines.
func defaultHabits() habits {
	return habits{
		Interval: 45 * time.Minute, Download: 6 * time.Minute, Install: 2 * time.Minute, Reboot: 10 * time.Minute,
		Failure: 0.02, Rollback: 0.005, Silence: 0.01, Deferral: 0.005, Interruption: 0.005, SilentFor: 3 * time.Hour,
	}
}

func (h *habits) validate() error {
	for _, d := range []time.Duration{h.Interval, h.Download, h.Install, h.Reboot, h.SilentFor} {
		if d <= 0 {
			return errors.New("interval, download, install, reboot and silent-for have to be above zero")
		}
	}
	sum := h.Failure + h.Rollback + h.Silence + h.Deferral + h.Interruption
	if min(h.Failure, h.Rollback, h.Silence, h.Deferral, h.Interruption) < 0 || sum > 1 {
		return errors.New("failure, rollback, silence, deferral and interruption are shares: each from 0, together at most 1")
	}
	return nil
}

// story is how one attempt goes.
type story struct {
	kind storyKind
	code int32 // what it reports, without flags
}

type storyKind uint8

const (
	storyUpdates       storyKind = iota
	storyTransferFails           // an error instead of "downloaded"
	storyInstallFails            // an error instead of "installed"
	storyFirmwareB               // an error, and yet it waits for its reboot
	storyKilled                  // restarted while it downloads
	storySilent                  // silent while it downloads
	storyRollsBack               // boots back into the old version
	storyDefers                  // puts the offer off
)

// drawStory chooses by the shares of the habits.
func drawStory(m *machine) story {
	h := m.habits
	r, kind := m.random.Float64(), m.random.IntN(4)
	failure := h.Failure
	if bad, ok := h.Bad[m.offer.Version]; ok {
		failure = bad
	}
	under := func(share float64) bool {
		r -= share
		return r < 0
	}
	failing := [...]story{
		{storyTransferFails, codeTransfer}, {storyTransferFails, codePayloadHash},
		{storyInstallFails, codeOperation}, {storyInstallFails, codePostinstall},
	}
	switch {
	case under(failure):
		return failing[kind]
	case under(h.Rollback):
		if m.program { // nothing boots back
			return story{storyInstallFails, codePostinstall}
		}
		return story{kind: storyRollsBack}
	case under(h.Silence):
		return story{kind: storySilent}
	case under(h.Interruption):
		return story{kind: storyKilled}
	case under(h.Deferral):
		return story{storyDefers, codeBackoff}
	default:
		return story{}
	}
}

// versionShare is one part of a fleet.
type versionShare struct {
	Version string
	Weight  int
}

// parseVersions reads "1.0.0:60,1.1.0:40"; a weight left out is 1.
func parseVersions(text string) ([]versionShare, error) {
	var shares []versionShare
	for part := range strings.SplitSeq(text, ",") {
		version, weight, found := strings.Cut(strings.TrimSpace(part), ":")
		s := versionShare{version, 1}
		if found {
			n, err := strconv.Atoi(weight)
			if err != nil || n < 1 {
				return nil, fmt.Errorf("%q is not a version and a weight, such as 1.0.0:60", part)
			}
			s.Weight = n
		}
		if !semver.IsValid("v" + version) {
			return nil, fmt.Errorf("%q is not a version, such as 1.0.0", version)
		}
		shares = append(shares, s)
	}
	return shares, nil
}

// parseBad reads "2.1.0:0.6": versions and the share of attempts that fail.
func parseBad(text string) (map[string]float64, error) {
	bad := map[string]float64{}
	if text == "" {
		return bad, nil
	}
	for part := range strings.SplitSeq(text, ",") {
		version, share, _ := strings.Cut(strings.TrimSpace(part), ":")
		f, err := strconv.ParseFloat(share, 64)
		if err != nil || f < 0 || f > 1 || !semver.IsValid("v"+version) {
			return nil, fmt.Errorf("%q is not a version and a share, such as 2.1.0:0.6", part)
		}
		bad[version] = f
	}
	return bad, nil
}

// spread gives machine i of n its version: shares are exact to one machine.
func spread(shares []versionShare, i, n int) string {
	total := 0
	for _, s := range shares {
		total += s.Weight
	}
	upTo := 0
	for _, s := range shares {
		upTo += s.Weight
		if i*total < upTo*n {
			return s.Version
		}
	}
	return shares[len(shares)-1].Version
}
