package acceptance

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/job"
	"github.com/coreroller/coreroller/fleet/view/machines"
)

// sending is an update check with further attributes of the app.
func (s *site) sending(machine string, attrs map[string]string) request {
	r := s.checking(machine, "2.0.0")
	r.attrs = attrs
	return r
}

// attributesOf returns the labels of a machine that it sent: "rack=3 zone=eu".
func (s *site) attributesOf(machine string) string {
	s.t.Helper()
	id := s.instance(machine).ID
	rows, err := s.View.MachineLabels(s.ctx, []uuid.UUID{id})
	s.ok(err)
	var all []string
	for _, row := range rows[id] {
		if row.Sent {
			all = append(all, row.Name+"="+row.Value)
		}
	}
	return strings.Join(all, " ")
}

// What a machine sends in attributes that the application names can be listed and is lost
// when it is not sent any more. Concurrent checks of the same machine leave the attributes
// of one of them.
func TestRequestAttributesOverOmaha(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		_, err := s.UpdateApplication(s.ctx, fleet.UpdateApplication{ID: s.app, RequestAttributes: []string{"rack", "hardware_class"}})
		s.ok(err)
		s.ask(s.sending("m", map[string]string{"rack": `3 <&"'>`, "hardware_class": "", "lang": "en"}))
		if got := s.attributesOf("m"); got != `rack=3 <&"'>` {
			t.Errorf("kept %q", got)
		}
		list := machines.Filter{Application: &s.app, Attributes: []job.Attribute{{Name: "rack", Value: `3 <&"'>`}}}
		if n, exact, err := s.View.CountMachines(s.ctx, list, 10); n != 1 || !exact || err != nil {
			t.Errorf("the list has %d machines, error %v", n, err)
		}
		s.ask(s.checking("m", "2.0.0"))
		if got := s.attributesOf("m"); got != "" {
			t.Errorf("still kept: %q", got)
		}

		possible := map[string]bool{}
		var all sync.WaitGroup
		for i := range 24 {
			attrs := map[string]string{"rack": fmt.Sprint(i), "hardware_class": fmt.Sprint("c", i)}
			if i%3 == 0 {
				delete(attrs, "hardware_class")
			}
			var want []string
			for _, name := range slices.Sorted(maps.Keys(attrs)) {
				want = append(want, name+"="+attrs[name])
			}
			possible[strings.Join(want, " ")] = true
			all.Go(func() { s.ask(s.sending("m", attrs)) })
		}
		all.Wait()
		if got := s.attributesOf("m"); !possible[got] {
			t.Errorf("after concurrent checks: %q", got)
		}
	})
}
