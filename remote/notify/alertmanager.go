package notify

import (
	"encoding/json"
	"time"
)

// Alert is a state that lasts. Its labels identify it, so they contain nothing that
// changes.
type Alert struct {
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	URL         string            `json:"url"`
	StartsAt    time.Time         `json:"startsAt"`
	EndsAt      time.Time         `json:"endsAt"` // of one that ended; zero: it lasts
}

// Lasting is how long Alertmanager keeps an alert that is not sent again. It is more than
// four times AlertEvery, so that three lost requests resolve nothing.
const Lasting = 5 * time.Minute

// AlertEvery is how often lasting alerts are sent.
const AlertEvery = time.Minute

// postableAlert is an alert of Alertmanager's API v2.
type postableAlert struct {
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
	StartsAt     time.Time         `json:"startsAt"`
	EndsAt       time.Time         `json:"endsAt"`
	GeneratorURL string            `json:"generatorURL,omitempty"`
}

func alertBody(alerts []Alert, now time.Time) ([]byte, error) {
	all := make([]postableAlert, len(alerts))
	for i, a := range alerts {
		ends := a.EndsAt
		if ends.IsZero() {
			ends = now.Add(Lasting)
		}
		starts := a.StartsAt
		if starts.After(ends) {
			starts = ends
		}
		all[i] = postableAlert{a.Labels, a.Annotations, starts.UTC(), ends.UTC(), a.URL}
	}
	return json.Marshal(all)
}
