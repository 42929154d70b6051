package main

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/checkin"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/store"
	"github.com/coreroller/coreroller/store/storetest"
)

// From the first click to the last: the running server makes the demo, its
// machines check in over HTTP, a restart leaves the applications and lets the
// machines go on where they were, and nothing but the demo is deleted.
func TestTheDemoInOneClick(t *testing.T) {
	storetest.Each(t, func(t *testing.T, databaseURL string) {
		defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
		c := Config{Listen: "127.0.0.1:0", DataDir: t.TempDir()}
		if store.IsPostgres(databaseURL) {
			c.DatabaseURL = databaseURL
		}
		p := runProgram(t, c)
		p.demoIs(t, "{ serverInfo { demo { present running available } } }", false, false, true)
		p.demoIs(t, "mutation { startDemo { demo { present running available } userErrors { code } } }", true, true, false)
		p.refuses(t, "mutation { startDemo { demo { present } userErrors { code message } } }", "is running already")
		ctx, cancel := context.WithTimeout(auth.With(t.Context(), commandPrincipal("test")), 2*time.Minute)
		defer cancel()
		k := &track{store: p.store}
		seen := func(n int) {
			t.Helper()
			if err := k.until(ctx, "machines check in", func() (bool, error) {
				some, err := p.store.Reader().Instance.Query().Count(ctx)
				return some >= n, err
			}); err != nil {
				t.Fatal(err)
			}
		}
		seen(20)

		// A restart with machines under way.
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
		p = runProgram(t, c)
		k.store = p.store
		p.demoIs(t, "{ serverInfo { demo { present running available } } }", true, false, true)
		p.demoIs(t, "mutation { startDemo { demo { present running available } userErrors { code } } }", true, true, false)
		before, err := p.store.Reader().Instance.Query().Count(ctx)
		if err != nil {
			t.Fatal(err)
		}
		seen(before + 1)

		// Somebody else's application and machine are none of the demo's business.
		ours, err := p.fleet.CreateApplication(ctx, fleet.CreateApplication{Name: "ours"})
		if err != nil {
			t.Fatal(err)
		}
		p.demoIs(t, "mutation { stopDemo { demo { present running available } userErrors { code } } }", false, false, false)
		p.refuses(t, "mutation { stopDemo { demo { present } userErrors { code message } } }", "the demo is not there")
		p.refuses(t, "mutation { startDemo { demo { present } userErrors { code message } } }", "applications of its own")
		for _, id := range append(p.demo.Applications(), ours.ID, catalog.FlatcarID()) {
			there := p.fleet.Catalog().App(id) != nil
			if want := id == ours.ID || id == catalog.FlatcarID(); there != want {
				t.Errorf("application %s is there: %v", id, there)
			}
		}
		verbs := map[string]int{}
		rows, err := p.store.Reader().Audit.Query().All(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows {
			if row.Actor == "admin" {
				verbs[row.Verb]++
			}
		}
		if verbs["startDemo"] != 2 || verbs["stopDemo"] != 1 || verbs["createApplication"] != 2 || verbs["deleteApplication"] != 2 {
			t.Errorf("audit: %v", verbs)
		}
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

// After a restart machines run what the server knows of them.
func TestTheMachinesOfTheDemoGoOnWhereTheyWere(t *testing.T) {
	p := startProgram(t, "")
	ctx := auth.With(t.Context(), commandPrincipal("test"))
	if _, err := p.demo.Build(ctx, p.fleet); err != nil {
		t.Fatal(err)
	}
	first, err := demoMachines()
	if err != nil {
		t.Fatal(err)
	}
	m := first[0]
	if _, err := p.fleet.Machines.CheckIn(ctx, checkin.CheckIn{AppID: m.id.App, Track: m.id.Track, Machine: m.id.Machine, Version: "1.2.1", Ping: true}); err != nil {
		t.Fatal(err)
	}
	again, err := p.demo.machines(ctx, false)
	if err != nil || len(again) != len(first) {
		t.Fatalf("%d machines, %v", len(again), err)
	}
	if again[0].version != "1.2.1" || again[1].version != first[1].version {
		t.Errorf("they run %s and %s", again[0].version, again[1].version)
	}
	// Those whose application was deleted stay away.
	agent := p.demo.Applications()[1]
	if err := p.fleet.DeleteApplication(ctx, fleet.DeleteApplication{ID: agent}); err != nil {
		t.Fatal(err)
	}
	if rest, err := p.demo.machines(ctx, false); err != nil || len(rest) != len(first)-60 {
		t.Errorf("%d machines, %v", len(rest), err)
	}
}

// A demo that cannot be made leaves nothing behind, and a program that stops
// begins nothing.
func TestADemoThatFailsLeavesNothing(t *testing.T) {
	p := startProgram(t, "")
	ctx := auth.With(t.Context(), commandPrincipal("test"))
	p.demo.close()
	if _, err := p.fleet.StartDemo(ctx); fault.CodeOf(err) != fault.Unavailable {
		t.Errorf("started by a program that stops: %v", err)
	}
	for _, id := range p.demo.Applications() {
		if p.fleet.Catalog().App(id) != nil {
			t.Errorf("application %s was left behind", id)
		}
	}
}

func runProgram(t *testing.T, c Config) *Program {
	t.Helper()
	p := NewProgram(c, discard(), time.Now)
	if err := p.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

// graphql asks as the first user and returns the value of the only root field.
func (p *Program) graphql(t *testing.T, document string) map[string]json.RawMessage {
	t.Helper()
	body, _ := json.Marshal(map[string]string{"query": document})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, must(url.JoinPath(p.URL(), "graphql")), strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.SetBasicAuth("admin", "admin")
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct {
		Data   map[string]map[string]json.RawMessage
		Errors []struct{ Message string }
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || len(answer.Errors) > 0 {
		t.Fatalf("%s: %v %+v", document, err, answer.Errors)
	}
	for _, value := range answer.Data {
		return value
	}
	t.Fatal("no data")
	return nil
}

func (p *Program) demoIs(t *testing.T, document string, present, running, available bool) {
	t.Helper()
	var got struct{ Present, Running, Available bool }
	answer := p.graphql(t, document)
	if err := json.Unmarshal(answer["demo"], &got); err != nil || got.Present != present || got.Running != running || got.Available != available {
		t.Fatalf("%s: %s %s", document, answer["demo"], answer["userErrors"])
	}
}

func (p *Program) refuses(t *testing.T, document, words string) {
	t.Helper()
	answer := p.graphql(t, document)
	if errs := string(answer["userErrors"]); string(answer["demo"]) != "null" || !strings.Contains(errs, "CONFLICT") || !strings.Contains(errs, words) {
		t.Fatalf("%s: %s %s", document, answer["demo"], errs)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

var _ fleet.DemoFleet = (*demoFleet)(nil)
