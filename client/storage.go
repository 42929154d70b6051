package client

import (
	"context"
	"time"

	"github.com/spf13/cobra"
)

// storedFile is a file of a package that the server stores.
type storedFile struct {
	Name      string    `json:"name"`
	Payload   bool      `json:"payload"`
	Size      int64     `json:"size"`
	SHA256    string    `json:"sha256"`
	StoredAt  time.Time `json:"storedAt"`
	StoredBy  string    `json:"storedBy"`
	Downloads int64     `json:"downloads"`
}

func packageFilesCommand(t Terminal) *cobra.Command {
	var where scope
	cmd := t.command("files VERSION", "list the files of a package and which of them the server stores", "",
		"  coreroller package files 3.8.0 --app io.example.agent",
		func(ctx context.Context, s *session, args []string) error {
			app, err := s.findApplication(ctx, where.app)
			if err != nil {
				return err
			}
			arch := where.arch
			if arch == "" {
				arch = "amd64"
			}
			id, err := s.findPackage(ctx, app, arch, args[0])
			if err != nil {
				return err
			}
			type file struct {
				Name string `json:"name"`
				Size int64  `json:"size"`
			}
			answer, err := read[struct {
				Package struct {
					URL       string       `json:"url"`
					Hosted    bool         `json:"hosted"`
					SourceURL string       `json:"sourceUrl"`
					Filename  string       `json:"filename"`
					Size      int64        `json:"size"`
					Files     []file       `json:"files"`
					Stored    []storedFile `json:"stored"`
				}
			}](ctx, s, `query($id: ID!) { package(id: $id) { url hosted sourceUrl filename size files { name size }
  stored { name payload size sha256 storedAt storedBy downloads } } }`, map[string]any{"id": id})
			if err != nil {
				return err
			}
			p := answer.Package
			return s.show(p, func() {
				s.line("URL     %s", p.URL)
				if p.Hosted {
					s.line("Source  %s", dash(p.SourceURL))
				}
				stored := map[string]storedFile{}
				for _, f := range p.Stored {
					stored[f.Name] = f
				}
				rows := [][]any{}
				for _, f := range append([]file{{p.Filename, p.Size}}, p.Files...) {
					row := []any{dash(f.Name), size(f.Size), "not stored", "", ""}
					if got, is := stored[f.Name]; is {
						row = []any{f.Name, size(got.Size), clock(got.StoredAt), got.StoredBy, count(int(got.Downloads))}
					}
					rows = append(rows, row)
				}
				s.table([]string{"FILE", "SIZE", "STORED", "BY", "DOWNLOADS"}, rows)
			})
		})
	where.flags(cmd)
	return cmd
}

func storageCommand(t Terminal) *cobra.Command {
	cmd := t.command("storage", "show the room that stored files of packages use", "", "  coreroller storage",
		func(ctx context.Context, s *session, _ []string) error {
			answer, err := read[struct {
				Storage *struct {
					Location    string `json:"location"`
					Stored      int64  `json:"stored"`
					Arriving    int64  `json:"arriving"`
					Quota       int64  `json:"quota"`
					Free        *int64 `json:"free"`
					Files       int    `json:"files"`
					UnusedFiles int    `json:"unusedFiles"`
					UnusedBytes int64  `json:"unusedBytes"`
				}
			}](ctx, s, `{ storage { location stored arriving quota free files unusedFiles unusedBytes } }`, nil)
			if err != nil {
				return err
			}
			u := answer.Storage
			return s.show(u, func() {
				if u == nil {
					s.line("The server stores no files.")
					return
				}
				s.line("Location  %s", u.Location)
				s.line("Used      %s in %s files", size(u.Stored), count(u.Files+u.UnusedFiles))
				s.line("Arriving  %s", size(u.Arriving))
				quota, free := "none", "not known"
				if u.Quota > 0 {
					quota = size(u.Quota)
				}
				if u.Free != nil {
					free = size(*u.Free)
				}
				s.line("Quota     %s", quota)
				s.line("Free      %s", free)
				s.line("Unused    %s in %s files, see coreroller storage clean-up", size(u.UnusedBytes), count(u.UnusedFiles))
			})
		})
	cmd.AddCommand(cleanUpCommand(t))
	return cmd
}

func cleanUpCommand(t Terminal) *cobra.Command {
	var dryRun bool
	var reason string
	cmd := t.command("clean-up", "delete the stored files that no package names", `
Deletes the stored files that no package names, except those that were stored within the last hour.`,
		"  coreroller storage clean-up --dry-run\n  coreroller storage clean-up --reason \"old releases\"",
		func(ctx context.Context, s *session, _ []string) error {
			type unused struct {
				SHA256  string    `json:"sha256"`
				Size    int64     `json:"size"`
				Since   time.Time `json:"since"`
				Deleted bool      `json:"deleted"`
			}
			answer, err := read[struct{ CleanUpStorage struct{ Files []unused } }](ctx, s,
				`mutation($input: CleanUpStorageInput!) { cleanUpStorage(input: $input) { files { sha256 size since deleted } userErrors { code field message } } }`,
				map[string]any{"input": map[string]any{"dryRun": dryRun, "reason": reason}})
			if err != nil {
				return err
			}
			all := answer.CleanUpStorage.Files
			return s.show(all, func() {
				var freed, found int64
				rows := make([][]any, len(all))
				for i, f := range all {
					what := "kept"
					if f.Deleted {
						what = "deleted"
						freed += f.Size
					}
					found += f.Size
					rows[i] = []any{f.SHA256, size(f.Size), clock(f.Since), what}
				}
				if len(all) == 0 {
					s.line("Every stored file belongs to a package.")
					return
				}
				s.table([]string{"SHA-256", "SIZE", "STORED", ""}, rows)
				if dryRun {
					s.line("Nothing was deleted. %s in %s files belong to no package.", size(found), count(len(all)))
				} else {
					s.line("%s %s were freed.", ink{"✓", green}, size(freed))
				}
			})
		})
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "only list what would be deleted")
	reasonFlag(cmd, &reason)
	return cmd
}
