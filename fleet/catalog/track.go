package catalog

import "strings"

// Unquote returns text without white space and one pair of quotes around it.
func Unquote(text string) string {
	text = strings.TrimSpace(text)
	if n := len(text); n >= 2 && (text[0] == '"' || text[0] == '\'') && text[n-1] == text[0] {
		text = strings.TrimSpace(text[1 : n-1])
	}
	return text
}

// SameTrack reports whether two tracks lead machines to the same group.
func SameTrack(a, b string) bool { return strings.EqualFold(Unquote(a), Unquote(b)) }

// foldTrack returns the form of a track that ignores case and quotes. Groups of
// older databases can have quotes, because machines sent them.
func foldTrack(track string) string { return strings.ToLower(Unquote(track)) }

// named returns the group with a track or alias, nil when there is none. Case does
// not matter, but what is spelled the same wins: groups of older databases can
// differ only in case.
func (a *App) named(track, arch string) *Group {
	if g := a.tracks[trackArch{track, arch}]; g != nil {
		return g
	}
	return a.folded[trackArch{strings.ToLower(track), arch}] // the machine's quotes were removed before
}

// index makes the lookup tables of named. A track wins over an alias, an older
// group over a newer one.
func (a *App) index() {
	a.tracks, a.folded = map[trackArch]*Group{}, map[trackArch]*Group{}
	add := func(g *Group, track string) {
		for _, name := range []struct {
			in   map[trackArch]*Group
			text string
		}{{a.tracks, track}, {a.folded, foldTrack(track)}} {
			if key := (trackArch{name.text, g.Arch}); name.in[key] == nil {
				name.in[key] = g
			}
		}
	}
	for _, g := range a.Groups {
		add(g, g.Track)
	}
	for _, g := range a.Groups {
		for _, alias := range g.Aliases {
			add(g, alias)
		}
	}
}

// Named returns the group's track or alias that is the same as a text.
func (g *Group) Named(track string) (own string, found bool) {
	if SameTrack(g.Track, track) {
		return g.Track, true
	}
	for _, alias := range g.Aliases {
		if SameTrack(alias, track) {
			return alias, true
		}
	}
	return "", false
}
