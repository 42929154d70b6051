package storage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

const (
	// partSize is the size of the parts of a multipart upload: S3 requires 5 MiB, and takes
	// at most 10,000 parts, which are 160 GB. A broken connection costs one part.
	partSize = 16 << 20
	// maxReopens limits how often one read is continued with another connection.
	maxReopens = 5
)

// Bucket is where a bucket of S3 is, and how to sign in there.
type Bucket struct {
	Address              string // such as https://s3.example.com/bucket/prefix
	Region               string // "": the server says it
	AccessKey, SecretKey string
	Transport            http.RoundTripper // nil: the default
}

// S3 is a Storage in a bucket of S3, or of a server with the same protocol.
type S3 struct {
	client         *minio.Client
	bucket, prefix string
	name           string
}

// NewS3 returns the storage of a bucket, which must exist.
func NewS3(ctx context.Context, b Bucket) (*S3, error) {
	u, err := url.Parse(b.Address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.RawQuery != "" {
		return nil, errors.New("must be a URL with the bucket, such as https://s3.example.com/bucket/prefix, without keys")
	}
	bucket, prefix, _ := strings.Cut(strings.Trim(u.Path, "/"), "/")
	if bucket == "" {
		return nil, errors.New("names no bucket: write it after the host, such as https://s3.example.com/bucket")
	}
	client, err := minio.New(u.Host, &minio.Options{
		Creds: credentials.NewStaticV4(b.AccessKey, b.SecretKey, ""), Secure: u.Scheme == "https", Region: b.Region,
		BucketLookup: minio.BucketLookupPath, Transport: b.Transport,
	})
	if err != nil {
		return nil, err
	}
	s := &S3{client: client, bucket: bucket, prefix: prefix, name: "bucket " + u.Host + "/" + path.Join(bucket, prefix)}
	switch exists, err := client.BucketExists(ctx, bucket); {
	case err != nil:
		return nil, fmt.Errorf("the %s cannot be read: %w", s.name, err)
	case !exists:
		return nil, fmt.Errorf("the %s does not exist: create it first", s.name)
	}
	return s, nil
}

func (s *S3) key(sha256 string) string { return path.Join(s.prefix, sha256) }

// Keep implements Storage. A large file is sent in parts, and a part that fails again.
func (s *S3) Keep(ctx context.Context, sha256, file string) error {
	info, err := s.client.FPutObject(ctx, s.bucket, s.key(sha256), file, minio.PutObjectOptions{
		ContentType: "application/octet-stream", PartSize: partSize,
		// Without TLS the parts would be sent as signed chunks, which not every server reads.
		DisableContentSha256: true,
	})
	if err != nil {
		return err
	}
	stored, err := s.client.StatObject(ctx, s.bucket, s.key(sha256), minio.StatObjectOptions{})
	if err == nil && stored.Size != info.Size {
		err = fmt.Errorf("the %s has %d of %d bytes", s.name, stored.Size, info.Size)
	}
	return err
}

// Open implements Storage.
func (s *S3) Open(ctx context.Context, sha256 string, size int64) (io.ReadSeekCloser, error) {
	info, err := s.client.StatObject(ctx, s.bucket, s.key(sha256), minio.StatObjectOptions{})
	switch {
	case isMissing(err):
		return nil, ErrMissing
	case err != nil:
		return nil, err
	case info.Size != size:
		return nil, fmt.Errorf("the stored file %s has %d bytes instead of %d", sha256, info.Size, size)
	}
	return &object{ctx: ctx, s3: s, key: s.key(sha256), size: size}, nil
}

func isMissing(err error) bool { return minio.ToErrorResponse(err).Code == minio.NoSuchKey }

// Delete implements Storage.
func (s *S3) Delete(ctx context.Context, sha256 string) error {
	return s.client.RemoveObject(ctx, s.bucket, s.key(sha256), minio.RemoveObjectOptions{})
}

// List implements Storage.
func (s *S3) List(ctx context.Context) ([]Content, error) {
	prefix := s.prefix
	if prefix != "" {
		prefix += "/"
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var all []Content
	for o := range s.client.ListObjects(ctx, s.bucket, minio.ListObjectsOptions{Prefix: prefix, Recursive: true}) {
		if o.Err != nil {
			return nil, o.Err
		}
		if name := strings.TrimPrefix(o.Key, prefix); contentName.MatchString(name) {
			all = append(all, Content{SHA256: name, Size: o.Size, Since: o.LastModified.UTC()})
		}
	}
	return all, nil
}

// Free implements Storage: S3 has no end.
func (*S3) Free() (int64, bool) { return 0, false }

// String implements Storage.
func (s *S3) String() string { return s.name }

// object reads an object, one connection from each position that is read. A broken one is
// replaced.
type object struct {
	ctx  context.Context //nolint:containedctx // that of the request that reads it
	s3   *S3
	key  string
	size int64
	at   int64
	body io.ReadCloser // nil: not open
}

// Read implements io.Reader.
func (o *object) Read(data []byte) (int, error) {
	if len(data) == 0 {
		return 0, nil
	}
	var last error
	for range maxReopens {
		if o.at >= o.size {
			return 0, io.EOF
		}
		if o.body == nil {
			if last = o.open(); last != nil {
				continue
			}
		}
		n, err := o.body.Read(data)
		o.at += int64(n)
		if err != nil {
			_ = o.Close() // the next read opens another one, unless the end is reached
		}
		if n > 0 {
			return n, nil
		}
		if last = err; o.ctx.Err() != nil {
			break
		}
	}
	if last == nil || errors.Is(last, io.EOF) {
		last = io.ErrUnexpectedEOF
	}
	return 0, last
}

// open asks for everything from the position on.
func (o *object) open() error {
	var options minio.GetObjectOptions
	if o.at > 0 {
		if err := options.SetRange(o.at, 0); err != nil {
			return err
		}
	}
	body, _, _, err := minio.Core{Client: o.s3.client}.GetObject(o.ctx, o.s3.bucket, o.key, options)
	if err == nil {
		o.body = body
	}
	return err
}

// Seek implements io.Seeker.
func (o *object) Seek(offset int64, from int) (int64, error) {
	switch from {
	case io.SeekCurrent:
		offset += o.at
	case io.SeekEnd:
		offset += o.size
	}
	if offset < 0 {
		return 0, errors.New("seek before the beginning of the file")
	}
	if offset != o.at {
		_ = o.Close()
	}
	o.at = offset
	return offset, nil
}

// Close implements io.Closer.
func (o *object) Close() error {
	if o.body == nil {
		return nil
	}
	err := o.body.Close()
	o.body = nil
	return err
}
