package graph

import (
	"context"
	"time"

	"github.com/coreroller/coreroller/graph/model"
)

// PayloadInspected sends the progress of a fetch, then its result.
func (r *subscriptionResolver) PayloadInspected(ctx context.Context, url string) (<-chan *model.PayloadInspection, error) {
	done, err := socketOf(ctx).addSubscription()
	if err != nil {
		return nil, err
	}
	out := make(chan *model.PayloadInspection, 1)
	go func() {
		defer done()
		defer close(out)
		last := &model.PayloadInspection{UserErrors: []*model.UserError{}}
		var sent time.Time
		facts, err := r.fleet.InspectPayload(ctx, url, func(received, total int64) {
			last.Received, last.Total = received, nil
			if total > 0 {
				last.Total = &total
			}
			if time.Since(sent) < messageInterval {
				return
			}
			message := *last
			select {
			case out <- &message:
				sent = time.Now()
			default: // the client has not read the previous message yet
			}
		})
		if last.UserErrors, err = userErrors(err); err != nil {
			r.fail(ctx, err)
			return
		}
		if len(last.UserErrors) == 0 {
			last.Facts = &facts
		}
		select {
		case out <- last:
		case <-ctx.Done():
		}
	}()
	return out, nil
}
