package main

import (
	"errors"
	"log/slog"
	"path/filepath"

	"github.com/spf13/pflag"

	"github.com/coreroller/coreroller/fleet/disk"
	"github.com/coreroller/coreroller/remote/payload/storage"
)

// Disk is the part of the configuration about the free space of the disks; see
// disk.Bounds.
type Disk struct {
	Warn, Reserve int64
	space         func(dir string) (free, total int64, known bool) // of tests; nil: the system's
}

// defaultDiskWarn leaves time: a million machines take about a gigabyte.
const defaultDiskWarn = 2 << 30

func (d *Disk) flags(f *pflag.FlagSet) {
	d.Warn, d.Reserve = defaultDiskWarn, storage.DefaultReserve
	f.Var((*bytesFlag)(&d.Warn), "disk-warn", "free bytes of the disk of --data-dir or --payload-dir below which the server warns, such as 2G, but at most a fifth of the disk; 0: never")
	f.Var((*bytesFlag)(&d.Reserve), "disk-reserve", "free bytes of such a disk below which new machines and uploads are refused, so that known machines and people can go on; at most a tenth of the disk; 0: never")
}

func (d *Disk) bounds() disk.Bounds { return disk.Bounds{Warn: d.Warn, Reserve: d.Reserve} }

func (d *Disk) check() error {
	if d.Warn > 0 && d.Warn < d.Reserve {
		return errors.New("--disk-warn must not be below --disk-reserve: the warning comes first")
	}
	return nil
}

// folders are those that the server writes to.
func (c *Config) folders() []disk.Folder {
	payloads := disk.Folder{Name: "payloads", Dir: c.Payloads.dir(c.DataDir), Uploads: true}
	switch {
	case c.DatabaseURL != "":
		return []disk.Folder{payloads}
	case c.Payloads.Dir == "":
		return []disk.Folder{{Name: "data", Dir: c.DataDir, Machines: true, Uploads: true}}
	}
	return []disk.Folder{{Name: "data", Dir: c.DataDir, Machines: true}, payloads}
}

// watchDisks looks at the folders, which exist.
func (c *Config) watchDisks(log *slog.Logger) *disk.Watch {
	space := c.Disk.space
	if space == nil {
		space = storage.Space
	}
	return disk.New(disk.Options{Folders: c.folders(), Bounds: c.Disk.bounds(), Space: space, Log: log})
}

// dir is the directory of the stored files and of unfinished uploads.
func (p *Payloads) dir(dataDir string) string {
	if p.Dir != "" {
		return p.Dir
	}
	return filepath.Join(dataDir, "payloads")
}
