package importing

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db/blacklisting"
	"github.com/coreroller/coreroller/ent/db/floor"
	"github.com/coreroller/coreroller/ent/db/packageaction"
	"github.com/coreroller/coreroller/ent/db/packagefile"
	"github.com/coreroller/coreroller/ent/db/promotion"
	"github.com/coreroller/coreroller/event"
	"github.com/coreroller/coreroller/fleet/change"
	"github.com/coreroller/coreroller/store"
)

// writeApp writes one application in one transaction.
func (i *Importer) writeApp(ctx context.Context, app *application, r *Report) error {
	exists, err := read(ctx, i.store.Reader(), app.ID)
	if err != nil || exists.deleted {
		return err
	}
	v := change.Verb{Name: "import", By: i.by, TeamID: app.TeamID, Object: "application", ID: app.ID, Unique: "name", Reason: "import from " + r.Place}
	if exists.app != nil {
		v.App = app.ID
	}
	return i.changes.Configure(ctx, v, func(c *change.Change) error {
		scratch := &Report{} // the plan has the notes already
		t, err := planApp(ctx, c.Tx.Client(), app, i.last, i.options.Force, scratch)
		if err != nil {
			return err
		}
		if t.skip || !t.writes() {
			return change.ErrUnchanged
		}
		c.Publish(event.FleetChanged)
		for _, write := range []func(*change.Change) error{t.writeApplication, t.writePackages, t.writeChannels, t.writeGroups} {
			if err := write(c); err != nil {
				return err
			}
		}
		c.After = map[string]any{"place": r.Place, "counts": counted(scratch)}
		return i.keepPrints(c, t, r.ID)
	})
}

func counted(r *Report) []Count {
	r.finish()
	return r.Counts
}

// writes reports whether anything of the application is written.
func (t *todo) writes() bool {
	for _, fates := range []map[uuid.UUID]fate{{t.app.ID: t.fate}, t.packages, t.channels, t.groups} {
		for _, f := range fates {
			if f.writes() {
				return true
			}
		}
	}
	return false
}

// keepPrints stores the hashes of what is here as it is there. Those of what people
// changed here stay, so that the change is noticed by the next import, too.
func (i *Importer) keepPrints(c *change.Change, t *todo, id uuid.UUID) error {
	now, err := read(c.Ctx, c.Tx.Client(), c.App)
	if err != nil {
		return err
	}
	keep := func(key string, there, here any) {
		if p := print(here); p == print(there) {
			i.last[key] = p
		}
	}
	keep(t.app.ID.String(), t.app, now.app)
	for _, p := range t.app.packages {
		keep(p.ID.String(), p, now.packages[p.ID])
	}
	for _, ch := range t.app.channels {
		keep(channelKey(ch.ID), ch, now.channels[ch.ID])
	}
	for _, g := range t.app.groups {
		keep(g.ID.String(), g, now.groups[g.ID])
	}
	text, err := json.Marshal(i.last)
	if err != nil {
		return err
	}
	return c.Tx.Client().ImportReport.UpdateOneID(id).SetPrints(string(text)).Exec(c.Ctx)
}

func (t *todo) writeApplication(c *change.Change) error {
	app, client := t.app, c.Tx.Client()
	switch t.fate {
	case fateNew:
		create := client.Application.Create().SetID(app.ID).SetTeamID(app.TeamID).SetCreatedAt(app.CreatedAt).SetName(app.Name).
			SetDescription(app.Description).SetVersioning(app.Versioning)
		if app.ProductID != "" {
			create.SetProductID(app.ProductID)
		}
		if err := create.Exec(c.Ctx); err != nil {
			return fmt.Errorf("application %s: %w", app.ID, err)
		}
		c.App = app.ID
	case fateChanged:
		update := client.Application.UpdateOneID(app.ID).SetName(app.Name).SetDescription(app.Description)
		if app.ProductID == "" {
			update.ClearProductID()
		} else {
			update.SetProductID(app.ProductID)
		}
		if err := update.Exec(c.Ctx); err != nil {
			return fmt.Errorf("application %s: %w", app.ID, err)
		}
	}
	return nil
}

