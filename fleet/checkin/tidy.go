package checkin

import "strings"

// tidy removes white space and one pair of quotes around the texts that people
// write into configuration files by hand: /etc/flatcar/update.conf is no shell
// script, so GROUP="stable" is sent with its quotes.
func (in *CheckIn) tidy() {
	in.Track, in.Machine, in.Version = unquote(in.Track), unquote(in.Machine), unquote(in.Version)
	if in.Prefix = clean(unquote(in.Prefix)); len(in.Prefix) > maxPrefix {
		in.Prefix = strings.ToValidUTF8(in.Prefix[:maxPrefix], "") // the cut may split a character
	}
	if in.Alias == nil {
		return
	}
	if tidy := unquote(*in.Alias); len(tidy) < len(*in.Alias) {
		in.Alias = &tidy // the caller keeps its own text
	}
}

// unquote returns text without white space and one pair of quotes around it.
func unquote(text string) string {
	text = strings.TrimSpace(text)
	if n := len(text); n >= 2 && (text[0] == '"' || text[0] == '\'') && text[n-1] == text[0] {
		text = strings.TrimSpace(text[1 : n-1])
	}
	return text
}
