package view

import (
	"cmp"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/rollout"
)

// Configuration is sorted in memory: databases sort text differently and do not
// know versions. All functions return a sorted copy, because the fields of one
// GraphQL response read the same rows concurrently.

// key is what configuration is sorted by.
type key struct {
	id      uuid.UUID
	created time.Time
	name    string
	version rollout.Version
}

func newestCreated(a, b key) int {
	return cmp.Or(b.created.Compare(a.created), cmp.Compare(a.name, b.name), compareIDs(a.id, b.id))
}

func byName(a, b key) int { return cmp.Or(cmp.Compare(a.name, b.name), compareIDs(a.id, b.id)) }

func highestVersion(a, b key) int {
	return cmp.Or(b.version.Compare(a.version), cmp.Compare(a.name, b.name), compareIDs(a.id, b.id))
}

func lowestVersion(a, b key) int { return a.version.Compare(b.version) }

func applicationKey(a *db.Application) key {
	return key{id: a.ID, created: a.CreatedAt, name: a.Name}
}

func groupKey(g *db.Group) key {
	return key{id: g.ID, created: g.CreatedAt, name: g.Name + "\x00" + g.Arch}
}

func channelKey(c *db.Channel) key { return key{id: c.ID, name: c.Name + "\x00" + c.Arch} }

func packageKey(p *db.Release) key {
	v, _ := rollout.ParseVersion(p.Version)
	return key{id: p.ID, name: p.Arch, version: v}
}

func floorKey(f *db.Floor) key {
	if f.Edges.Package == nil {
		return key{id: f.ID}
	}
	return key{id: f.ID, version: packageKey(f.Edges.Package).version}
}

func sorted[T any](rows []T, keyOf func(T) key, order func(a, b key) int) []T {
	return slices.SortedStableFunc(slices.Values(rows), func(a, b T) int { return order(keyOf(a), keyOf(b)) })
}

// sortedIDs returns the ids of rows in an order.
func sortedIDs[T any](rows []T, err error, keyOf func(T) key, order func(a, b key) int) ([]uuid.UUID, error) {
	keys := make([]key, len(rows))
	for i, row := range rows {
		keys[i] = keyOf(row)
	}
	slices.SortFunc(keys, order)
	ids := make([]uuid.UUID, len(keys))
	for i, k := range keys {
		ids[i] = k.id
	}
	return ids, err
}

// inOrderOf sorts rows like their ids in a list.
func inOrderOf[T any](ids []uuid.UUID, rows []T, id func(T) uuid.UUID) []T {
	at := make(map[uuid.UUID]int, len(ids))
	for i, id := range ids {
		at[id] = i
	}
	slices.SortFunc(rows, func(a, b T) int { return cmp.Compare(at[id(a)], at[id(b)]) })
	return rows
}

// NewestGroups sorts groups from the one created last.
func NewestGroups(rows []*db.Group) []*db.Group { return sorted(rows, groupKey, newestCreated) }

// HighestPackages sorts packages from the highest version.
func HighestPackages(rows []*db.Release) []*db.Release {
	return sorted(rows, packageKey, highestVersion)
}
