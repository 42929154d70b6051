package fleet

import (
	"context"
	"strings"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/fleet/view"
)

// AttentionCounts returns how many items of each kind need attention, for the metrics. The
// kinds are in lower case; those without an item have 0.
func (s *Service) AttentionCounts(ctx context.Context) (map[string]int, error) {
	ctx = forMetrics(ctx)
	all, err := s.View.AllAttention(ctx)
	if err != nil {
		return nil, err
	}
	counts := map[string]int{}
	for _, kind := range view.AttentionKinds() {
		counts[strings.ToLower(string(kind))] = 0
	}
	for _, a := range all {
		counts[strings.ToLower(string(a.Kind))]++
	}
	return counts, nil
}

// forMetrics lets a read see everything. What it returns has no names.
func forMetrics(ctx context.Context) context.Context {
	return auth.With(ctx, auth.Principal{Name: "metrics", Role: auth.Viewer, Grants: []auth.Grant{{Role: auth.Viewer}}, Credential: auth.CredentialCommand})
}
