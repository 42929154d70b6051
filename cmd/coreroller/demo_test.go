package main

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/store"
	"github.com/coreroller/coreroller/store/storetest"
)

// Start and stop the demo through GraphQL, with a restart in between. The machines
// check in over HTTP, and only the demo's own data is deleted.
func TestDemoStartsContinuesAndStops(t *testing.T) {
	storetest.Each(t, func(t *testing.T, databaseURL string) {
		defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
		c := Config{Listen: "127.0.0.1:0", DataDir: t.TempDir()}
		if store.IsPostgres(databaseURL) {
			c.DatabaseURL = databaseURL
		}
		p := runProgram(t, c)
		p.demoIs(t, "{ serverInfo { demo { present running available } } }", false, false, true)
		p.demoIs(t, "mutation { startDemo { demo { present running available } userErrors { code } } }", true, true, false)
		p.rejects(t, "mutation { startDemo { demo { present } userErrors { code message } } }")
		ctx, cancel := context.WithTimeout(auth.With(t.Context(), commandPrincipal("test")), 2*time.Minute)
		defer cancel()
		k := &testGroup{store: p.store}
		seen := func(n int) {
			t.Helper()
			if err := k.until(ctx, "machines have checked in", func() (bool, error) {
				some, err := p.store.Reader().Instance.Query().Count(ctx)
				return some >= n, err
			}); err != nil {
				t.Fatal(err)
			}
		}
		seen(20)

		// Restart while machines are running.
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

		// Stopping the demo keeps other applications.
		ours, err := p.fleet.CreateApplication(ctx, fleet.CreateApplication{Name: "ours"})
		if err != nil {
			t.Fatal(err)
		}
		p.demoIs(t, "mutation { stopDemo { demo { present running available } userErrors { code } } }", false, false, false)
		p.rejects(t, "mutation { stopDemo { demo { present } userErrors { code message } } }")
		p.rejects(t, "mutation { startDemo { demo { present } userErrors { code message } } }")
		for _, id := range append(p.demo.Applications(), ours.ID, catalog.FlatcarID()) {
			exists := p.fleet.Catalog().App(id) != nil
			if want := id == ours.ID || id == catalog.FlatcarID(); exists != want {
				t.Errorf("application %s exists: %v, want %v", id, exists, want)
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

func runProgram(t *testing.T, c Config) *Program {
	t.Helper()
	p := NewProgram(c, discard(), time.Now)
	if err := p.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

// graphql sends a document as the first user and returns the only root field.
func (p *Program) graphql(t *testing.T, document string) map[string]json.RawMessage {
	t.Helper()
	var data map[string]map[string]json.RawMessage
	graphql(t, p.URL(), document, nil, &data)
	for _, value := range data {
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

func (p *Program) rejects(t *testing.T, document string) {
	t.Helper()
	answer := p.graphql(t, document)
	if errs := string(answer["userErrors"]); string(answer["demo"]) != "null" || !strings.Contains(errs, "CONFLICT") {
		t.Fatalf("%s: %s %s", document, answer["demo"], errs)
	}
}

func TestDemoCommandRejectsADatabaseWithOtherData(t *testing.T) {
	dir := t.TempDir()
	p := NewProgram(Config{Listen: "127.0.0.1:0", DataDir: dir}, discard(), time.Now)
	if err := p.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx := auth.With(t.Context(), commandPrincipal("test"))
	if _, err := p.fleet.CreateApplication(ctx, fleet.CreateApplication{Name: "ours"}); err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	_, errs, code := execute(t, "", nil, "demo", "--listen=127.0.0.1:0", "--data-dir="+dir)
	if code != 1 || !strings.Contains(errs, "contains other data") {
		t.Errorf("exit code %d, %s", code, errs)
	}
}
