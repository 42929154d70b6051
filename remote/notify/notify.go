// Package notify sends messages to other servers: as signed webhooks, to Slack, to
// Alertmanager and by mail. It knows the formats and the limits of a connection; who gets
// which message, and when it is sent again, is decided by its callers.
package notify

import (
	"fmt"
	"time"
	"unicode/utf8"
)

// Kind is the format of what a receiver gets.
type Kind string

// The kinds of receiver.
const (
	Webhook      Kind = "WEBHOOK" // Standard Webhooks
	Slack        Kind = "SLACK"   // also Mattermost and Rocket.Chat
	Alertmanager Kind = "ALERTMANAGER"
	Mail         Kind = "MAIL"
)

// Kinds returns all kinds.
func Kinds() []Kind { return []Kind{Webhook, Slack, Alertmanager, Mail} }

// Target is a receiver.
type Target struct {
	Kind          Kind
	URL           string   // of mail: empty
	Addresses     []string // of mail
	Authorization string   // header; empty: none
	Secrets       []string // of Webhook: each signs, the current one first
}

// Message is something that happened. Its texts may contain what machines sent.
type Message struct {
	Type        string    `json:"type"` // such as rollout.halted
	At          time.Time `json:"at"`
	ActivityID  string    `json:"activityId"` // later activities have higher ids; empty: none
	Severity    string    `json:"severity"`
	Title       string    `json:"title"`
	Sentence    string    `json:"sentence"` // the cause and the next action
	URL         string    `json:"url"`      // of the page
	Application Object    `json:"application"`
	Group       Object    `json:"group"`
	Channel     Object    `json:"channel"`
	Version     string    `json:"version"`
	Machine     string    `json:"machine"`
	Actor       string    `json:"actor"`
}

// Object is an id and a name, both empty if none is concerned.
type Object struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Delivery is what one request contains: one message, or the messages of a digest.
type Delivery struct {
	ID       string // the same in every attempt; without a dot
	Messages []Message
	Omitted  int // messages that the digest leaves out
}

// Class is why an attempt failed.
type Class string

// The classes of failure.
const (
	ClassNone    Class = ""
	ClassStatus  Class = "STATUS"  // another status than 2xx
	ClassDNS     Class = "DNS"     // the name could not be resolved
	ClassConnect Class = "CONNECT" // no connection
	ClassTLS     Class = "TLS"
	ClassTimeout Class = "TIMEOUT"
	ClassRefused Class = "REFUSED" // the address is not permitted
	ClassMail    Class = "MAIL"    // the mail server refused the message
	ClassInvalid Class = "INVALID" // the target cannot be used
)

// Answer is the result of one attempt.
type Answer struct {
	Class      Class // ClassNone: delivered
	Error      string
	Status     int // of HTTP; 0: none
	Took       time.Duration
	RetryAfter time.Duration // as the receiver asks; 0: it does not
	Gone       bool          // the receiver wants no further messages
	Request    string        // what was sent, bounded, without secrets
	Response   string        // what was received, bounded
}

// Delivered reports whether the receiver accepted the message.
func (a *Answer) Delivered() bool { return a.Class == ClassNone }

// fail sets why an attempt failed.
func (a *Answer) fail(class Class, format string, args ...any) *Answer {
	a.Class, a.Error = class, cut(fmt.Sprintf(format, args...), maxError)
	return a
}

const (
	maxExcerpt = 4096 // bytes of a request and of a response that are kept
	maxError   = 300  // characters
)

// cut shortens a text to a number of characters.
func cut(text string, limit int) string {
	if utf8.RuneCountInString(text) <= limit {
		return text
	}
	runes := []rune(text)
	return string(runes[:limit-1]) + "…"
}

// excerpt returns the start of a text from another server: valid UTF-8 that a database
// stores.
func excerpt(text []byte) string {
	clean := make([]rune, 0, min(len(text), maxExcerpt))
	for _, r := range string(text[:min(len(text), maxExcerpt)]) {
		if r == 0 || r == utf8.RuneError || r < ' ' && r != '\n' && r != '\t' {
			r = '·'
		}
		clean = append(clean, r)
	}
	if len(text) > maxExcerpt {
		clean = append(clean, '…')
	}
	return string(clean)
}

// subject is the heading of a delivery.
func (d *Delivery) subject() string {
	if len(d.Messages) == 1 && d.Omitted == 0 {
		m := &d.Messages[0]
		if where := m.where(); where != "" {
			return cut(m.Title+": "+where, 140)
		}
		return cut(m.Title, 140)
	}
	return fmt.Sprintf("%d messages", len(d.Messages)+d.Omitted)
}

// where names the group, or else the channel or the application.
func (m *Message) where() string {
	switch {
	case m.Group.Name != "":
		return m.Application.Name + " / " + m.Group.Name
	case m.Channel.Name != "":
		return m.Application.Name + " / " + m.Channel.Name
	}
	return m.Application.Name
}
