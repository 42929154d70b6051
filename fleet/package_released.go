package fleet

import (
	"cmp"
	"reflect"
	"slices"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/fleet/change"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/input"
)

// mayChange returns Conflict with the number of machines that have a package, if an
// edit changes what they rely on and is not forced. What another person approved cannot be
// changed at all.
func (s *Service) mayChange(c *change.Change, force bool, row *db.Release, after CreatePackage) error {
	before := new(UpdatePackage).over(row)
	before.check(new(input.Problems), c.Config.Versioning, true)
	if reflect.DeepEqual(before.relied(), after.relied()) {
		return nil
	}
	if err := approvedBefore(c, row); force || err != nil {
		return err
	}
	have, err := s.View.HavePackage(c.Ctx, c.Config, row)
	if err != nil || have == "" {
		return err
	}
	return fault.Errorf(fault.Conflict, "force",
		"%s: they keep what they have, and other machines would get something else under the same name; force changes it anyway", have)
}

// relied returns the fields that a machine relies on, in a form that can be compared.
func (f CreatePackage) relied() CreatePackage {
	f.Description, f.Blacklist, f.Arch = "", nil, ""
	f.Hosted, f.SourceURL = false, "" // machines see the URL only
	f.Files = slices.SortedFunc(slices.Values(f.Files), func(a, b FileInput) int { return cmp.Compare(a.Name, b.Name) })
	if a := f.Action; a != nil && a.DisablePayloadBackoff == nil {
		same := *a
		same.DisablePayloadBackoff = new(true)
		f.Action = &same
	}
	return f
}
