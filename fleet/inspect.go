package fleet

import (
	"context"
	"errors"

	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/remote/payload"
)

// maxFetches limits the payloads that one process fetches at once. Each takes up to a
// core for its digests, which check-ins need too.
const maxFetches = 2

// InspectPayload fetches the file at a URL and returns what a package says about it.
// It ends with the context. Nothing is stored.
func (s *Service) InspectPayload(ctx context.Context, url string, progress payload.Progress) (payload.Facts, error) {
	if _, err := fault.RequireVerb(ctx, "payloadInspected"); err != nil {
		return payload.Facts{}, err
	}
	select {
	case s.fetch.inspecting <- struct{}{}:
		defer func() { <-s.fetch.inspecting }()
	default:
		return payload.Facts{}, fault.Errorf(fault.Unavailable, "", "the server fetches %d other files now: try again when they are complete", maxFetches)
	}
	facts, err := s.fetch.inspect.Fetch(ctx, url, progress)
	if e, ok := errors.AsType[*payload.Error](err); ok {
		return payload.Facts{}, fault.Errorf(fault.Invalid, "url", "%s", e)
	}
	return facts, err
}
