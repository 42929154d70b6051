package packaging

import (
	"bytes"
	"flag"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/engine"
	apps "k8s.io/api/apps/v1"
	autoscaling "k8s.io/api/autoscaling/v2"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	"sigs.k8s.io/yaml"
)

// chartPath is the archive of a release in `make package-test`.
var chartPath = flag.String("chart", "helm/coreroller", "folder or archive of the chart")

// newOf returns an object of a kind that the chart makes, nil of another.
func newOf(kind string) any {
	switch kind {
	case "v1/Service":
		return &core.Service{}
	case "v1/ServiceAccount":
		return &core.ServiceAccount{}
	case "v1/PersistentVolumeClaim":
		return &core.PersistentVolumeClaim{}
	case "v1/Pod":
		return &core.Pod{}
	case "apps/v1/Deployment":
		return &apps.Deployment{}
	case "autoscaling/v2/HorizontalPodAutoscaler":
		return &autoscaling.HorizontalPodAutoscaler{}
	case "policy/v1/PodDisruptionBudget":
		return &policy.PodDisruptionBudget{}
	case "networking.k8s.io/v1/Ingress":
		return &networking.Ingress{}
	case "networking.k8s.io/v1/NetworkPolicy":
		return &networking.NetworkPolicy{}
	case "monitoring.coreos.com/v1/ServiceMonitor":
		return &monitoring.ServiceMonitor{}
	}
	return nil
}

// render renders the chart as helm does, with the values of a YAML text, and decodes each
// object into its type of Kubernetes; unknown fields are errors.
func render(t *testing.T, values string) (map[string]any, error) {
	t.Helper()
	chart, err := loader.Load(*chartPath)
	if err != nil {
		t.Fatal(err)
	}
	if err := chart.Validate(); err != nil {
		t.Fatal(err)
	}
	given, err := common.ReadValues([]byte(values))
	if err != nil {
		t.Fatal(err)
	}
	// It checks values.schema.json, too.
	all, err := util.ToRenderValues(chart, given, common.ReleaseOptions{Name: "test", Namespace: "updates", Revision: 1, IsInstall: true}, common.DefaultCapabilities)
	if err != nil {
		return nil, err
	}
	files, err := engine.Engine{Strict: true}.RenderWithContext(t.Context(), chart, all)
	if err != nil {
		return nil, err
	}
	objects := map[string]any{}
	for name, text := range files {
		if !strings.HasSuffix(name, ".yaml") {
			continue
		}
		for document := range bytes.SplitSeq([]byte(text), []byte("\n---\n")) {
			var head struct {
				APIVersion, Kind string
				Metadata         struct{ Name string }
			}
			if err := yaml.Unmarshal(document, &head); err != nil {
				t.Fatalf("%s: %v\n%s", name, err, document)
			}
			if head.Kind == "" { // switched off
				continue
			}
			object := newOf(head.APIVersion + "/" + head.Kind)
			if object == nil {
				t.Fatalf("%s: the test knows no type for %s %s", name, head.APIVersion, head.Kind)
			}
			if err := yaml.UnmarshalStrict(document, object); err != nil {
				t.Errorf("%s: %v\n%s", name, err, document)
			}
			objects[head.Kind+"/"+head.Metadata.Name] = object
		}
	}
	return objects, nil
}

func TestChartMakesValidObjects(t *testing.T) {
	for _, c := range []struct{ values, want string }{
		{"small", "Deployment/test-coreroller NetworkPolicy/test-coreroller Pod/test-coreroller-health PodDisruptionBudget/test-coreroller Service/test-coreroller Service/test-coreroller-metrics ServiceAccount/test-coreroller"},
		{"production", "Deployment/test-coreroller HorizontalPodAutoscaler/test-coreroller Ingress/test-coreroller NetworkPolicy/test-coreroller PersistentVolumeClaim/test-coreroller-payloads Pod/test-coreroller-health PodDisruptionBudget/test-coreroller Service/test-coreroller Service/test-coreroller-metrics ServiceAccount/test-coreroller ServiceMonitor/test-coreroller"},
		{"operator", "Deployment/test-coreroller Pod/test-coreroller-health Service/test-coreroller Service/test-coreroller-metrics"},
	} {
		text, err := os.ReadFile("helm/testdata/" + c.values + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		objects, err := render(t, string(text))
		if err != nil {
			t.Errorf("%s: %v", c.values, err)
			continue
		}
		var names []string
		for name := range objects {
			names = append(names, name)
		}
		slices.Sort(names)
		if got := strings.Join(names, " "); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.values, got, c.want)
		}
		checkPod(t, c.values, objects["Deployment/test-coreroller"].(*apps.Deployment))
		checkSelectors(t, c.values, objects)
	}
}

