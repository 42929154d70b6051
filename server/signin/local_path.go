package signin

import (
	"net/url"
	"strings"
)

// localPath returns a path of this server, with query and fragment, or "/" for anything that a
// browser could take for the address of another one.
func localPath(to string) string {
	const start = "/"
	if !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") || len(to) > maxPath {
		return start
	}
	// Browsers read a backslash as a slash and skip tabs and line feeds.
	if strings.ContainsFunc(to, func(r rune) bool { return r <= ' ' || r == '\\' || r == 0x7f }) {
		return start
	}
	u, err := url.Parse(to)
	if err != nil || u.IsAbs() || u.Host != "" || u.User != nil || strings.Contains(u.Path, "//") || strings.HasPrefix(u.Path, Prefix) {
		return start
	}
	return to
}

// maxPath limits a path, because it is in a cookie, and browsers limit those to 4,096 bytes.
const maxPath = 1024

// withParameter returns a local path with a query parameter more.
func withParameter(to, name, value string) string {
	u, err := url.Parse(to)
	if err != nil {
		u = &url.URL{Path: "/"}
	}
	q := u.Query()
	q.Set(name, value)
	u.RawQuery = q.Encode()
	return u.String()
}
