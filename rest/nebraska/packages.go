package nebraska

import (
	"bytes"
	"cmp"
	"context"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/view"
	"github.com/coreroller/coreroller/rest/endpoint"
)

// packageJSON is a package.
type packageJSON struct {
	ID                uuid.UUID   `json:"id"`
	Type              int8        `json:"type"` // 1 Flatcar, 2 Docker, 3 rkt, 4 other
	Version           string      `json:"version"`
	URL               string      `json:"url"`
	Filename          string      `json:"filename"`
	Description       string      `json:"description"`
	Size              string      `json:"size"` // bytes
	Hash              string      `json:"hash"` // base64 of SHA-1
	CreatedTS         time.Time   `json:"created_ts"`
	ChannelsBlacklist []uuid.UUID `json:"channels_blacklist"` // null when empty
	ApplicationID     uuid.UUID   `json:"application_id"`
	FlatcarAction     *actionJSON `json:"flatcar_action"`
	Arch              int         `json:"arch"`
	ExtraFiles        []fileJSON  `json:"extra_files"` // null when empty
	IsFloor           bool        `json:"is_floor,omitempty"`
	FloorReason       *string     `json:"floor_reason"`
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

// fileJSON is a file besides the payload. Its id is its place in the list.
type fileJSON struct {
	ID        int       `json:"id"`
	PackageID uuid.UUID `json:"package_id"`
	Name      string    `json:"name"`
	Size      string    `json:"size"`    // bytes
	Hash      string    `json:"hash"`    // base64 of SHA-1
	Hash256   string    `json:"hash256"` // hexadecimal
	CreatedTS time.Time `json:"created_ts"`
}

// wholePackage loads everything that a package shows.
func wholePackage() view.With { return view.Edges(endpoint.WholePackage(), view.Edge("files")) }

func packageOf(row *db.Release) *packageJSON {
	if row == nil {
		return nil
	}
	p := &packageJSON{
		ID: row.ID, Type: row.Type, Version: row.Version, URL: row.URL, Filename: row.Filename, Description: row.Description,
		Size: sizeOf(row.Size), Hash: row.Sha1, CreatedTS: row.CreatedAt.UTC(), ApplicationID: row.ApplicationID, Arch: numberOf(row.Arch),
	}
	for _, b := range row.Edges.Blacklistings {
		p.ChannelsBlacklist = append(p.ChannelsBlacklist, b.ChannelID)
	}
	slices.SortFunc(p.ChannelsBlacklist, func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) })
	if a := row.Edges.Action; a != nil {
		p.FlatcarAction = &actionJSON{
			ID: a.ID, Event: a.Event, ChromeosVersion: a.ChromeosVersion, Sha256: a.Sha256, NeedsAdmin: a.NeedsAdmin, IsDelta: a.IsDelta,
			DisablePayloadBackoff: a.DisablePayloadBackoff, MetadataSignatureRsa: a.MetadataSignatureRsa, MetadataSize: a.MetadataSize,
			Deadline: a.Deadline, CreatedTS: a.CreatedAt.UTC(),
		}
	}
	files := slices.SortedFunc(slices.Values(row.Edges.Files), func(a, b *db.PackageFile) int { return cmp.Compare(a.Name, b.Name) })
	for i, f := range files {
		p.ExtraFiles = append(p.ExtraFiles, fileJSON{i + 1, row.ID, f.Name, sizeOf(f.Size), f.Sha1, f.Sha256, row.CreatedAt.UTC()})
	}
	return p
}

