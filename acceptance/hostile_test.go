package acceptance

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coreroller/coreroller/fleet/quota"
	"github.com/coreroller/coreroller/fleet/view"
)

// Clients without credentials cannot steer: each test is one hostile script.

// refusals returns the total of a kind, and checks that the list of what needs
// attention has an item for it that contains a text.
func (s *site) refusals(k quota.Kind, text string) int64 {
	s.t.Helper()
	s.work()
	all, err := s.View.Attention(s.ctx)
	s.ok(err)
	found := 0
	for _, a := range all {
		if a.Kind == view.AttentionRefusals && strings.Contains(a.Sentence, text) {
			found++
		}
	}
	total := s.Machines.Refusals().Total(k)
	if want := min(total, 1); found != int(want) {
		s.t.Errorf("%d items need attention for %q, want %d: %+v", found, text, want, all)
	}
	return total
}

func TestHostile_PagesOfOtherSitesAreRefused(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		for _, c := range []struct {
			name, value string
			code        int
		}{
			{"Origin", "https://evil.example", http.StatusForbidden},
			{"Origin", "null", http.StatusForbidden},
			{"Sec-Fetch-Site", "cross-site", http.StatusForbidden},
			{"Sec-Fetch-Site", "same-site", http.StatusForbidden},
			{"Sec-Fetch-Site", "same-origin", http.StatusOK},
			{"Origin", "http://example.com", http.StatusOK}, // the host of httptest's requests
			{"User-Agent", "update_engine", http.StatusOK},
		} {
			r := httptest.NewRequest(http.MethodPost, "/v1/update/", strings.NewReader(document(s.checking("m "+c.value, "1.0.0"))))
			r.Header.Set(c.name, c.value)
			a, err := serve(s.handler, r)
			s.ok(err)
			if a.code != c.code {
				t.Errorf("%s: %s is answered %d, want %d", c.name, c.value, a.code, c.code)
			}
		}
		if n := s.refusals(quota.CrossSite, "4 requests of a page of another site"); n != 4 {
			t.Errorf("%d refusals, want 4", n)
		}
		if n := s.numbers().Total; n != 3 {
			t.Errorf("%d machines, want 3", n)
		}
	})
}
