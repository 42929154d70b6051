package fleet

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/proposal"
	"github.com/coreroller/coreroller/ent/db/release"
	"github.com/coreroller/coreroller/ent/db/storedfile"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/fault"
	states "github.com/coreroller/coreroller/fleet/proposal"
	"github.com/coreroller/coreroller/fleet/view"
	"github.com/coreroller/coreroller/remote/mirror"
	"github.com/coreroller/coreroller/rollout/version"
)

// follow asks the upstream, checks all that it says against what is here, and only then
// changes something. Each step can be repeated, so that a later run finishes what an
// earlier one began.
func (r *mirrorRun) follow(ctx context.Context) error {
	app, ch, err := r.here()
	if err != nil {
		return err
	}
	roots, err := mirror.ParseCA(r.up.Ca)
	if err != nil {
		return fault.Errorf(fault.Invalid, "ca", "%s", err)
	}
	q := mirror.Query{
		URL: r.up.URL, App: r.up.RemoteAppID, Track: r.row.Track, Arch: ch.Arch, MachineID: r.row.MachineID, Flatcar: app.ID == catalog.FlatcarID(),
	}
	if q.App == "" {
		q.App = "{" + app.ID.String() + "}"
	}
	oldest := map[bool]string{true: mirror.Oldest, false: "0.0.0"}[q.Flatcar]
	if app.Versioning == version.Numeric {
		oldest = "0.0.0.0"
	}
	if q.Version = oldest; ch.Target != nil {
		q.Version = ch.Target.Version.String()
	}
	answer, err := r.s.mirror.client.Ask(ctx, q, roots)
	if err != nil {
		return err
	}
	r.bytes += answer.Bytes
	current := answer
	if len(answer.Manifests) == 0 && answer.Channel == nil && q.Version != oldest {
		// Nothing new: what the upstream offers to older machines shows whether it took back
		// a version. It is only compared.
		q.Version = oldest
		if current, err = r.s.mirror.client.Ask(ctx, q, roots); err != nil {
			return err
		}
		r.bytes += current.Bytes
	}
	target, err := r.compare(app, ch, current)
	if err != nil {
		return err
	}
	if answer != current || r.gone {
		target = nil
	}
	if view.MirrorMode(r.row.Mode) == view.MirrorNotify {
		if target != nil {
			r.wait(target.Version)
		}
		r.warn(app, ch, answer)
		return nil
	}
	if !r.gone && answer == current {
		if err := r.take(ctx, app, answer, target); err != nil {
			return err
		}
	}
	return r.withdraw(ctx, answer)
}

// here returns the application and the channel as they are now.
func (r *mirrorRun) here() (*catalog.App, *catalog.Channel, error) {
	app := r.s.Catalog().App(r.up.ApplicationID)
	if app == nil {
		return nil, nil, fault.Errorf(fault.NotFound, "", "the application was deleted")
	}
	ch := app.Channel(r.row.ChannelID)
	if ch == nil {
		return nil, nil, fault.Errorf(fault.NotFound, "", "the channel was deleted")
	}
	return app, ch, nil
}

// compare finds the version that the upstream's channel has, and what is wrong with it. It
// returns the manifest of the target, nil if there is none to follow.
func (r *mirrorRun) compare(app *catalog.App, ch *catalog.Channel, a *mirror.Answer) (*mirror.Manifest, error) {
	for i := range a.Manifests {
		if _, ok := app.Versioning.Parse(a.Manifests[i].Version); !ok {
			return nil, fault.Errorf(fault.Invalid, "", "the upstream offers version %q, which is not %s", a.Manifests[i].Version, app.Versioning.Describe())
		}
	}
	var target *mirror.Manifest
	if a.Target >= 0 {
		target = &a.Manifests[a.Target]
		r.found = target.Version
	}
	if a.Channel != nil {
		r.found = a.Channel.Version
	}
	before := r.row.UpstreamVersion
	if before == "" && ch.Target != nil {
		before = ch.Target.Version.String()
	}
	was, known := app.Versioning.Parse(before)
	is, found := app.Versioning.Parse(r.found)
	switch {
	case a.Channel == nil && len(a.Manifests) > 0 && (target == nil || target.Floor):
		// Floors alone do not show what the channel has: there may be too many for one answer.
	case a.Channel == nil && len(a.Manifests) == 0 && r.row.UpstreamVersion == "":
		r.problem = fmt.Sprintf("the upstream offers nothing on track %s for %s: check the name of the track", r.row.Track, ch.Arch)
	case known && !found:
		r.gone, r.problem = true, fmt.Sprintf("the upstream offers no version any more: it took back %s, or it is paused; the channel keeps what it has", before)
	case known && is.Less(was) && ch.Target != nil && is.Less(ch.Target.Version):
		r.gone, r.problem = true, fmt.Sprintf("the upstream offers %s now, which is lower than %s: the channel is not lowered", r.found, before)
	case known && is.Less(was):
		r.problem = fmt.Sprintf("the upstream took back version %s and offers %s now", before, r.found)
	}
	return target, nil
}

