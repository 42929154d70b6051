package checkin

import (
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/quota"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
)

// valuesAge is how long the values of a group are used without reading them again.
// Meanwhile other processes may add some, so a group can have that many more.
const valuesAge = time.Second

var otherVersion, _ = rollout.ParseVersion(quota.OtherVersion)

// valueSets are the distinct versions and platforms of groups as this process knows
// them. They are safe for concurrent use; the zero value is ready.
type valueSets struct {
	mu   sync.Mutex
	sets map[valueKey]*valueSet
}

type valueKey struct {
	group uuid.UUID
	kind  quota.Kind // Version or Platform
}

type valueSet struct {
	values map[string]struct{}
	at     time.Time
}

// described is what a machine reported before a check-in.
type described struct {
	group   uuid.UUID // zero: the machine is new
	version rollout.Version
	oem     string
}

func describedBy(m *store.Machine) described {
	if m == nil {
		return described{}
	}
	return described{m.GroupID, m.Version, m.OEM}
}

// bound replaces a version and a platform that would be one too many in the group.
// The decision was made with the version that the machine sent.
func (b *batch) bound(m *store.Machine, before described) error {
	if b.s.quotas.ValuesPerGroup == 0 {
		return nil
	}
	moved := m.GroupID != before.group
	group := b.apps[m.ApplicationID].Group(m.GroupID)
	if moved || m.Version != before.version {
		ok, err := b.admits(group, quota.Version, m.Version.String())
		if err != nil {
			return err
		}
		if !ok {
			b.worlds[m.GroupID].Relabel(&m.Machine, otherVersion)
			b.refused(quota.Version, group.ID, before.version.String() != quota.OtherVersion)
		}
	}
	if moved || m.OEM != before.oem {
		ok, err := b.admits(group, quota.Platform, m.OEM)
		if err != nil {
			return err
		}
		if !ok {
			m.OEM = quota.Other
			b.refused(quota.Platform, group.ID, before.oem != quota.Other)
		}
	}
	return nil
}

// refused counts a value once per machine, not with every check.
func (b *batch) refused(k quota.Kind, group uuid.UUID, first bool) {
	if first {
		b.s.refusals.Add(k, group, 1)
	}
}

// admits reports whether a group may have a version or platform. Versions of the
// application's channels are always admitted.
func (b *batch) admits(g *catalog.Group, kind quota.Kind, value string) (bool, error) {
	if value == "" || value == quota.Other || value == quota.OtherVersion {
		return true, nil
	}
	v := &b.s.values
	v.mu.Lock()
	defer v.mu.Unlock()
	key := valueKey{g.ID, kind}
	set := v.sets[key]
	if set != nil {
		if _, known := set.values[value]; known {
			return true, nil
		}
	}
	if set == nil || b.now.Sub(set.at) >= valuesAge {
		read := b.tx.Versions
		if kind == quota.Platform {
			read = b.tx.Platforms
		}
		values, err := read(b.ctx, g.ID)
		if err != nil {
			return false, err
		}
		set = &valueSet{values: values, at: b.now}
		if v.sets == nil {
			v.sets = map[valueKey]*valueSet{}
		}
		v.sets[key] = set
	}
	_, known := set.values[value]
	if !known && len(set.values) >= b.s.quotas.ValuesPerGroup {
		return kind == quota.Version && offers(g.App, value), nil
	}
	set.values[value] = struct{}{}
	return true, nil
}

// offers reports whether a channel of the application offers a version.
func offers(a *catalog.App, version string) bool {
	for _, ch := range a.Channels {
		for _, o := range ch.Offers {
			if o.Package.Version == version {
				return true
			}
		}
	}
	return false
}