// checkPod checks what Kubernetes accepts but the server, or the restricted Pod Security
// Standard, does not.
func checkPod(t *testing.T, values string, d *apps.Deployment) {
	t.Helper()
	pod := d.Spec.Template.Spec
	server := pod.Containers[0]
	security := server.SecurityContext
	if !*security.ReadOnlyRootFilesystem || *security.AllowPrivilegeEscalation || !*pod.SecurityContext.RunAsNonRoot ||
		!slices.Equal(security.Capabilities.Drop, []core.Capability{"ALL"}) || pod.SecurityContext.SeccompProfile.Type != core.SeccompProfileTypeRuntimeDefault {
		t.Errorf("%s: the pod is not restricted: %+v %+v", values, security, pod.SecurityContext)
	}
	if server.LivenessProbe.HTTPGet.Path != "/livez" || server.ReadinessProbe.HTTPGet.Path != "/readyz" || server.StartupProbe.FailureThreshold != 720 {
		t.Errorf("%s: probes %+v %+v %+v", values, server.LivenessProbe, server.ReadinessProbe, server.StartupProbe)
	}
	if r := d.Spec.Strategy.RollingUpdate; (r == nil) != (values == "operator") || r != nil && r.MaxUnavailable.IntValue() != 0 {
		t.Errorf("%s: strategy %+v", values, d.Spec.Strategy)
	}
	volumes := map[string]core.Volume{}
	for _, v := range pod.Volumes {
		volumes[v.Name] = v
	}
	mounted := map[string]string{} // path of a folder → volume
	for _, m := range server.VolumeMounts {
		if _, ok := volumes[m.Name]; !ok {
			t.Errorf("%s: no volume %s", values, m.Name)
		}
		delete(volumes, m.Name)
		mounted[m.MountPath] = m.Name
	}
	if len(volumes) > 0 {
		t.Errorf("%s: volumes that are not mounted: %v", values, volumes)
	}
	seen := map[string]bool{}
	for _, v := range server.Env {
		if seen[v.Name] {
			t.Errorf("%s: %s is set twice", values, v.Name)
		}
		seen[v.Name] = true
		if v.Name == "COREROLLER_MAX_CONNECTIONS" && v.Value != "2000000" {
			t.Errorf("%s: %s is %s", values, v.Name, v.Value)
		}
		if folder, file, ok := strings.Cut(v.Value, "/coreroller/"); strings.HasSuffix(v.Name, "_FILE") && (!ok || mounted[folder+"/coreroller"] != "secrets" || !projects(pod, file)) {
			t.Errorf("%s: %s names %s, which no volume has", values, v.Name, v.Value)
		}
		if regexp.MustCompile(`://[^/]*:[^/]*@`).MatchString(v.Value) {
			t.Errorf("%s: %s has a password", values, v.Name)
		}
	}
	if d.Spec.Replicas == nil != (values == "production") {
		t.Errorf("%s: replicas %v", values, d.Spec.Replicas)
	}
}

// projects reports whether the volume of secrets has a file.
func projects(pod core.PodSpec, file string) bool {
	for _, v := range pod.Volumes {
		if v.Projected == nil {
			continue
		}
		for _, source := range v.Projected.Sources {
			if source.Secret.Items[0].Path == file && source.Secret.Name != "" && source.Secret.Items[0].Key != "" {
				return true
			}
		}
	}
	return false
}

// checkSelectors checks that everything that selects pods selects those of the server, and
// not the one of the test.
func checkSelectors(t *testing.T, values string, objects map[string]any) {
	t.Helper()
	pod := objects["Deployment/test-coreroller"].(*apps.Deployment).Spec.Template.Labels
	other := objects["Pod/test-coreroller-health"].(*core.Pod).Labels
	selects := func(selector, labels map[string]string) bool {
		for k, v := range selector {
			if labels[k] != v {
				return false
			}
		}
		return true
	}
	for name, object := range objects {
		var selector map[string]string
		switch o := object.(type) {
		case *core.Service:
			selector = o.Spec.Selector
		case *apps.Deployment:
			selector = o.Spec.Selector.MatchLabels
		case *policy.PodDisruptionBudget:
			selector = o.Spec.Selector.MatchLabels
		case *networking.NetworkPolicy:
			selector = o.Spec.PodSelector.MatchLabels
		case *monitoring.ServiceMonitor:
			service := objects["Service/test-coreroller-metrics"].(*core.Service)
			if !selects(o.Spec.Selector.MatchLabels, service.Labels) || selects(o.Spec.Selector.MatchLabels, objects["Service/test-coreroller"].(*core.Service).Labels) || o.Spec.Endpoints[0].Port != service.Spec.Ports[0].Name {
				t.Errorf("%s: the monitor does not select the service of the metrics alone", values)
			}
			if a := o.Spec.Endpoints[0].Authorization; a == nil || a.Credentials == nil || a.Credentials.Name != "monitoring" || a.Credentials.Key != "token" {
				t.Errorf("%s: the monitor sends %+v", values, a)
			}
			continue
		default:
			continue
		}
		if len(selector) == 0 || !selects(selector, pod) || selects(selector, other) {
			t.Errorf("%s: %s selects %v", values, name, selector)
		}
	}
}

func TestChartRefusesWrongValues(t *testing.T) {
	const database = "database: {url: postgres://db/coreroller}\n"
	for _, c := range []struct{ values, want string }{
		{"", "the chart needs a PostgreSQL database"},
		{"database: {existingSecret: {name: x}}", "the chart needs a PostgreSQL database"},
		{"database: {url: postgres://db/n, existingSecret: {name: x, urlKey: uri}}", "not both"},
		{"database: {url: 'postgres://a:secret@db/n'}", "database/url"},
		{"database: {url: 'mysql://db/n'}", "database/url"},
		{database + "replicas: 3", "replicas"},
		{database + "replicaCount: 0", "replicaCount"},
		{database + "settings: {Public_URL: x}", "Public_URL"},
		{database + "settings: {listen: ':80'}", "'listen'"},
		{database + "terminationGracePeriodSeconds: 5", "terminationGracePeriodSeconds"},
		{database + "stopDelaySeconds: 30", "at least stopDelaySeconds + 40"},
		{database + "settings: {stop-delay: 9s}", "'stop-delay'"},
		{database + "ingress: {enabled: true}", "ingress.hosts must not be empty"},
		{database + "secretFiles: [{name: smtp-password, secret: mail}]", "secretFiles"},
	} {
		if _, err := render(t, c.values); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: error %v, want one with %q", c.values, err, c.want)
		}
	}
}