func (t *todo) writePackages(c *change.Change) error {
	for _, p := range t.app.packages {
		if f := t.packages[p.ID]; f.writes() {
			if err := p.write(c, f); err != nil {
				return fmt.Errorf("package %s: %w", p.ID, err)
			}
		}
	}
	return nil
}

func (p *pkg) write(c *change.Change, f fate) (err error) {
	client := c.Tx.Client()
	if f == fateNew {
		err = client.Release.Create().SetID(p.ID).SetApplicationID(c.App).SetCreatedAt(p.CreatedAt).SetType(p.Type).SetArch(p.Arch).SetVersion(p.Version).
			SetURL(p.URL).SetFilename(p.Filename).SetDescription(p.Description).SetSize(p.Size).SetSha1(p.SHA1).SetSha256(p.SHA256).Exec(c.Ctx)
	} else {
		err = client.Release.UpdateOneID(p.ID).SetType(p.Type).SetArch(p.Arch).SetVersion(p.Version).
			SetURL(p.URL).SetFilename(p.Filename).SetDescription(p.Description).SetSize(p.Size).SetSha1(p.SHA1).SetSha256(p.SHA256).Exec(c.Ctx)
		if err == nil {
			_, err = client.PackageFile.Delete().Where(packagefile.PackageID(p.ID)).Exec(c.Ctx)
		}
		if err == nil {
			_, err = client.PackageAction.Delete().Where(packageaction.PackageID(p.ID)).Exec(c.Ctx)
		}
	}
	if err != nil {
		return err
	}
	for _, f := range p.Files {
		err := client.PackageFile.Create().SetID(store.NewID(c.Now)).SetPackageID(p.ID).SetName(f.Name).SetSize(f.Size).SetSha1(f.SHA1).SetSha256(f.SHA256).Exec(c.Ctx)
		if err != nil {
			return err
		}
	}
	if a := p.Action; a != nil {
		return client.PackageAction.Create().SetID(store.NewID(c.Now)).SetPackageID(p.ID).SetCreatedAt(p.CreatedAt).SetSha256(a.SHA256).
			SetChromeosVersion(a.ChromeOSVersion).SetMetadataSignatureRsa(a.MetadataSignatureRSA).SetMetadataSize(a.MetadataSize).SetDeadline(a.Deadline).
			SetNeedsAdmin(a.NeedsAdmin).SetIsDelta(a.IsDelta).SetDisablePayloadBackoff(a.DisablePayloadBackoff).Exec(c.Ctx)
	}
	return nil
}

func (t *todo) writeChannels(c *change.Change) error {
	for _, ch := range t.app.channels {
		if f := t.channels[ch.ID]; f.writes() {
			var was uuid.UUID
			if old := t.here.channels[ch.ID]; old != nil {
				was = old.PackageID
			}
			if err := ch.write(c, f, was, t.version(ch.PackageID)); err != nil {
				return fmt.Errorf("channel %s: %w", ch.ID, err)
			}
		}
	}
	return nil
}

// version returns the version of a package of the application.
func (t *todo) version(id uuid.UUID) string {
	for _, p := range t.app.packages {
		if p.ID == id {
			return p.Version
		}
	}
	if p := t.here.packages[id]; p != nil {
		return p.Version
	}
	return ""
}

