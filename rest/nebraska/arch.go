package nebraska

import (
	"github.com/google/uuid"

	"github.com/coreroller/coreroller/rest/endpoint"
)

// arches are the architectures by their number in Nebraska, without 0: all of them.
var arches = []string{1: "amd64", 2: "arm64", 3: "x86"}

// otherArch is the number of an architecture that Nebraska does not have.
const otherArch = 255

func numberOf(arch string) int {
	for n, name := range arches {
		if n > 0 && name == arch {
			return n
		}
	}
	return otherArch
}

// newArch reads the architecture of a new object.
func newArch(b *endpoint.Body) string {
	n := b.Number("arch")
	switch {
	case !b.Has("arch"):
	case n == 0:
		b.Complain("arch", "0 (all) is not possible, because a channel here has one architecture: send 1 (amd64), 2 (aarch64) or 3 (x86)")
	case n < 0 || n >= len(arches):
		b.Complain("arch", "must be 1 (amd64), 2 (aarch64) or 3 (x86)")
	default:
		return arches[n]
	}
	return ""
}

// keepArch refuses another architecture of an object that exists. Nebraska ignores it.
func keepArch(b *endpoint.Body, arch string) {
	if b.Has("arch") && b.Number("arch") != numberOf(arch) {
		b.Complain("arch", "cannot change, because machines follow it: it is %d", numberOf(arch))
	}
}

// newID refuses an id for a new object.
func newID(b *endpoint.Body) {
	if b.Text("id") != "" {
		b.Complain("id", "must be absent, because the server chooses the id")
	}
}

// keepID refuses another id than that of the path.
func keepID(b *endpoint.Body, id uuid.UUID) {
	if sent := b.ID("id"); sent != nil && *sent != id {
		b.Complain("id", "is not the id in the path, %s", id)
	}
}