// sizeOf writes a number of bytes, "" when it is not known.
func sizeOf(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

func (h *Handler) packageRows(ctx context.Context, ids []uuid.UUID) ([]*packageJSON, error) {
	rows, err := h.Fleet.View.PackagesByID(ctx, ids, wholePackage())
	return endpoint.Each(rows, packageOf), err
}

func (h *Handler) packageRoutes() endpoint.Noun[*packageJSON] {
	return endpoint.Noun[*packageJSON]{
		Name: "package", On: h.Server, Rows: h.packageRows, Make: h.createPackage, Change: h.updatePackage,
		Owner: endpoint.OwnerOf(h.Fleet.View.Package, func(row *db.Release) uuid.UUID { return row.ApplicationID }),
		Drop: func(ctx context.Context, id uuid.UUID, force bool) error {
			return h.Fleet.DeletePackage(ctx, fleet.DeletePackage{ID: id, Force: force})
		},
	}
}

// packages lists the packages whose version contains a text.
func (h *Handler) packages(r *http.Request) (endpoint.List, error) {
	q := endpoint.ParamsOf(r)
	p, part := q.Page(perPage), q.Text("searchVersion")
	if q.Err != nil {
		return endpoint.List{}, q.Err
	}
	app, err := h.Known(r)
	if err != nil {
		return endpoint.List{}, err
	}
	ids, err := h.Fleet.View.SearchPackageIDs(r.Context(), app, part)
	l := endpoint.Cut(p, ids, h.packageRows)
	l.In = counted("packages", len(ids))
	return l, err
}

// newPackage reads a package without its architecture and action.
func newPackage(b *endpoint.Body) (in fleet.CreatePackage) {
	for _, name := range []string{"type", "version", "url"} {
		b.Required(name)
	}
	if kind := b.Number("type"); kind > 0 && kind < 128 {
		in.Type = int8(kind)
	}
	in.Version, in.URL, in.Filename = b.Text("version"), b.Text("url"), b.Text("filename")
	in.Description, in.Size, in.SHA1 = b.Text("description"), b.Size("size"), b.Text("hash")
	in.Blacklist = b.IDs("channels_blacklist")
	if !b.Has("extra_files") {
		return in
	}
	in.Files = []fleet.FileInput{}
	for _, f := range b.Objects("extra_files") {
		in.Files = append(in.Files, fleet.FileInput{Name: f.Text("name"), Size: f.Size("size"), SHA1: f.Text("hash"), SHA256: fleet.HexDigest(f.Text("hash256"))})
		f.Only("id", "package_id", "created_ts")
	}
	return in
}

// newAction reads an action over the stored one: as in Nebraska fields that are absent keep
// their value. Tools send an empty action for packages that have none.
func newAction(b *endpoint.Body, stored *db.PackageAction) *fleet.ActionInput {
	a := b.Object("flatcar_action")
	if a == nil {
		return nil
	}
	in := fleet.ActionInput{}
	if stored != nil {
		in = fleet.ActionInput{
			SHA256: stored.Sha256, ChromeOSVersion: stored.ChromeosVersion, NeedsAdmin: stored.NeedsAdmin, IsDelta: stored.IsDelta,
			DisablePayloadBackoff: &stored.DisablePayloadBackoff, MetadataSignatureRSA: stored.MetadataSignatureRsa,
			MetadataSize: stored.MetadataSize, Deadline: stored.Deadline,
		}
	}
	for name, field := range map[string]*string{
		"sha256": &in.SHA256, "chromeos_version": &in.ChromeOSVersion, "metadata_signature_rsa": &in.MetadataSignatureRSA,
		"metadata_size": &in.MetadataSize, "deadline": &in.Deadline,
	} {
		if text := a.Text(name); a.Has(name) {
			*field = text
		}
	}
	for name, field := range map[string]*bool{"needs_admin": &in.NeedsAdmin, "is_delta": &in.IsDelta} {
		if on := a.Optional(name); on != nil {
			*field = *on
		}
	}
	if on := a.Optional("disable_payload_backoff"); on != nil {
		in.DisablePayloadBackoff = on
	}
	if event := a.Text("event"); event != "" && event != "postinstall" {
		a.Complain("event", "must be postinstall: update_engine has no other")
	}
	a.Only("id", "created_ts")
	if in == (fleet.ActionInput{DisablePayloadBackoff: in.DisablePayloadBackoff}) && stored == nil {
		return nil
	}
	return &in
}

// onlyPackage refuses other fields. The path, not the body, names the application.
func onlyPackage(b *endpoint.Body) error {
	b.Only("id", "created_ts", "application_id", "is_floor", "floor_reason")
	return b.Err()
}

func (h *Handler) createPackage(ctx context.Context, app uuid.UUID, b *endpoint.Body) (uuid.UUID, error) {
	newID(b)
	in := newPackage(b)
	in.ApplicationID, in.Arch, in.Action = app, newArch(b), newAction(b, nil)
	if err := onlyPackage(b); err != nil {
		return uuid.Nil, err
	}
	row, err := h.Fleet.CreatePackage(ctx, in)
	if err != nil {
		return uuid.Nil, err
	}
	return row.ID, nil
}

func (h *Handler) updatePackage(ctx context.Context, id uuid.UUID, b *endpoint.Body) error {
	row, err := h.Fleet.View.Package(ctx, id, wholePackage())
	if err != nil {
		return err
	}
	keepID(b, id)
	keepArch(b, row.Arch)
	in, action := newPackage(b), newAction(b, row.Edges.Action)
	if err := onlyPackage(b); err != nil {
		return err
	}
	_, err = h.Fleet.UpdatePackage(ctx, fleet.UpdatePackage{
		ID: id, Type: &in.Type, Version: &in.Version, URL: &in.URL, Filename: &in.Filename, Size: &in.Size, SHA1: &in.SHA1,
		Description: &in.Description, Files: in.Files, Blacklist: in.Blacklist, Action: action, Force: b.Forced,
	})
	return err
}
