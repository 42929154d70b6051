package notify

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// secretPrefix is that of Standard Webhooks for symmetric secrets.
const secretPrefix = "whsec_"

// NewSecret returns a secret for signatures: 32 random bytes.
func NewSecret() string {
	var key [32]byte
	_, _ = rand.Read(key[:]) // cannot fail (crypto/rand)
	return secretPrefix + base64.StdEncoding.EncodeToString(key[:])
}

// Sign returns the header webhook-signature of Standard Webhooks: one signature for each
// secret.
func Sign(secrets []string, id string, at time.Time, body []byte) (string, error) {
	signatures := make([]string, len(secrets))
	for i, secret := range secrets {
		key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, secretPrefix))
		if err != nil || !strings.HasPrefix(secret, secretPrefix) {
			return "", fmt.Errorf("a secret must be %s and base64", secretPrefix)
		}
		mac := hmac.New(sha256.New, key)
		_, _ = mac.Write([]byte(id + "." + strconv.FormatInt(at.Unix(), 10) + "."))
		_, _ = mac.Write(body)
		signatures[i] = "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	}
	return strings.Join(signatures, " "), nil
}

// event is the body of a webhook. data has an entry for everything that is known.
type event struct {
	Type      string    `json:"type"`
	Timestamp time.Time `json:"timestamp"`
	Data      any       `json:"data"`
}

type eventData struct {
	ActivityID  string  `json:"activityId,omitempty"`
	Severity    string  `json:"severity"`
	Title       string  `json:"title"`
	Sentence    string  `json:"sentence"`
	URL         string  `json:"url"`
	Application *Object `json:"application,omitempty"`
	Group       *Object `json:"group,omitempty"`
	Channel     *Object `json:"channel,omitempty"`
	Version     string  `json:"version,omitempty"`
	Machine     string  `json:"machine,omitempty"`
	Actor       string  `json:"actor,omitempty"`
}

type digestData struct {
	Events  []event `json:"events"`
	Omitted int     `json:"omitted"` // further events that are not listed
}

// digestType is the type of a webhook with several events.
const digestType = "digest"

func newEvent(m *Message) event {
	optional := func(o Object) *Object {
		if o.ID == "" {
			return nil
		}
		return &o
	}
	return event{m.Type, m.At.UTC(), eventData{
		m.ActivityID, m.Severity, m.Title, m.Sentence, m.URL, optional(m.Application), optional(m.Group), optional(m.Channel),
		m.Version, m.Machine, m.Actor,
	}}
}

// webhookBody returns the body of Standard Webhooks. It is the same in every attempt.
func webhookBody(d *Delivery) ([]byte, error) {
	if len(d.Messages) == 1 && d.Omitted == 0 {
		return json.Marshal(newEvent(&d.Messages[0]))
	}
	all := digestData{Omitted: d.Omitted}
	var last time.Time
	for i := range d.Messages {
		all.Events = append(all.Events, newEvent(&d.Messages[i]))
		if at := d.Messages[i].At.UTC(); at.After(last) {
			last = at
		}
	}
	return json.Marshal(event{digestType, last, all})
}