// take imports the manifests, makes floors and promotes the target.
func (r *mirrorRun) take(ctx context.Context, app *catalog.App, a *mirror.Answer, target *mirror.Manifest) error {
	wanted := make([]CreatePackage, len(a.Manifests))
	ids := make([]uuid.UUID, len(a.Manifests))
	for i := range a.Manifests {
		var err error
		if wanted[i], err = r.packageOf(app, &a.Manifests[i]); err != nil {
			return err
		}
		if ids[i], err = r.existing(ctx, wanted[i]); err != nil {
			return err
		}
	}
	for i := range wanted {
		if ids[i] == uuid.Nil {
			row, err := r.s.CreatePackage(ctx, wanted[i])
			if err != nil {
				return fmt.Errorf("import %s: %w", wanted[i].Version, err)
			}
			ids[i] = row.ID
			r.changed("imported %s", row.Version)
		}
		if err := r.host(ctx, ids[i], &a.Manifests[i]); err != nil {
			return err
		}
	}
	ready := true
	for i := range a.Manifests {
		if a.Manifests[i].Floor {
			is, err := r.floor(ctx, ids[i], &a.Manifests[i])
			if err != nil {
				return err
			}
			ready = ready && is
		}
	}
	if target == nil {
		return nil
	}
	return r.promote(ctx, ids[a.Target], target, a.Channel, ready)
}

// packageOf returns the package for a manifest.
func (r *mirrorRun) packageOf(app *catalog.App, m *mirror.Manifest) (CreatePackage, error) {
	_, ch, err := r.here()
	if err != nil {
		return CreatePackage{}, err
	}
	in := CreatePackage{
		ApplicationID: app.ID, Type: catalog.PackageOther, Arch: ch.Arch, Version: m.Version, Filename: m.Payload.Name, Size: m.Payload.Size,
		SHA1: m.Payload.SHA1, SHA256: m.Payload.SHA256, Description: "Mirrored from " + r.up.Name,
		URL: fillTemplate(r.up.URLTemplate, ch.Arch, m.Version, m.Codebase),
	}
	if r.row.HostFiles {
		in.Hosted, in.URL = true, m.Codebase // from where the files are fetched
	}
	for _, f := range m.Extra {
		in.Files = append(in.Files, FileInput{Name: f.Name, Size: f.Size, SHA1: f.SHA1, SHA256: f.SHA256})
	}
	if app.ID == catalog.FlatcarID() || m.Action != nil && m.Payload.SHA256 != "" && app.Versioning != version.Numeric {
		in.Type = catalog.PackageFlatcar
		if act := m.Action; act != nil {
			in.Action = &ActionInput{
				ChromeOSVersion: act.DisplayVersion, NeedsAdmin: act.NeedsAdmin, IsDelta: act.IsDelta, DisablePayloadBackoff: &act.DisablePayloadBackoff,
				MetadataSignatureRSA: act.MetadataSignatureRSA, MetadataSize: act.MetadataSize, Deadline: act.Deadline,
			}
		}
	}
	return in, nil
}

// existing returns the id of the package that is here already, zero if there is none. It
// must be the same one.
func (r *mirrorRun) existing(ctx context.Context, in CreatePackage) (uuid.UUID, error) {
	row, err := r.s.store.Reader().Release.Query().
		Where(release.ApplicationID(in.ApplicationID), release.Arch(in.Arch), release.Version(in.Version)).WithFiles().Only(ctx)
	if db.IsNotFound(err) {
		return uuid.Nil, nil
	}
	if err != nil {
		return uuid.Nil, err
	}
	if why := contradicts(in.Size, in.SHA1, in.SHA256, row.Size, row.Sha1, row.Sha256); why != "" {
		return uuid.Nil, fault.Errorf(fault.Conflict, "", "version %s is another one upstream: %s; nothing was changed", in.Version, why)
	}
	here := map[string]*db.PackageFile{}
	for _, f := range row.Edges.Files {
		here[f.Name] = f
	}
	for _, f := range in.Files {
		own := here[f.Name]
		if own == nil {
			continue // built or chosen later: the package stays as it is
		}
		if why := contradicts(f.Size, f.SHA1, f.SHA256, own.Size, own.Sha1, own.Sha256); why != "" {
			return uuid.Nil, fault.Errorf(fault.Conflict, "", "file %s of version %s is another one upstream: %s; nothing was changed", f.Name, in.Version, why)
		}
	}
	return row.ID, nil
}

