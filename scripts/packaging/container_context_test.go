package packaging

import (
	"os"
	"testing"

	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
)

// The builder gets what the image is made from, and no secrets, data or results.
func TestDockerignoreLeavesWhatTheImageNeeds(t *testing.T) {
	file, err := os.Open("../../.dockerignore")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	patterns, err := ignorefile.ReadAll(file)
	if err != nil {
		t.Fatal(err)
	}
	matcher, err := patternmatcher.New(patterns)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name    string
		ignored bool
	}{
		{"go.mod", false},
		{"LICENSE", false},
		{"cmd/coreroller/serve.go", false},
		{"docs/licenses.md", false},
		{"docs/site/package-lock.json", false},
		{"frontend/package-lock.json", false},
		{"graph/schema/group.graphql", false},
		{"scripts/packaging/go.mod", false},
		{"scripts/packaging/go.sum", false},
		{"scripts/packaging/inventory/main.go", false},

		{"scripts/packaging/chart_test.go", true},
		{"scripts/verify.sh", true},
		{".git/config", true},
		{"secrets/database-password", true},
		{"data/coreroller.db", true},
		{"build/release/SHA256SUMS", true},
		{"frontend/node_modules/svelte/package.json", true},
		{"docs/site/node_modules/minisearch/package.json", true},
		{"frontend/dist/index.html", true},
	} {
		if _, err := os.Stat("../../" + c.name); err != nil && !c.ignored {
			t.Errorf("%v: the row is out of date", err)
		}
		if ignored, err := matcher.MatchesOrParentMatches(c.name); err != nil || ignored != c.ignored {
			t.Errorf("%s: ignored %v, want %v (%v)", c.name, ignored, c.ignored, err)
		}
	}
}
