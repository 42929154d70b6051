// Package packaging checks the files that install CoreRoller with the libraries and
// programs of the systems that read them. It is a module of its own, because these
// libraries must not become modules of the server.
package packaging

import (
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

// bases answers what the builder asks a registry about base images.
type bases struct{ asked []string }

func (b *bases) ResolveImageConfig(_ context.Context, name string, _ sourceresolver.Opt) (string, digest.Digest, []byte, error) {
	b.asked = append(b.asked, name)
	config, err := json.Marshal(ocispecs.Image{Platform: ocispecs.Platform{OS: "linux", Architecture: "amd64"}, Config: ocispecs.ImageConfig{Env: []string{"PATH=/bin"}}})
	return name, digest.FromBytes(config), config, err
}

// build converts a Dockerfile with BuildKit's own frontend, and returns its warnings, all
// experimental ones included.
func build(t *testing.T, text string, resolver *bases) (*dockerfile2llb.Result, []string, error) {
	t.Helper()
	var warnings []string
	platform := ocispecs.Platform{OS: "linux", Architecture: "arm64"}
	capabilities := pb.Caps.CapSet(pb.Caps.All())
	result, err := dockerfile2llb.Dockerfile2LLB(t.Context(), []byte(text), dockerfile2llb.ConvertOpt{
		Config: dockerui.Config{
			BuildArgs: map[string]string{"VERSION": "1.2.3"}, BuildPlatforms: []ocispecs.Platform{{OS: "linux", Architecture: "amd64"}},
			LinterConfig: &linter.Config{ExperimentalAll: true},
		},
		TargetPlatform: &platform, MetaResolver: resolver, LLBCaps: &capabilities,
		Warn: func(rule, description, _, message string, _ []parser.Range) {
			warnings = append(warnings, rule+": "+description+": "+message)
		},
	})
	return result, warnings, err
}

func TestDockerfileMakesASmallImage(t *testing.T) {
	text, err := os.ReadFile("../../Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	resolver := &bases{}
	result, warnings, err := build(t, string(text), resolver)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range warnings {
		t.Error(w)
	}
	for _, name := range resolver.asked {
		if !strings.HasPrefix(name, "docker.io/library/node:") && !strings.HasPrefix(name, "docker.io/library/golang:") {
			t.Errorf("base image %s", name)
		}
	}
	image := result.Image
	if image.Architecture != "arm64" || image.Config.User != "65532:65532" || strings.Join(image.Config.Entrypoint, " ")+" "+strings.Join(image.Config.Cmd, " ") != "/coreroller serve" {
		t.Errorf("image %+v", image.Config)
	}
	if _, ok := image.Config.Volumes["/data"]; !ok || len(image.Config.Volumes) != 1 {
		t.Errorf("volumes %v", image.Config.Volumes)
	}
	if h := image.Config.Healthcheck; h == nil || strings.Join(h.Test, " ") != "CMD /coreroller health" {
		t.Errorf("health check %+v", h)
	}
	if image.Config.Labels["org.opencontainers.image.version"] != "1.2.3" {
		t.Errorf("labels %v", image.Config.Labels)
	}

	// The check itself finds problems.
	_, warnings, err = build(t, strings.Replace(string(text), `CMD ["serve"]`, "MAINTAINER x\nCMD serve", 1), &bases{})
	if err != nil || len(warnings) < 2 {
		t.Errorf("warnings %v %v", warnings, err)
	}
}

func TestComposeFileDescribesAProtectedPair(t *testing.T) {
	options, err := cli.NewProjectOptions([]string{"../../docker-compose.yml"}, cli.WithEnv([]string{"VERSION=1.2.3", "COREROLLER_PORT=8765"}), cli.WithResolvedPaths(true))
	if err != nil {
		t.Fatal(err)
	}
	project, err := options.LoadProject(t.Context()) // checks the schema and references
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(project.ServiceNames(), " "); got != "postgres proxy server-1 server-2" {
		t.Fatalf("services %s", got)
	}
	for name, service := range project.Services {
		if service.Restart != "unless-stopped" {
			t.Errorf("%s: restart %q", name, service.Restart)
		}
		if (len(service.Ports) > 0) != (name == "proxy") {
			t.Errorf("%s: ports %v", name, service.Ports)
		}
		for _, v := range service.Environment {
			if v != nil && strings.Contains(strings.ToLower(*v), "password") && !strings.HasPrefix(*v, "/run/secrets/") {
				t.Errorf("%s: a secret in the environment: %s", name, *v)
			}
		}
		for _, s := range service.Secrets {
			if project.Secrets[s.Source].File == "" {
				t.Errorf("%s: secret %s is no file", name, s.Source)
			}
		}
		if name == "postgres" {
			continue
		}
		if !service.ReadOnly || len(service.CapDrop) != 1 || service.CapDrop[0] != "ALL" || len(service.SecurityOpt) != 1 {
			t.Errorf("%s is not restricted", name)
		}
		for _, d := range service.DependsOn {
			if d.Condition != types.ServiceConditionHealthy {
				t.Errorf("%s depends on a service that is not healthy: %+v", name, d)
			}
		}
	}
	proxy, server := project.Services["proxy"], project.Services["server-1"]
	if proxy.Ports[0].Published != "8765" || proxy.HealthCheck == nil || project.Services["postgres"].HealthCheck == nil {
		t.Errorf("proxy %+v", proxy)
	}
	// The address of the proxy must be one that the servers trust.
	var shared []string
	for network := range proxy.Networks {
		if _, ok := server.Networks[network]; ok {
			shared = append(shared, network)
		}
	}
	if len(shared) != 1 || project.Networks[shared[0]].Ipam.Config[0].Subnet != *server.Environment["COREROLLER_TRUSTED_PROXIES"] {
		t.Errorf("proxy and servers share %v", shared)
	}
	for network := range project.Services["postgres"].Networks {
		if _, ok := proxy.Networks[network]; ok || !project.Networks[network].Internal {
			t.Errorf("the database is reachable in %s", network)
		}
	}
	for _, volume := range proxy.Volumes {
		if _, err := os.Stat(volume.Source); err != nil {
			t.Error(err)
		}
	}
}
