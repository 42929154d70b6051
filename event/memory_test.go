package event_test

import (
	"slices"
	"testing"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/event"
)

func TestPendingEventsAreMerged(t *testing.T) {
	bus := event.NewMemory()
	sub := bus.Subscribe(func(e event.Event) bool { return e.Kind == event.AppChanged })
	defer sub.Close()
	one, two := uuid.New(), uuid.New()
	bus.Publish(event.Event{Kind: event.AppChanged, App: one, Revision: 1}, event.Event{Kind: event.GroupChanged, App: one})
	bus.Publish(event.Event{Kind: event.AppChanged, App: two, Revision: 5}, event.Event{Kind: event.AppChanged, App: one, Revision: 2})
	<-sub.Ready()
	want := []event.Event{{Kind: event.AppChanged, App: one, Revision: 2}, {Kind: event.AppChanged, App: two, Revision: 5}}
	if got := sub.Take(); !slices.Equal(got, want) {
		t.Errorf("Take returned %v, want %v", got, want)
	}
	if got := sub.Take(); len(got) != 0 {
		t.Errorf("the second Take returned %v", got)
	}
}

func TestSlowSubscriberGetsAResync(t *testing.T) {
	bus := event.NewMemoryOf(10)
	sub := bus.Subscribe(nil)
	defer sub.Close()
	for range 11 {
		bus.Publish(event.Event{Kind: event.MachineChanged, Instance: uuid.New()})
	}
	if got := sub.Take(); len(got) != 1 || got[0].Kind != event.Resync {
		t.Errorf("Take returned %v", got)
	}
	bus.Publish(event.Event{Kind: event.FleetChanged})
	if got := sub.Take(); len(got) != 1 || got[0].Kind != event.FleetChanged {
		t.Errorf("after the Resync Take returned %v", got)
	}
}

func TestResyncPassesEveryFilter(t *testing.T) {
	bus := event.NewMemory()
	sub := bus.Subscribe(func(event.Event) bool { return false })
	defer sub.Close()
	bus.Publish(event.Event{Kind: event.Resync})
	if got := sub.Take(); len(got) != 1 {
		t.Errorf("Take returned %v", got)
	}
}

func TestClosedSubscriptionReceivesNothing(t *testing.T) {
	bus := event.NewMemory()
	sub := bus.Subscribe(nil)
	sub.Close()
	sub.Close()
	bus.Publish(event.Event{Kind: event.FleetChanged})
	select {
	case <-sub.Ready():
		t.Error("Ready received a value after Close")
	default:
	}
}
