package view

import "github.com/coreroller/coreroller/ent/db"

// With lists the edges that a read loads together with its rows, one statement
// for each edge regardless of the number of rows: it calls load with the name of
// an edge and what to load with that. Nil loads nothing; unknown edges are ignored.
type With func(load func(edge string, below With))

// Edge loads one edge.
func Edge(name string, below ...With) With {
	return func(load func(string, With)) { load(name, Edges(below...)) }
}

// Edges loads several edges.
func Edges(all ...With) With {
	return func(load func(string, With)) {
		for _, with := range all {
			with.each(load)
		}
	}
}

func (w With) each(load func(edge string, below With)) {
	if w != nil {
		w(load)
	}
}

func (w With) applications(q *db.ApplicationQuery) *db.ApplicationQuery {
	w.each(func(edge string, below With) {
		switch edge {
		case "channels":
			q.WithChannels(func(q *db.ChannelQuery) { below.channels(q) })
		case "groups":
			q.WithGroups(func(q *db.GroupQuery) { below.groups(q) })
		case "packages":
			q.WithPackages(func(q *db.ReleaseQuery) { below.packages(q) })
		}
	})
	return q
}

func (w With) groups(q *db.GroupQuery) *db.GroupQuery {
	w.each(func(edge string, below With) {
		switch edge {
		case "application":
			q.WithApplication(func(q *db.ApplicationQuery) { below.applications(q) })
		case "channel":
			q.WithChannel(func(q *db.ChannelQuery) { below.channels(q) })
		}
	})
	return q
}

func (w With) channels(q *db.ChannelQuery) *db.ChannelQuery {
	w.each(func(edge string, below With) {
		switch edge {
		case "application":
			q.WithApplication(func(q *db.ApplicationQuery) { below.applications(q) })
		case "package":
			q.WithPackage(func(q *db.ReleaseQuery) { below.packages(q) })
		case "groups":
			q.WithGroups(func(q *db.GroupQuery) { below.groups(q) })
		case "floors":
			q.WithFloors(func(q *db.FloorQuery) { below.floors(q) })
		case "blacklistings":
			q.WithBlacklistings(func(q *db.BlacklistingQuery) { below.blacklistings(q) })
		}
	})
	return q
}

func (w With) packages(q *db.ReleaseQuery) *db.ReleaseQuery {
	w.each(func(edge string, below With) {
		switch edge {
		case "application":
			q.WithApplication(func(q *db.ApplicationQuery) { below.applications(q) })
		case "files":
			q.WithFiles()
		case "action":
			q.WithAction()
		case "channels":
			q.WithChannels(func(q *db.ChannelQuery) { below.channels(q) })
		case "floors":
			q.WithFloors(func(q *db.FloorQuery) { below.floors(q) })
		case "blacklistings":
			q.WithBlacklistings(func(q *db.BlacklistingQuery) { below.blacklistings(q) })
		}
	})
	return q
}

// floors always loads the packages: floors are sorted by their versions.
func (w With) floors(q *db.FloorQuery) *db.FloorQuery {
	q.WithPackage()
	w.each(func(edge string, below With) {
		switch edge {
		case "channel":
			q.WithChannel(func(q *db.ChannelQuery) { below.channels(q) })
		case "package":
			q.WithPackage(func(q *db.ReleaseQuery) { below.packages(q) })
		}
	})
	return q
}

func (w With) blacklistings(q *db.BlacklistingQuery) *db.BlacklistingQuery {
	w.each(func(edge string, below With) {
		switch edge {
		case "channel":
			q.WithChannel(func(q *db.ChannelQuery) { below.channels(q) })
		case "package":
			q.WithPackage(func(q *db.ReleaseQuery) { below.packages(q) })
		}
	})
	return q
}

func (w With) instances(q *db.InstanceQuery) *db.InstanceQuery {
	w.each(func(edge string, below With) {
		switch edge {
		case "application":
			q.WithApplication(func(q *db.ApplicationQuery) { below.applications(q) })
		case "group":
			q.WithGroup(func(q *db.GroupQuery) { below.groups(q) })
		}
	})
	return q
}

func (w With) attempts(q *db.AttemptQuery) *db.AttemptQuery {
	w.each(func(edge string, below With) {
		if edge == "instance" {
			q.WithInstance(func(q *db.InstanceQuery) { below.instances(q) })
		}
	})
	return q
}

// rollouts always loads the group: its policy describes the waves.
func (w With) rollouts(q *db.GroupRolloutQuery) *db.GroupRolloutQuery {
	q.WithGroup()
	w.each(func(edge string, below With) {
		if edge == "group" {
			q.WithGroup(func(q *db.GroupQuery) { below.groups(q) })
		}
	})
	return q
}
