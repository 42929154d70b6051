package main

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// writeSBOM writes a list of the parts in the format of CycloneDX, without a time and a
// random serial number, so that two builds give the same bytes.
func (c *contents) writeSBOM(out io.Writer, version string) error {
	text, err := os.ReadFile(c.program)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(text)
	settings := map[string]string{}
	for _, s := range c.build.Settings {
		settings[s.Key] = s.Value
	}
	bom := cdx.NewBOM()
	bom.Metadata = &cdx.Metadata{Component: &cdx.Component{
		BOMRef: "coreroller", Type: cdx.ComponentTypeApplication, Name: "coreroller", Version: version,
		PackageURL: golangURL(c.build.Main.Path, version) + "?goarch=" + settings["GOARCH"] + "&goos=" + settings["GOOS"],
		Hashes:     &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: hex.EncodeToString(sum[:])}},
		Licenses:   &cdx.Licenses{{License: &cdx.License{ID: "Apache-2.0"}}},
	}}
	toolchain := part{name: "std", version: strings.TrimPrefix(c.build.GoVersion, "go"), license: "BSD-3-Clause"}
	components := []cdx.Component{component(toolchain, golangURL("std", toolchain.version), nil)}
	for _, m := range c.modules {
		hash, err := decodeHash(m.hash, "h1:", cdx.HashAlgoSHA256)
		if err != nil {
			return err
		}
		components = append(components, component(m, golangURL(m.name, m.version), hash))
	}
	for _, p := range c.packages {
		hash, err := decodeHash(p.hash, "sha512-", cdx.HashAlgoSHA512)
		if err != nil {
			return err
		}
		components = append(components, component(p, "pkg:npm/"+strings.ReplaceAll(p.name, "@", "%40")+"@"+p.version, hash))
	}
	bom.Components = &components
	refs := make([]string, len(components))
	for i, one := range components {
		refs[i] = one.BOMRef
	}
	bom.Dependencies = &[]cdx.Dependency{{Ref: "coreroller", Dependencies: &refs}}
	return cdx.NewBOMEncoder(out, cdx.BOMFileFormatJSON).SetPretty(true).SetEscapeHTML(false).EncodeVersion(bom, cdx.SpecVersion1_6)
}

func golangURL(path, version string) string {
	return "pkg:golang/" + path + "@" + url.PathEscape(version)
}

func component(p part, address string, hash *[]cdx.Hash) cdx.Component {
	one := cdx.Component{BOMRef: address, Type: cdx.ComponentTypeLibrary, Name: p.name, Version: p.version, PackageURL: address, Hashes: hash}
	if p.license != "" {
		one.Licenses = &cdx.Licenses{{Expression: p.license}}
	}
	return one
}

// decodeHash returns a hash in hexadecimal. The one of a Go module is that of its list of files.
func decodeHash(text, prefix string, algorithm cdx.HashAlgorithm) (*[]cdx.Hash, error) {
	encoded, ok := strings.CutPrefix(text, prefix)
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if !ok || err != nil {
		return nil, fmt.Errorf("%q is not a hash that begins with %s", text, prefix)
	}
	return &[]cdx.Hash{{Algorithm: algorithm, Value: hex.EncodeToString(raw)}}, nil
}
