package input

import (
	"strings"

	"go.mau.fi/util/confusable"
	"golang.org/x/text/unicode/norm"

	"github.com/coreroller/coreroller/fleet/fault"
)

// Apart returns Conflict if a name looks like one of others, such as prod-l and prod-1,
// or differs only in case. The same name is not looked at: who calls knows what it means.
func Apart(field, name string, others ...string) error {
	plain, folded := looks(name)
	for _, other := range others {
		if other == name {
			continue
		}
		if p, f := looks(other); p == plain || f == folded {
			return fault.Errorf(fault.Conflict, field, "looks like %q, which exists: choose a name that cannot be confused with it", other)
		}
	}
	return nil
}

// looks returns what a name looks like, as it is and in lower case: the skeleton of UTS
// 39 with one space for several.
func looks(name string) (plain, folded string) {
	name = strings.Join(strings.Fields(norm.NFKC.String(name)), " ")
	return confusable.Skeleton(name), confusable.Skeleton(strings.ToLower(name))
}
