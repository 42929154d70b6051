package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/disk"
	"github.com/coreroller/coreroller/remote/payload/storage"
	"github.com/coreroller/coreroller/server"
	"github.com/coreroller/coreroller/server/payloads"
)

// Payloads is the part of the configuration about the stored files of packages.
type Payloads struct {
	Dir           string // "" is payloads in the data directory
	URL           string // of this server for machines; "" is that of the upload
	Quota         int64  // bytes; 0: none
	Rate          int64  // bytes per second; 0: no limit
	RatePerClient int64
	Downloads     int // at once; 0: no limit

	S3     string // URL of a bucket; "": Dir
	Region string
	Keys   bucketKeys
}

// bucketKeys sign in to a bucket. They are no flags, because other users can see the
// arguments of a command.
type bucketKeys struct{ Access, Secret string }

// The environment variables, without their prefix, with the keys of --payload-s3.
const (
	bucketAccess     = "PAYLOAD_S3_ACCESS_KEY"
	bucketSecret     = "PAYLOAD_S3_SECRET_KEY"      //nolint:gosec // G101: the name of a variable
	bucketSecretFile = "PAYLOAD_S3_SECRET_KEY_FILE" //nolint:gosec // G101: the name of a variable
)

// readBucketKeys returns the keys of the environment.
func readBucketKeys(environ []string) (bucketKeys, error) {
	secret, err := readSecret(environ, bucketSecret, bucketSecretFile)
	return bucketKeys{environment(environ)[envPrefix+bucketAccess], secret}, err
}

const (
	defaultDownloads = 200
	// defaultRate fills a line of 1 Gbit/s. Downloads without a limit take the processor
	// from check-ins: see docs/payloads.md.
	defaultRate = 100 << 20
)

func (p *Payloads) flags(f *pflag.FlagSet) {
	f.StringVar(&p.Dir, "payload-dir", "", "directory of the stored files of packages; default: payloads in --data-dir; several servers on one database share it")
	f.StringVar(&p.S3, "payload-s3", "", "URL of a bucket of S3, or of a server with the same protocol, that keeps the stored files, such as https://s3.example.com/bucket/prefix; the keys are in "+envPrefix+bucketAccess+" and "+envPrefix+bucketSecret+" or, in a file, "+envPrefix+bucketSecretFile+"; --payload-dir then has unfinished uploads only")
	f.StringVar(&p.Region, "payload-s3-region", "", "region of the bucket; default: the server says it")
	f.StringVar(&p.URL, "payload-url", "", "URL of this server from which machines fetch stored files, such as https://updates.example.com; default: that which the user who stores the first file uses")
	f.Var((*bytesFlag)(&p.Quota), "payload-quota", "maximum of the stored files in bytes, such as 200G; above it uploads are refused; 0: no maximum")
	p.Rate = defaultRate
	f.Var((*bytesFlag)(&p.Rate), "payload-rate", "maximum of bytes per second that all machines together fetch from this process; 0: no maximum")
	f.Var((*bytesFlag)(&p.RatePerClient), "payload-rate-per-client", "maximum of bytes per second that one address (in IPv6: one /64 network) fetches; 0: no maximum")
	f.IntVar(&p.Downloads, "payload-downloads", defaultDownloads, "maximum number of downloads at the same time; further ones are answered 503 and come back after a minute; 0: no maximum")
}

func (p *Payloads) limits() payloads.Limits {
	return payloads.Limits{Rate: p.Rate, RatePerClient: p.RatePerClient, AtOnce: p.Downloads}
}

// check returns what is wrong with the values.
func (p *Payloads) check() error {
	errs := []error{p.limits().Check()}
	if p.S3 != "" && (p.Keys.Access == "" || p.Keys.Secret == "") {
		errs = append(errs, fmt.Errorf("--payload-s3 needs %s and %s", envPrefix+bucketAccess, envPrefix+bucketSecret))
	}
	if u, err := url.Parse(p.URL); p.URL != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.RawQuery != "" || u.Fragment != "") {
		errs = append(errs, errors.New("--payload-url must be an http or https URL such as https://updates.example.com"))
	}
	return errors.Join(errs...)
}

// open opens the storage.
func (p *Payloads) open(ctx context.Context, dataDir string, bounds disk.Bounds) (fleet.Hosting, error) {
	dir := p.dir(dataDir)
	var kept storage.Storage
	var err error
	if p.S3 != "" {
		if kept, err = storage.NewS3(ctx, storage.Bucket{Address: p.S3, Region: p.Region, AccessKey: p.Keys.Access, SecretKey: p.Keys.Secret}); err != nil {
			return fleet.Hosting{}, fmt.Errorf("--payload-s3: %w", err)
		}
	} else if kept, err = storage.NewDirectory(filepath.Join(dir, "files")); err != nil {
		return fleet.Hosting{}, fmt.Errorf("--payload-dir: %w", err)
	}
	if _, total, known := storage.Space(dir); known { // else the bounds are as configured
		bounds = bounds.Of(total)
	}
	staging, err := storage.NewStaging(filepath.Join(dir, "incoming"), bounds.Reserve)
	if err != nil {
		return fleet.Hosting{}, fmt.Errorf("--payload-dir: %w", err)
	}
	caps := fleet.Caps{MaxRate: p.Rate, MaxRatePerClient: p.RatePerClient, MaxDownloads: p.Downloads}
	return fleet.Hosting{Storage: kept, Staging: staging, Quota: p.Quota, Caps: caps, URL: func(ctx context.Context) string {
		if p.URL != "" {
			return p.URL
		}
		return server.MachinesURL(ctx)
	}}, nil
}

// bytesFlag is a flag with a number of bytes, or of units of 1024 bytes: K, M, G and T.
type bytesFlag int64

const units = "KMGT"

func (b *bytesFlag) String() string {
	n, unit := int64(*b), 0
	for ; n > 0 && n%1024 == 0 && unit < len(units); unit++ {
		n /= 1024
	}
	text := strconv.FormatInt(n, 10)
	if unit > 0 {
		text += units[unit-1 : unit]
	}
	return text
}

func (b *bytesFlag) Type() string { return "bytes" }

func (b *bytesFlag) Set(text string) error {
	number, shift := text, 0
	if i := strings.IndexAny(units, lastOf(text)); text != "" && i >= 0 {
		number, shift = text[:len(text)-1], 10*(i+1)
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 0 || n > 1<<62>>shift {
		return errors.New("use a number of bytes, such as 500M or 200G")
	}
	*b = bytesFlag(n << shift)
	return nil
}

// lastOf returns the last byte of a text in upper case, "" of an empty one.
func lastOf(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[len(text)-1:])
}
