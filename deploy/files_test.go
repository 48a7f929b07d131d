package deploy

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/bellwether-db/bellwether/config"
	"github.com/bellwether-db/bellwether/internal/playground"
)

func content(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// object is a Kubernetes object, as far as the tests look at it.
type object struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string
	Metadata   struct{ Name string }
	Data       map[string]string
	Spec       map[string]any
}

func objects(t *testing.T) map[string]object {
	found := map[string]object{}
	decoder := yaml.NewDecoder(bytes.NewReader(content(t, "kubernetes/bellwether.yaml")))
	for {
		var o object
		err := decoder.Decode(&o)
		if errors.Is(err, io.EOF) {
			return found
		}
		if err != nil {
			t.Fatal(err)
		}
		if o.APIVersion == "" || o.Metadata.Name != "bellwether" {
			t.Errorf("a %q has the version %q and the name %q", o.Kind, o.APIVersion, o.Metadata.Name)
		}
		found[o.Kind] = o
	}
}

func TestKubernetesObjects(t *testing.T) {
	found := objects(t)
	for _, kind := range []string{"Secret", "ConfigMap", "PersistentVolumeClaim", "Deployment", "Service", "PodDisruptionBudget"} {
		if _, ok := found[kind]; !ok {
			t.Errorf("there is no %s", kind)
		}
	}
	whole := string(content(t, "kubernetes/bellwether.yaml"))
	for _, needed := range []string{
		"replicas: 1", "type: Recreate", "path: /livez", "path: /readyz", "runAsNonRoot: true", "readOnlyRootFilesystem: true",
		"publishNotReadyAddresses: true", "claimName: bellwether", "secretName: bellwether",
	} {
		if !strings.Contains(whole, needed) {
			t.Errorf("it lacks %q", needed)
		}
	}
}

// The configurations here are ones that the program takes, and listen where the
// files around them say.
func TestConfigurationsAreRead(t *testing.T) {
	t.Setenv("BELLWETHER_OPERATOR_PASSWORD", "operator")
	for name, text := range map[string]string{
		"kubernetes": objects(t)["ConfigMap"].Data["bellwether.yaml"],
		"container":  string(content(t, "container/bellwether.yaml")),
	} {
		dir := t.TempDir()
		secret := filepath.Join(dir, "operator.password")
		path := filepath.Join(dir, "bellwether.yaml")
		text = strings.ReplaceAll(text, "/run/secrets/bellwether/operator.password", secret)
		for file, b := range map[string]string{secret: "operator\n", path: text} {
			if err := os.WriteFile(file, []byte(b), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		c, err := config.Load(path)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if c.StateDir != "/var/lib/bellwether" || c.Proxy.Listen != "0.0.0.0:3307" || c.Admin.Listen != "0.0.0.0:8001" ||
			c.Replication.Listen != "0.0.0.0:3308" || c.Operator.Value() != "operator" {
			t.Errorf("%s: state in %s, %s, %s, %s", name, c.StateDir, c.Proxy.Listen, c.Admin.Listen, c.Replication.Listen)
		}
	}
}

func TestComposeIsRead(t *testing.T) {
	var compose struct {
		Services map[string]struct {
			Volumes     []string
			Environment map[string]string
			Build       struct{ Context, Dockerfile string }
		}
		Volumes map[string]any
	}
	decode(t, "container/compose.yaml", &compose)
	for name, service := range compose.Services {
		for _, volume := range service.Volumes {
			from, _, _ := strings.Cut(volume, ":")
			_, named := compose.Volumes[from]
			if _, err := os.Stat(filepath.Join("container", from)); !named && err != nil {
				t.Errorf("%s: there is neither a volume nor a file %s", name, from)
			}
		}
	}
	build := compose.Services["bellwether"].Build
	if _, err := os.Stat(filepath.Join("container", build.Context, build.Dockerfile)); err != nil {
		t.Error(err)
	}
}

// Prometheus's own tool takes the rules, and the alerts fire where they are to.
func TestPromtoolAgrees(t *testing.T) {
	tool := promtool(t)
	for _, arguments := range [][]string{
		{"check", "rules", "prometheus/alerts.yaml"},
		{"check", "config", "prometheus/prometheus.yaml"},
		{"test", "rules", "prometheus/alerts_test.yaml"},
	} {
		if out, err := exec.Command(tool, arguments...).CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(arguments, " "), err, out)
		}
	}
}

// promtool is the one that scripts/servers.sh has fetched, or one on PATH.
func promtool(t *testing.T) string {
	t.Helper()
	cache, err := playground.CacheDir()
	if err != nil {
		t.Fatal(err)
	}
	for _, place := range []string{filepath.Join(cache, "bin", "promtool"), "promtool"} {
		if path, err := exec.LookPath(place); err == nil {
			return path
		}
	}
	t.Fatal("there is no promtool: run scripts/servers.sh promtool (or `make promtool`), which fetches Debian's, or put one on PATH")
	return ""
}
