package checkin

import (
	"strings"

	"github.com/coreroller/coreroller/fleet/catalog"
)

// tidy removes white space and one pair of quotes around the texts that people
// write into configuration files by hand: /etc/flatcar/update.conf is no shell
// script, so GROUP="stable" is sent with its quotes.
func (in *CheckIn) tidy() {
	in.Track, in.Machine, in.Version = catalog.Unquote(in.Track), catalog.Unquote(in.Machine), catalog.Unquote(in.Version)
	if in.Prefix = clean(catalog.Unquote(in.Prefix)); len(in.Prefix) > maxPrefix {
		in.Prefix = strings.ToValidUTF8(in.Prefix[:maxPrefix], "") // the cut may split a character
	}
	in.Session = clean(in.Session)
	in.tidyRequest()
	if in.Alias == nil {
		return
	}
	if tidy := catalog.Unquote(*in.Alias); len(tidy) < len(*in.Alias) {
		in.Alias = new(tidy) // the caller keeps its own text
	}
}