// contradicts says what differs between a file upstream and here; "" is nothing. A digest that
// one side does not know is not compared.
func contradicts(size int64, sha1, sha256 string, ownSize int64, ownSHA1, ownSHA256 string) string {
	switch {
	case size != ownSize:
		return fmt.Sprintf("size %d there, %d here", size, ownSize)
	case sha1 != "" && ownSHA1 != "" && sha1 != ownSHA1:
		return fmt.Sprintf("SHA-1 %s there, %s here", sha1, ownSHA1)
	case sha256 != "" && ownSHA256 != "" && sha256 != ownSHA256:
		return fmt.Sprintf("SHA-256 %s there, %s here", sha256, ownSHA256)
	case (sha1 == "" || ownSHA1 == "") && (sha256 == "" || ownSHA256 == ""):
		return "no digest is known on both sides"
	}
	return ""
}

// host fetches the files of a package that are not stored yet, if the channel keeps them here.
func (r *mirrorRun) host(ctx context.Context, id uuid.UUID, m *mirror.Manifest) error {
	if !r.row.HostFiles {
		return nil
	}
	stored, err := r.s.store.Reader().StoredFile.Query().Where(storedfile.PackageID(id)).Select(storedfile.FieldName).Strings(ctx)
	if err != nil {
		return fmt.Errorf("read the stored files: %w", err)
	}
	for i, f := range append([]mirror.File{m.Payload}, m.Extra...) {
		if slices.Contains(stored, f.Name) || i > 0 && !keeps(r.row.ExtraFiles, f.Name) {
			continue
		}
		if err := r.renew(); err != nil {
			return err
		}
		err := r.s.holding(r.renew, func() error {
			_, err := r.s.FetchPackageFile(ctx, FetchPackageFile{PackageID: id, Name: f.Name, URL: m.Codebase + f.Name, Reason: "mirrored from " + r.up.Name})
			return err
		})
		if err != nil {
			return fmt.Errorf("fetch file %s of %s: %w", f.Name, m.Version, err)
		}
		r.changed("stored %s of %s", f.Name, m.Version)
	}
	return nil
}

// floor makes a package a floor, and reports whether it is one.
func (r *mirrorRun) floor(ctx context.Context, id uuid.UUID, m *mirror.Manifest) (bool, error) {
	_, ch, err := r.here()
	if err != nil {
		return false, err
	}
	if ch.IsFloor(id) {
		return true, nil
	}
	if b, is := ch.Blacklisted[id]; is {
		r.problem = fmt.Sprintf("version %s is a floor upstream, but is blacklisted here%s", m.Version, because(b.Reason))
		return false, nil
	}
	in := AddFloor{ChannelID: ch.ID, PackageID: id, Reason: m.FloorReason}
	if in.Reason == "" {
		in.Reason = "floor of " + r.up.Name
	}
	_, err = r.s.AddFloor(ctx, in)
	if fault.CodeOf(err) == fault.ApprovalRequired {
		r.problem = fmt.Sprintf("floor %s waits for the approval of a person", m.Version)
		return false, r.propose(ctx, Propose{AddFloor: &in}, "addFloor", id, "floor "+m.Version)
	}
	if err != nil {
		return false, fmt.Errorf("floor %s: %w", m.Version, err)
	}
	r.changed("made %s a floor: %s", m.Version, in.Reason)
	return true, nil
}

