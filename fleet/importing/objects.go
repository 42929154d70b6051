package importing

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/rollout/version"
)

// The objects in the form that is compared and written. What differs by itself between
// two runs, such as a time, is not in their JSON.

type team struct {
	ID        uuid.UUID
	Name      string
	CreatedAt time.Time `json:"-"`
}

type application struct {
	ID          uuid.UUID
	Name        string
	ProductID   string
	Description string

	TeamID     uuid.UUID          `json:"-"`
	CreatedAt  time.Time          `json:"-"`
	Versioning version.Versioning `json:"-"` // of a new application

	packages []*pkg
	channels []*channel
	groups   []*group
}

type pkg struct {
	ID          uuid.UUID
	Type        int8
	Arch        string
	Version     string
	URL         string
	Filename    string
	Description string
	Size        int64
	SHA1        string // base64
	SHA256      string // hex
	Files       []file
	Action      *action

	CreatedAt time.Time `json:"-"`
}

type file struct {
	Name         string
	Size         int64
	SHA1, SHA256 string
}

type action struct {
	SHA256 string // base64

	ChromeOSVersion, MetadataSignatureRSA, MetadataSize, Deadline string

	NeedsAdmin, IsDelta, DisablePayloadBackoff bool
}

type channel struct {
	ID        uuid.UUID
	Name      string
	Color     string
	Arch      string
	PackageID uuid.UUID
	Floors    []channelFloor // by package
	Blacklist []uuid.UUID    // sorted

	CreatedAt time.Time `json:"-"`
}

type channelFloor struct {
	PackageID uuid.UUID
	Reason    string
}

type group struct {
	ID          uuid.UUID
	ChannelID   uuid.UUID
	Name        string
	Track       string
	Arch        string
	Description string
	Policy      rollout.Policy

	CreatedAt time.Time `json:"-"`
	Pause     string    `json:"-"` // why it arrives paused
}

// print returns the hash by which an object is recognised as unchanged.
func print(object any) string {
	text, err := json.Marshal(object)
	if err != nil {
		panic("importing: " + err.Error()) // plain structs always marshal
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:12])
}

// writes reports whether the object is written.
func (f fate) writes() bool { return f == fateNew || f == fateChanged }

func (ch *channel) sort() {
	slices.SortFunc(ch.Floors, func(a, b channelFloor) int { return slices.Compare(a.PackageID[:], b.PackageID[:]) })
	slices.SortFunc(ch.Blacklist, func(a, b uuid.UUID) int { return slices.Compare(a[:], b[:]) })
}

// fate is what becomes of an object.
type fate int8

const (
	fateSame fate = iota
	fateNew
	fateChanged
	fateConflict
	fateDeleted // here, by a person
)

// decide compares an object there with that here, by their hashes ("" for none), given
// the hash that it had after the last import. fresh says that the one here is as a new
// database has it.
func decide(there, here, last string, fresh, force bool) fate {
	switch {
	case here == "" && last != "" && !force:
		return fateDeleted
	case here == "":
		return fateNew
	case there == here:
		return fateSame
	case force, fresh, here == last:
		return fateChanged
	case there == last:
		return fateSame // only changed here
	}
	return fateConflict
}

func (c *Count) add(f fate) {
	switch f {
	case fateSame:
		c.Same++
	case fateNew:
		c.New++
	case fateChanged:
		c.Changed++
	case fateConflict, fateDeleted:
		c.Conflict++
	}
}