func (ch *channel) write(c *change.Change, f fate, was uuid.UUID, version string) error {
	client := c.Tx.Client()
	var target *uuid.UUID
	if ch.PackageID != uuid.Nil {
		target = &ch.PackageID
	}
	if f == fateNew {
		create := client.Channel.Create().SetID(ch.ID).SetApplicationID(c.App).SetCreatedAt(ch.CreatedAt).SetName(ch.Name).SetColor(ch.Color).SetArch(ch.Arch).
			SetNillablePackageID(target)
		if target != nil {
			create.SetPromotedAt(c.Now).SetPromotedBy(c.By.Name)
		}
		if err := create.Exec(c.Ctx); err != nil {
			return err
		}
	} else {
		update := client.Channel.UpdateOneID(ch.ID).AddRevision(1).SetName(ch.Name).SetColor(ch.Color).SetArch(ch.Arch)
		if target == nil {
			update.ClearPackageID()
		} else {
			update.SetPackageID(*target)
		}
		if was != ch.PackageID {
			update.SetPromotedAt(c.Now).SetPromotedBy(c.By.Name)
		}
		if err := update.Exec(c.Ctx); err != nil {
			return err
		}
		if _, err := client.Floor.Delete().Where(floor.ChannelID(ch.ID)).Exec(c.Ctx); err != nil {
			return err
		}
		if _, err := client.Blacklisting.Delete().Where(blacklisting.ChannelID(ch.ID)).Exec(c.Ctx); err != nil {
			return err
		}
	}
	if was != ch.PackageID {
		if _, err := client.Promotion.Update().Where(promotion.ChannelID(ch.ID), promotion.EndedAtIsNil()).SetEndedAt(c.Now).Save(c.Ctx); err != nil {
			return err
		}
		err := client.Promotion.Create().SetID(store.NewID(c.Now)).SetChannelID(ch.ID).SetNillablePackageID(target).SetVersion(version).
			SetReason(c.Reason).SetCreatedBy(c.By.Name).SetCreatedAt(c.Now).Exec(c.Ctx)
		if err != nil {
			return err
		}
	}
	for _, f := range ch.Floors {
		err := client.Floor.Create().SetID(store.NewID(c.Now)).SetChannelID(ch.ID).SetPackageID(f.PackageID).SetReason(f.Reason).SetCreatedBy(c.By.Name).SetCreatedAt(c.Now).Exec(c.Ctx)
		if err != nil {
			return err
		}
	}
	for _, id := range ch.Blacklist {
		err := client.Blacklisting.Create().SetID(store.NewID(c.Now)).SetChannelID(ch.ID).SetPackageID(id).SetReason(c.Reason).SetCreatedBy(c.By.Name).SetCreatedAt(c.Now).Exec(c.Ctx)
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *todo) writeGroups(c *change.Change) error {
	for _, g := range t.app.groups {
		f := t.groups[g.ID]
		if !f.writes() {
			continue
		}
		var target *uuid.UUID
		if g.ChannelID != uuid.Nil {
			target = &g.ChannelID
		}
		var err error
		if f == fateNew {
			create := c.Tx.Client().Group.Create().SetID(g.ID).SetApplicationID(c.App).SetCreatedAt(g.CreatedAt).SetName(g.Name).SetTrack(g.Track).SetArch(g.Arch).
				SetDescription(g.Description).SetNillableChannelID(target).SetPolicy(g.Policy)
			if !g.Policy.UpdatesEnabled {
				create.SetPausedAt(c.Now).SetPausedBy(c.By.Name).SetPauseReason(g.Pause)
			}
			err = create.Exec(c.Ctx)
		} else {
			update := c.Tx.Client().Group.UpdateOneID(g.ID).AddRevision(1).SetName(g.Name).SetTrack(g.Track).SetArch(g.Arch).SetDescription(g.Description).SetPolicy(g.Policy)
			if target == nil {
				update.ClearChannelID()
			} else {
				update.SetChannelID(*target)
			}
			if was := t.here.groups[g.ID]; g.Policy.UpdatesEnabled {
				update.ClearPausedAt().SetPausedBy("").SetPauseReason("")
			} else if was.Policy.UpdatesEnabled {
				update.SetPausedAt(c.Now).SetPausedBy(c.By.Name).SetPauseReason(g.Pause)
			}
			err = update.Exec(c.Ctx)
		}
		if err != nil {
			return fmt.Errorf("group %s: %w", g.ID, err)
		}
	}
	return nil
}