// promote points the channel to the target if the mode says so.
func (r *mirrorRun) promote(ctx context.Context, id uuid.UUID, m *mirror.Manifest, state *mirror.Channel, ready bool) error {
	app, ch, err := r.here()
	if err != nil || ch.IsTarget(id) {
		return err
	}
	next, _ := app.Versioning.Parse(m.Version) // compare checked it
	if ch.Target != nil && !ch.Target.Version.Less(next) {
		r.problem = fmt.Sprintf("the upstream offers %s, but the channel has %s: it is not lowered", m.Version, ch.Target.Version)
		return nil
	}
	if b, is := ch.Blacklisted[id]; is {
		r.problem = fmt.Sprintf("the upstream offers %s, which is blacklisted here%s", m.Version, because(b.Reason))
		return nil
	}
	if state != nil {
		for _, w := range state.Withdrawn {
			if w.Version == m.Version {
				r.problem = fmt.Sprintf("the upstream offers %s and withdraws it at the same time%s", m.Version, because(w.Reason))
				return nil
			}
		}
	}
	if view.MirrorMode(r.row.Mode) != view.MirrorPromote {
		r.wait(m.Version)
		return nil
	}
	if !ready {
		return nil
	}
	expected := uuid.Nil
	if ch.Target != nil {
		expected = uuid.UUID(ch.Target.ID)
	}
	in := PromotePackage{ChannelID: ch.ID, PackageID: &id, Reason: "the upstream promoted it", ExpectedPackageID: &expected}
	_, err = r.s.PromotePackage(ctx, in)
	if fault.CodeOf(err) == fault.ApprovalRequired {
		in.ExpectedPackageID = nil // the proposal itself compares
		return r.propose(ctx, Propose{PromotePackage: &in}, "promotePackage", id, "promotion of "+m.Version)
	}
	if err != nil {
		return fmt.Errorf("promote %s: %w", m.Version, err)
	}
	r.changed("promoted %s", m.Version)
	return nil
}

// wait says that a version waits for a person.
func (r *mirrorRun) wait(version string) {
	if r.waits = version; version != r.row.UpstreamVersion {
		r.changed("found %s, which waits for a person", version)
	}
}

// propose proposes a change unless the same is proposed already.
func (r *mirrorRun) propose(ctx context.Context, in Propose, verb string, id uuid.UUID, what string) error {
	open, err := r.s.store.Reader().Proposal.Query().Where(proposal.ChannelID(r.row.ChannelID), proposal.PackageID(id), proposal.Verb(verb),
		proposal.State(string(states.Open)), proposal.ExpiresAtGT(r.s.now())).Exist(ctx)
	if err != nil || open {
		return err
	}
	in.ExpiresIn = states.MaxLifetime
	if _, err := r.s.Propose(ctx, in); err != nil {
		return fmt.Errorf("propose the %s: %w", what, err)
	}
	r.changed("proposed the %s", what)
	return nil
}

// withdraw blacklists what is blacklisted for the upstream's channel.
func (r *mirrorRun) withdraw(ctx context.Context, a *mirror.Answer) error {
	if a.Channel == nil {
		return nil
	}
	for _, w := range a.Channel.Withdrawn {
		app, ch, err := r.here()
		if err != nil {
			return err
		}
		row, err := r.s.store.Reader().Release.Query().Where(release.ApplicationID(app.ID), release.Arch(ch.Arch), release.Version(w.Version)).Only(ctx)
		if db.IsNotFound(err) {
			continue
		}
		if err != nil {
			return err
		}
		if _, is := ch.Blacklisted[row.ID]; is {
			continue
		}
		why := "withdrawn upstream" + because(w.Reason)
		if err := mayBlacklist(row, ch, ""); err != nil {
			r.gone, r.problem = true, fmt.Sprintf("version %s was %s, but %s", w.Version, why, err)
			continue
		}
		if _, err := r.s.BlacklistPackage(ctx, BlacklistPackage{ChannelID: ch.ID, PackageID: row.ID, Reason: why}); err != nil {
			return fmt.Errorf("blacklist %s: %w", w.Version, err)
		}
		r.changed("blacklisted %s: %s", w.Version, why)
	}
	return nil
}

// warn says what a mirror that only notifies does not follow.
func (r *mirrorRun) warn(app *catalog.App, ch *catalog.Channel, a *mirror.Answer) {
	if a.Channel == nil || r.problem != "" {
		return
	}
	for _, w := range a.Channel.Withdrawn {
		if v, ok := app.Versioning.Parse(w.Version); ok && ch.Target != nil && ch.Target.Version.SameBuild(v) {
			r.problem = fmt.Sprintf("version %s was withdrawn upstream%s, but channel %q points to it: promote another one", w.Version, because(w.Reason), ch.Name)
		}
	}
}

// because returns ": " and a reason of a foreign server or a person, "" without one.
func because(reason string) string {
	if reason = strings.TrimSpace(reason); reason == "" {
		return ""
	}
	return ": " + limited(reason)
}
