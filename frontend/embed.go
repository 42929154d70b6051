// Package frontend embeds the built dashboard in the binary. Package server serves
// it.
package frontend

import (
	"embed"
	"io/fs"
)

// dist is the output of the build. Without a build it contains only .keep, so that
// the server compiles and tests run without Node.
//
//go:embed all:dist
var dist embed.FS

// Dist returns the built dashboard, with index.html at its root.
func Dist() fs.FS {
	sub, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // only for an invalid path
	}
	return sub
}
