// Package frontend carries the built dashboard inside the binary. It knows
// nothing of how it is served.
package frontend

import (
	"embed"
	"io/fs"
)

// dist is what the build left; without a build it holds nothing but .keep, so
// that the server compiles and tests run without Node.
//
//go:embed all:dist
var dist embed.FS

// Dist is the built dashboard, index.html at its root.
func Dist() fs.FS {
	sub, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // only for an invalid path
	}
	return sub
}
