package api

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Upload is a file to send in parts, by the protocol tus 1.0.
type Upload struct {
	PackageID string
	Name      string // of the file in its package
	Reason    string
	File      io.ReaderAt
	Size      int64
	// Path is that of an earlier upload of the same file, which is continued if the server
	// still has it; "" for none. Begun is called with the path of a new one.
	Path  string
	Begun func(path string)
	// Progress is called after each piece that was sent; it may be nil.
	Progress func(done, total int64)
}

const (
	// uploadPart is the size of one request. What is below a proxy's limit passes it, and
	// the server makes each part durable.
	uploadPart = 32 << 20
	// uploadTries limits the tries in a row that send nothing.
	uploadTries = 8
	maxMessage  = 64 << 10
)

// Send sends a file, and goes on after a broken connection where the server is. It returns
// the base URL of the package.
func (s *Server) Send(ctx context.Context, u Upload) (string, error) {
	offset := int64(0)
	pause, failed := firstRetry, 0
	for {
		if u.Path == "" {
			path, err := s.beginUpload(ctx, u)
			if err != nil {
				return "", err
			}
			if u.Path, offset = path, 0; u.Begun != nil {
				u.Begun(path)
			}
		} else {
			got, err := s.offset(ctx, u.Path)
			switch {
			case err == nil && got <= u.Size:
				offset = got
			case Code(err) == notFound || err == nil:
				u.Path = ""
				continue
			case Code(err) != "" && Code(err) != Unavailable:
				return "", err
			}
		}
		before := offset
		url, err := s.sendParts(ctx, u, &offset)
		if err == nil {
			return url, nil
		}
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		if code := Code(err); code != "" && code != Unavailable && code != conflict {
			return "", err
		}
		if failed++; offset > before {
			pause, failed = firstRetry, 1
		}
		if failed >= uploadTries {
			return "", err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return "", ctx.Err()
		}
		pause = min(2*pause, lastRetry)
	}
}

// The codes that an upload handles besides those of all answers.
const (
	notFound = "NOT_FOUND"
	conflict = "CONFLICT" // the previous request still writes, or the offset is another
)

func (s *Server) beginUpload(ctx context.Context, u Upload) (string, error) {
	var metadata []string
	for _, pair := range [][2]string{{"package", u.PackageID}, {"name", u.Name}, {"reason", u.Reason}} {
		metadata = append(metadata, pair[0]+" "+base64.StdEncoding.EncodeToString([]byte(pair[1])))
	}
	resp, err := s.uploadRequest(ctx, http.MethodPost, "/uploads/", nil, 0, map[string]string{
		"Upload-Length": strconv.FormatInt(u.Size, 10), "Upload-Metadata": strings.Join(metadata, ","),
	})
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	path := resp.Header.Get("Location")
	if resp.StatusCode != http.StatusCreated || !strings.HasPrefix(path, "/uploads/") {
		return "", s.uploadProblem(resp)
	}
	return path, nil
}

// offset returns how many bytes of an upload the server has.
func (s *Server) offset(ctx context.Context, path string) (int64, error) {
	resp, err := s.uploadRequest(ctx, http.MethodHead, path, nil, 0, nil)
	if err != nil {
		return 0, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode == http.StatusNotFound {
		return 0, &Problem{Server: s.URL, Code: notFound, Message: "the upload has expired"}
	}
	if resp.StatusCode != http.StatusOK {
		return 0, s.uploadProblem(resp)
	}
	return strconv.ParseInt(resp.Header.Get("Upload-Offset"), 10, 64)
}

// sendParts sends the rest of a file and returns the URL of the last answer. offset is moved
// with every part that the server has.
func (s *Server) sendParts(ctx context.Context, u Upload, offset *int64) (string, error) {
	for {
		size := min(uploadPart, u.Size-*offset)
		start := *offset
		body := &counting{r: io.NewSectionReader(u.File, start, size), seen: func(n int64) {
			if u.Progress != nil {
				u.Progress(start+n, u.Size)
			}
		}}
		resp, err := s.uploadRequest(ctx, http.MethodPatch, u.Path, body, size, map[string]string{
			"Upload-Offset": strconv.FormatInt(start, 10), "Content-Type": "application/offset+octet-stream",
		})
		if err != nil {
			return "", err
		}
		text, err := io.ReadAll(io.LimitReader(resp.Body, maxMessage))
		_ = resp.Body.Close()
		if err != nil {
			return "", err
		}
		if resp.StatusCode >= http.StatusMultipleChoices {
			resp.Body = io.NopCloser(bytes.NewReader(text))
			return "", s.uploadProblem(resp)
		}
		if *offset, err = strconv.ParseInt(resp.Header.Get("Upload-Offset"), 10, 64); err != nil {
			return "", fmt.Errorf("%s sent no offset", s.URL)
		}
		if *offset >= u.Size {
			var stored struct{ URL string }
			err := json.Unmarshal(text, &stored)
			return stored.URL, err
		}
	}
}

func (s *Server) uploadRequest(ctx context.Context, method, path string, body io.Reader, size int64, headers map[string]string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(s.URL, "/")+path, body)
	if err != nil {
		return nil, err
	}
	req.ContentLength = size
	req.Header.Set("Tus-Resumable", "1.0.0")
	for name, value := range headers {
		req.Header.Set(name, value)
	}
	s.signIn(req)
	client, err := s.http()
	if err != nil {
		return nil, err
	}
	resp, err := client.Do(req)
	return resp, s.explain(err)
}

// uploadProblem returns the error of an answer.
func (s *Server) uploadProblem(resp *http.Response) error {
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxMessage))
	if err != nil {
		return err
	}
	var p struct{ Code, Field, Message string }
	if json.Unmarshal(text, &p) != nil || p.Message == "" {
		if resp.StatusCode == http.StatusRequestEntityTooLarge {
			return &Problem{Server: s.URL, Code: "INVALID", Message: "a proxy refuses parts of 32 MiB: raise its limit for the size of requests"}
		}
		return fmt.Errorf("%s answered %s", resp.Request.URL, resp.Status)
	}
	return &Problem{Server: s.URL, Code: strings.ToUpper(p.Code), Field: p.Field, Message: p.Message}
}

// counting reports what was read.
type counting struct {
	r    io.Reader
	done int64
	seen func(done int64)
}

// Read implements io.Reader.
func (c *counting) Read(data []byte) (int, error) {
	n, err := c.r.Read(data)
	if c.done += int64(n); n > 0 {
		c.seen(c.done)
	}
	return n, err
}
