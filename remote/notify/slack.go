package notify

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Limits of Slack. A message that exceeds one is refused as a whole.
const (
	slackHeader  = 150
	slackSection = 3000
	slackField   = 2000
	slackListed  = 20 // messages of a digest; a message has up to 50 blocks
)

type slackText struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

type slackElement struct {
	Type string    `json:"type"`
	Text slackText `json:"text"`
	URL  string    `json:"url"`
}

type slackBlock struct {
	Type     string         `json:"type"`
	Text     *slackText     `json:"text,omitempty"`
	Fields   []slackText    `json:"fields,omitempty"`
	Elements []slackElement `json:"elements,omitempty"`
}

type slackMessage struct {
	Text   string       `json:"text"` // complete, because other servers show nothing else
	Blocks []slackBlock `json:"blocks,omitempty"`
}

// slackBody returns the body for an incoming webhook of Slack. Without blocks it is what
// every server accepts.
func slackBody(d *Delivery, blocks bool) ([]byte, error) {
	var text strings.Builder
	listed := d.Messages[:min(len(d.Messages), slackListed)]
	omitted := d.Omitted + len(d.Messages) - len(listed)
	for i := range listed {
		m := &listed[i]
		fmt.Fprintf(&text, "*%s*", escapeSlack(m.Title))
		if where := m.where(); where != "" {
			fmt.Fprintf(&text, " (%s)", escapeSlack(where))
		}
		fmt.Fprintf(&text, ": %s <%s|Open>\n", escapeSlack(cut(m.Sentence, 1000)), linkSlack(m.URL))
	}
	if omitted > 0 {
		fmt.Fprintf(&text, "and %d more\n", omitted)
	}
	out := slackMessage{Text: strings.TrimSuffix(text.String(), "\n")}
	if blocks && len(d.Messages) == 1 && omitted == 0 {
		out.Blocks = slackBlocks(&d.Messages[0])
	}
	return json.Marshal(out)
}

func slackBlocks(m *Message) []slackBlock {
	blocks := []slackBlock{
		{Type: "header", Text: &slackText{"plain_text", cut(m.Title, slackHeader)}},
		{Type: "section", Text: &slackText{"mrkdwn", cutEscaped(m.Sentence, slackSection)}},
	}
	var fields []slackText
	for _, f := range []struct{ name, value string }{
		{"Application", m.Application.Name}, {"Group", m.Group.Name}, {"Channel", m.Channel.Name},
		{"Version", m.Version}, {"Machine", m.Machine}, {"By", m.Actor},
	} {
		if f.value != "" { // an empty field is refused
			fields = append(fields, slackText{"mrkdwn", "*" + f.name + "*\n" + cutEscaped(f.value, slackField-20)})
		}
	}
	if len(fields) > 0 {
		blocks = append(blocks, slackBlock{Type: "section", Fields: fields})
	}
	return append(blocks, slackBlock{Type: "actions", Elements: []slackElement{{"button", slackText{"plain_text", "Open"}, m.URL}}})
}

// escapeSlack escapes what Slack would read as markup, so that no name of a machine
// mentions a whole channel.
func escapeSlack(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
}

// cutEscaped shortens and escapes a text so that it fits afterwards: an escaped character
// has at most five.
func cutEscaped(text string, limit int) string {
	text = cut(text, limit)
	for len(escapeSlack(text)) > limit && text != "…" {
		text = cut(text, max(len([]rune(text))/2, 1))
	}
	return escapeSlack(text)
}

// linkSlack escapes what would end a link.
func linkSlack(url string) string { return strings.NewReplacer("|", "%7C", ">", "%3E").Replace(url) }
