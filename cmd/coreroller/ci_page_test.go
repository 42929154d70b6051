package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/simulate"
)

// pipelines returns the shell steps of each pipeline on docs/ci.md, in order.
func pipelines(t *testing.T) [][]string {
	t.Helper()
	page, err := os.ReadFile("../../docs/ci.md")
	if err != nil {
		t.Fatal(err)
	}
	var all [][]string
	for _, block := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(page), -1) {
		var github struct {
			Jobs map[string]struct{ Steps []struct{ Run string } }
		}
		if err := yaml.Unmarshal([]byte(block[1]), &github); err != nil {
			t.Fatal(err)
		}
		var steps []string
		for _, step := range github.Jobs["release"].Steps {
			if step.Run != "" {
				steps = append(steps, step.Run)
			}
		}
		if len(github.Jobs) == 0 {
			var gitlab map[string]any
			if err := yaml.Unmarshal([]byte(block[1]), &gitlab); err != nil {
				t.Fatal(err)
			}
			for _, job := range []string{"package", "canaries", "everywhere"} {
				fields, _ := gitlab[job].(map[string]any)
				lines, _ := fields["script"].([]any)
				for _, line := range lines {
					steps = append(steps, line.(string))
				}
			}
		}
		if len(steps) < 5 {
			t.Fatalf("%d steps in %s", len(steps), block[1])
		}
		all = append(all, steps)
	}
	if len(all) != 2 {
		t.Fatalf("%d pipelines", len(all))
	}
	return all
}

// The steps of the pipelines release a version to every machine, with stand-ins for the
// build and the upload.
func TestPipelinesOfTheCIPageRelease(t *testing.T) {
	tools := t.TempDir()
	for name, script := range map[string]string{"make": "echo \"$VERSION\" > agent.tar.gz", "rclone": "test -s \"$2\""} {
		if err := os.WriteFile(filepath.Join(tools, name), []byte("#!/bin/sh\nset -e\n"+script+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	binary := filepath.Dir(buildProgram(t))
	p := startProgram(t, "")
	ctx := auth.With(t.Context(), commandPrincipal("test"))
	app, err := p.fleet.CreateApplication(ctx, fleet.CreateApplication{Name: "Agent", ProductID: new("io.example.agent")})
	if err != nil {
		t.Fatal(err)
	}
	first, err := p.fleet.CreatePackage(ctx, fleet.CreatePackage{ApplicationID: app.ID, Type: catalog.PackageOther, Version: "1.0.0", URL: "https://downloads.example.com/", Filename: "agent.tar.gz", Size: 1, SHA256: strings.Repeat("ab", 32)})
	if err != nil {
		t.Fatal(err)
	}
	for channel, group := range map[string]string{"beta": "canaries", "stable": "stores"} {
		ch, err := p.fleet.CreateChannel(ctx, fleet.CreateChannel{ApplicationID: app.ID, Name: channel, PackageID: &first.ID})
		if err != nil {
			t.Fatal(err)
		}
		policy := fastPolicy(20)
		g, err := p.fleet.CreateGroup(ctx, fleet.CreateGroup{ApplicationID: app.ID, Name: group, ChannelID: &ch.ID, Policy: &policy})
		if err != nil {
			t.Fatal(err)
		}
		f := simulate.Fleet{App: "io.example.agent", Track: group, Board: "amd64-usr", Kind: simulate.KindProgram, Machines: 5, Versions: "1.0.0", Seed: uint64(len(group)), Behavior: simulate.DefaultBehavior().Flawless()}
		machines := startSimulation(t, p.OmahaURL(), 10000, f, nil)
		defer machines.stop()
		for end := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) { // a rollout without machines is completed at once
			n, err := p.fleet.View.GroupNumbers(ctx, g.ID)
			if err != nil || time.Now().After(end) {
				t.Fatalf("the machines of %s do not check in: %+v %v", group, n, err)
			}
			if n.Total == f.Machines {
				break
			}
		}
	}
	r := remoteUser(t, p, "admin")
	for i, steps := range pipelines(t) {
		version := []string{"2.0.0", "3.0.0"}[i]
		folder := t.TempDir()
		for _, step := range steps {
			cmd := exec.CommandContext(t.Context(), "sh", "-ec", step)
			cmd.Dir = folder
			cmd.Env = append(append([]string{}, r.environ...), "PATH="+tools+":"+binary+":"+os.Getenv("PATH"), "VERSION="+version, "CI_PIPELINE_ID=7", "HOME="+folder)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%s\n%v: %s", step, err, out)
			}
		}
		r.run(0, arguments("groups --app io.example.agent -o json"), `"onTarget": 5`)
		r.run(0, arguments("channels --app io.example.agent"), version)
	}
}
