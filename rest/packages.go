package rest

import (
	"bytes"
	"context"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/rest/endpoint"
)

// packageJSON is a package.
type packageJSON struct {
	ID                uuid.UUID   `json:"id"`
	Type              int8        `json:"type"` // 1 CoreOS, Flatcar; 2 Docker; 3 rkt; 4 other
	Version           string      `json:"version"`
	URL               string      `json:"url"`
	Filename          *string     `json:"filename"`
	Description       *string     `json:"description"`
	Size              *string     `json:"size"` // bytes
	Hash              *string     `json:"hash"` // base64 of SHA-1
	CreatedTS         time.Time   `json:"created_ts"`
	ChannelsBlacklist []uuid.UUID `json:"channels_blacklist"` // null when empty
	ApplicationID     uuid.UUID   `json:"application_id"`
	CoreosAction      *actionJSON `json:"coreos_action"`
}

// actionJSON is the postinstall action of an operating system's package.
type actionJSON struct {
	ID                    uuid.UUID `json:"id"`
	Event                 string    `json:"event"`
	ChromeosVersion       string    `json:"chromeos_version"`
	Sha256                string    `json:"sha256"` // base64
	NeedsAdmin            bool      `json:"needs_admin"`
	IsDelta               bool      `json:"is_delta"`
	DisablePayloadBackoff bool      `json:"disable_payload_backoff"`
	MetadataSignatureRsa  string    `json:"metadata_signature_rsa"`
	MetadataSize          string    `json:"metadata_size"`
	Deadline              string    `json:"deadline"`
	CreatedTS             time.Time `json:"created_ts"`
}

func packageOf(row *db.Release) *packageJSON {
	if row == nil {
		return nil
	}
	p := &packageJSON{
		ID: row.ID, Type: row.Type, Version: row.Version, URL: row.URL, Filename: endpoint.OrNull(row.Filename), Description: endpoint.OrNull(row.Description),
		Hash: endpoint.OrNull(row.Sha1), CreatedTS: row.CreatedAt.UTC(), ApplicationID: row.ApplicationID,
	}
	if row.Size != 0 {
		p.Size = endpoint.OrNull(strconv.FormatInt(row.Size, 10))
	}
	for _, b := range row.Edges.Blacklistings {
		p.ChannelsBlacklist = append(p.ChannelsBlacklist, b.ChannelID)
	}
	slices.SortFunc(p.ChannelsBlacklist, func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) })
	if a := row.Edges.Action; a != nil {
		p.CoreosAction = &actionJSON{
			ID: a.ID, Event: a.Event, ChromeosVersion: a.ChromeosVersion, Sha256: a.Sha256, NeedsAdmin: a.NeedsAdmin, IsDelta: a.IsDelta,
			DisablePayloadBackoff: a.DisablePayloadBackoff, MetadataSignatureRsa: a.MetadataSignatureRsa, MetadataSize: a.MetadataSize,
			Deadline: a.Deadline, CreatedTS: a.CreatedAt.UTC(),
		}
	}
	return p
}

func (h *Handler) packageRoutes() endpoint.Noun[*packageJSON] {
	return endpoint.Noun[*packageJSON]{
		PerPage: perPage, Name: "package", On: h.Server, IDs: h.Fleet.View.PackageIDs, Make: h.createPackage, Change: h.updatePackage,
		Rows: func(ctx context.Context, ids []uuid.UUID) ([]*packageJSON, error) {
			rows, err := h.Fleet.View.PackagesByID(ctx, ids, endpoint.WholePackage())
			return endpoint.Each(rows, packageOf), err
		},
		Owner: endpoint.OwnerOf(h.Fleet.View.Package, func(row *db.Release) uuid.UUID { return row.ApplicationID }),
		Drop: func(ctx context.Context, id uuid.UUID, force bool) error {
			return h.Fleet.DeletePackage(ctx, fleet.DeletePackage{ID: id, Force: force})
		},
	}
}

// newPackage reads a package.
func newPackage(b *endpoint.Body) (in fleet.CreatePackage, err error) {
	if kind := b.Number("type"); kind > 0 && kind <= math.MaxInt8 {
		in.Type = int8(kind)
	}
	b.Required("version")
	b.Required("url")
	in.Version, in.URL, in.Filename = b.Text("version"), b.Text("url"), b.Text("filename")
	in.Description, in.Size, in.SHA1 = b.Text("description"), b.Size("size"), b.Text("hash")
	in.Blacklist = b.IDs("channels_blacklist")
	// As in CoreRoller 1.0 other types have no action, and an action needs a digest.
	if a := b.Object("coreos_action"); a != nil && in.Type == catalog.PackageFlatcar {
		in.Action = &fleet.ActionInput{
			SHA256: a.Text("sha256"), ChromeOSVersion: a.Text("chromeos_version"), NeedsAdmin: a.Flag("needs_admin"), IsDelta: a.Flag("is_delta"),
			DisablePayloadBackoff: a.Optional("disable_payload_backoff"), MetadataSignatureRSA: a.Text("metadata_signature_rsa"),
			MetadataSize: a.Text("metadata_size"), Deadline: a.Text("deadline"),
		}
		if in.Action.SHA256 == "" {
			in.Action = nil
		}
	}
	return in, b.Err()
}

func (h *Handler) createPackage(ctx context.Context, app uuid.UUID, b *endpoint.Body) (uuid.UUID, error) {
	in, err := newPackage(b)
	if err != nil {
		return uuid.Nil, err
	}
	in.ApplicationID = app
	row, err := h.Fleet.CreatePackage(ctx, in)
	if err != nil {
		return uuid.Nil, err
	}
	return row.ID, nil
}

func (h *Handler) updatePackage(ctx context.Context, id uuid.UUID, b *endpoint.Body) error {
	in, err := newPackage(b)
	if err != nil {
		return err
	}
	_, err = h.Fleet.UpdatePackage(ctx, fleet.UpdatePackage{
		ID: id, Type: &in.Type, Version: &in.Version, URL: &in.URL, Filename: &in.Filename, Size: &in.Size, SHA1: &in.SHA1,
		Description: &in.Description, Blacklist: in.Blacklist, Action: in.Action,
		Force: b.Forced,
	})
	return err
}
