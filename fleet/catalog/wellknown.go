package catalog

import (
	"github.com/google/uuid"
)

// DefaultTeamID is the team of a new database, with its id of CoreRoller 1.0.
func DefaultTeamID() uuid.UUID { return uuid.MustParse("d89342dc-9214-441d-a4af-bdd837a3b239") }

// FlatcarID is the preinstalled application. Flatcar images have the id built in.
func FlatcarID() uuid.UUID { return uuid.MustParse("e96281a6-d1af-4bde-9a0a-97b76e56dc57") }

// WellKnown is a group and channel of the preinstalled application.
type WellKnown struct {
	Track, Arch    string
	Group, Channel string // ids
}

// WellKnownGroups returns the groups of the preinstalled application.
func WellKnownGroups() []WellKnown {
	return []WellKnown{
		{"stable", "amd64", "9a2deb70-37be-4026-853f-bfdd6b347bbe", "e06064ad-4414-4904-9a6e-fd465593d1b2"},
		{"beta", "amd64", "3fe10490-dd73-4b49-b72a-28ac19acfcdc", "128b8c29-5058-4643-8e67-a1a0e3c641c9"},
		{"alpha", "amd64", "5b810680-e36a-4879-b98a-4f989e80b899", "a87a03ad-4984-47a1-8dc4-3507bae91ee1"},
		{"edge", "amd64", "72834a2b-ad86-4d6d-b498-e08a19ebe54e", "72834a2b-ad86-4d6d-b498-e08a19ebe54e"},
		{"stable", "arm64", "11a585f6-9418-4df0-8863-78b2fd3240f8", "5dfe7b12-c94a-470d-a2b6-2eae78c5c9f5"},
		{"beta", "arm64", "d112ec01-ba34-4a9e-9d4b-9814a685f266", "cf20698b-1f19-43d6-b6f6-d15c796cb217"},
		{"alpha", "arm64", "e641708d-fb48-4260-8bdf-ba2074a1147a", "def12ce0-3ba4-4649-b290-8843f3b455eb"},
		{"edge", "arm64", "b4b2fa22-c1ea-498c-a8ac-c1dc0b1d7c17", "30b6ffa6-e6dc-4a01-bea6-9ce7f1a5bb34"},
	}
}

// wellKnownTrack returns the track of a preinstalled group id, "" for any other
// id. Machines keep sending the id after the group was replaced.
func wellKnownTrack(id uuid.UUID) string {
	text := id.String()
	for _, k := range WellKnownGroups() {
		if k.Group == text {
			return k.Track
		}
	}
	return ""
}
