package fleet

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/storedfile"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/change"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/hosting"
	"github.com/coreroller/coreroller/fleet/input"
	"github.com/coreroller/coreroller/remote/payload"
	"github.com/coreroller/coreroller/remote/payload/storage"
)

// Caps are the limits of the downloads of one process.
type Caps = hosting.Caps

// Hosting configures the storage of payloads. The zero value stores none.
type Hosting struct {
	Storage storage.Storage
	Staging *storage.Staging
	Quota   int64 // bytes; 0: none
	Caps    Caps
	// URL returns the address of this server for machines, such as https://example.com, for
	// the caller of a context; "" if it is not known. Nil is "".
	URL func(context.Context) string
	// Limits of fetches; zero: payload.DownloadLimits.
	Limits payload.Limits
}

// hostedPath is the beginning of the paths below which machines fetch the files of packages.
const hostedPath = "/payloads/"

func (s *Service) openHosting(o Options) {
	s.Hosting = hosting.New(hosting.Options{Store: o.Store, Storage: o.Hosting.Storage, Staging: o.Hosting.Staging, Quota: o.Hosting.Quota, Caps: o.Hosting.Caps, Now: s.now})
	if s.hostedAt = o.Hosting.URL; s.hostedAt == nil {
		s.hostedAt = func(context.Context) string { return "" }
	}
}

// hostedURL is the URL of a hosted package.
func (s *Service) hostedURL(ctx context.Context, id uuid.UUID) (string, error) {
	base := strings.TrimSuffix(s.hostedAt(ctx), "/")
	if base == "" {
		return "", fault.Errorf(fault.Unavailable, "", "the server does not know the address at which machines reach it: set its flag --payload-url")
	}
	return base + hostedPath + id.String() + "/", nil
}

// host makes machines fetch the files of a package from this server. source is where they
// can be fetched from, "" for nowhere.
func (s *Service) host(p *input.Problems, c *change.Change, f *CreatePackage, source string) (err error) {
	if f.Hosted = true; source != "" {
		f.SourceURL = withSlash(checkURL(p, source, f.Filename, f.Type))
	}
	f.URL, err = s.hostedURL(c.Ctx, c.ID)
	return err
}

// withSlash ends a base URL, to which file names are appended, with a slash.
func withSlash(url string) string {
	if url == "" || strings.HasSuffix(url, "/") || strings.ContainsAny(url, "?#") {
		return url
	}
	return url + "/"
}

// moveFiles applies what an edit says about where machines fetch the files of a package.
func (s *Service) moveFiles(p *input.Problems, c *change.Change, in UpdatePackage, row *db.Release, f *CreatePackage) error {
	p.Exact("sourceUrl", input.Or(in.SourceURL, ""), maxURL)
	switch {
	case f.Hosted && !row.Hosted:
		return s.host(p, c, f, strings.TrimSpace(input.Or(in.SourceURL, f.URL)))
	case f.Hosted && in.SourceURL != nil:
		if f.SourceURL = strings.TrimSpace(f.SourceURL); f.SourceURL != "" {
			f.SourceURL = withSlash(checkURL(p, f.SourceURL, f.Filename, f.Type))
		}
	case !f.Hosted && row.Hosted:
		if in.URL == nil {
			f.URL = row.SourceURL
		}
		f.SourceURL = ""
	case !f.Hosted:
		f.SourceURL = ""
	}
	if f.Hosted && in.URL != nil && f.URL != row.URL {
		f.URL = strings.TrimSpace(f.URL)
		if !strings.HasSuffix(f.URL, hostedPath+row.ID.String()+"/") {
			p.Add("url", "must end with %s%s/, because this server hosts the files: set hosted to false for another URL", hostedPath, row.ID)
		}
		checkURL(p, f.URL, f.Filename, f.Type)
	}
	return nil
}

// offerable returns why machines would refuse the package or could not fetch it, "" when
// they would not.
func offerable(c *change.Change, row *db.Release) (string, error) {
	if why := catalog.RenderPackage(row).Offerable(); why != "" || !row.Hosted {
		return why, nil
	}
	stored, err := c.Tx.Client().StoredFile.Query().Where(storedfile.PackageID(row.ID)).All(c.Ctx)
	if err != nil {
		return "", fmt.Errorf("read the stored files: %w", err)
	}
	is := map[string]*db.StoredFile{}
	for _, f := range stored {
		is[f.Name] = f
	}
	for _, f := range filesOf(row) {
		got := is[f.Name]
		switch {
		case got == nil && !f.payload && row.SourceURL != "": // machines are sent there
		case got == nil:
			return fmt.Sprintf("is hosted by this server, but its file %q is not stored yet: upload it, or let the server fetch it", f.Name), nil
		case got.Size != f.Size || got.Sha256 != f.SHA256:
			return fmt.Sprintf("is hosted by this server, but another file is stored as %q: upload the right one", f.Name), nil
		}
	}
	return "", nil
}

// packageFile is the payload or an additional file of a package.
type packageFile struct {
	FileInput
	payload bool
}

// filesOf returns what a package says about its files, the payload first.
func filesOf(row *db.Release) []packageFile {
	all := []packageFile{{FileInput{row.Filename, row.Size, row.Sha1, row.Sha256}, true}}
	for _, f := range row.Edges.Files {
		all = append(all, packageFile{FileInput{f.Name, f.Size, f.Sha1, f.Sha256}, false})
	}
	return all
}

// fileNamed returns what a package says about one file. A package without a file name takes
// that of the first file.
func fileNamed(row *db.Release, name string) (packageFile, error) {
	for _, f := range filesOf(row) {
		if f.Name == name && name != "" {
			return f, nil
		}
	}
	if row.Filename == "" && name != "" {
		return packageFile{FileInput{name, row.Size, row.Sha1, row.Sha256}, true}, nil
	}
	return packageFile{}, fault.Errorf(fault.NotFound, "name", "package %s has no file with this name", row.Version)
}
