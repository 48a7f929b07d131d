package deploy

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/failover"
	"github.com/bellwether-db/bellwether/proxy"
	"github.com/bellwether-db/bellwether/replicator"
)

// recorder notes the metrics that rooms register: their labels by name.
type recorder map[string][]string

func (r recorder) Register(c prometheus.Collector) error {
	out := make(chan *prometheus.Desc, 1000)
	c.Describe(out)
	close(out)
	for d := range out {
		parts := described.FindStringSubmatch(d.String())
		r[parts[1]] = strings.FieldsFunc(parts[2], func(c rune) bool { return c == ',' || c == ' ' })
	}
	return nil
}

func (r recorder) MustRegister(all ...prometheus.Collector) {
	for _, c := range all {
		_ = r.Register(c)
	}
}

func (r recorder) Unregister(prometheus.Collector) bool { return false }

var described = regexp.MustCompile(`fqName: "(\w+)".*variableLabels: \{([^}]*)\}`)

// metrics are all that the program has, with their labels.
func metrics() recorder {
	r := recorder{"bellwether_build_info": {"version", "commit"}}
	cluster.NewMetrics(r)
	failover.NewMetrics(r)
	proxy.NewMetrics(r, nil, nil)
	r.MustRegister(replicator.NewMetrics(nil))
	return r
}

// foreign are metrics that others than the rooms give.
var foreign = []string{"up", "process_cpu_seconds_total", "process_resident_memory_bytes", "go_memstats_heap_inuse_bytes"}

// everywhere are labels that every series has, or a histogram's.
var everywhere = []string{"job", "instance", "le"}

// words are what a label may say, where the rooms have a list of that.
var words = map[string][]string{
	"bellwether_problems priority":                 enumerated(func(i int) string { return failover.Priority(i).String() }, 5),
	"bellwether_recoveries_total kind":             enumerated(func(i int) string { return failover.Recovery(i).String() }, 8),
	"bellwether_recoveries_total outcome":          enumerated(func(i int) string { return failover.Outcome(i).String() }, 6),
	"bellwether_node_role role":                    enumerated(func(i int) string { return cluster.Role(i).String() }, 3),
	"bellwether_node_probes_total outcome":         enumerated(func(i int) string { return cluster.Outcome(i).String() }, 7),
	"bellwether_write_outcomes_total outcome":      enumerated(func(i int) string { return proxy.OutcomeState(i).String() }, 3),
	"bellwether_statements_total target":           {"master", "slave"},
	"bellwether_statements_total class":            {"read", "write"},
	"bellwether_errors_total side":                 {"client", "node", "proxy"},
	"bellwether_pool_connections state":            {"leased", "free"},
	"bellwether_replication_slave state":           {"running", "starting", "waiting", "restart", "broken", "none", "unknown"},
	"bellwether_statement_duration_seconds target": {"master", "slave"},
}

func enumerated(word func(int) string, n int) (all []string) {
	for i := range n {
		all = append(all, word(i))
	}
	return all
}

// expressions are those of the alerts and of the dashboard, by where they are.
func expressions(t *testing.T) map[string]string {
	found := map[string]string{}
	var alerts struct {
		Groups []struct {
			Rules []struct{ Alert, Expr string }
		}
	}
	decode(t, "prometheus/alerts.yaml", &alerts)
	for _, group := range alerts.Groups {
		for _, rule := range group.Rules {
			found["alert "+rule.Alert] = rule.Expr
		}
	}
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
		Annotations struct{ List []struct{ Name, Expr string } }
		Templating  struct {
			List []struct {
				Name  string
				Query any
			}
		}
	}
	decode(t, "grafana/bellwether.json", &dashboard)
	for _, panel := range dashboard.Panels {
		for _, target := range panel.Targets {
			found["panel "+panel.Title+": "+target.Expr] = target.Expr
		}
	}
	for _, note := range dashboard.Annotations.List {
		found["annotation "+note.Name] = note.Expr
	}
	for _, variable := range dashboard.Templating.List {
		if query, ok := variable.Query.(map[string]any); ok {
			text, _ := query["query"].(string)
			found["variable "+variable.Name] = strings.TrimPrefix(text, "label_values")
		}
	}
	if len(found) < 60 {
		t.Errorf("there are %d expressions only", len(found))
	}
	return found
}

func decode(t *testing.T, path string, into any) {
	t.Helper()
	if err := yaml.Unmarshal(content(t, path), into); err != nil { // JSON is YAML
		t.Fatalf("%s: %v", path, err)
	}
}

var (
	// matched is a metric with what is in braces behind it, grouped is a list of labels.
	matched = regexp.MustCompile(`\b([a-z_]+(?:_[a-z]+)*)\b(?:\{([^}]*)\})?`)
	grouped = regexp.MustCompile(`\b(?:by|without|on|ignoring)\s*\(([^)]*)\)`)
	matcher = regexp.MustCompile(`^(\w+)(=~|!~|!=|=)"(.*)"$`)
)

// Every expression is about metrics that the program has, by labels that they
// have, and by words that they say.
func TestExpressionsNameWhatThereIs(t *testing.T) {
	all := metrics()
	for where, expr := range expressions(t) {
		allowed := slices.Clone(everywhere)
		named := 0
		for _, m := range matched.FindAllStringSubmatch(grouped.ReplaceAllString(expr, ""), -1) {
			name, braces := histogramOf(all, m[1]), m[2]
			labels, ours := all[name]
			switch {
			case ours || slices.Contains(foreign, name):
				named++
			case strings.HasPrefix(name, "bellwether") && !strings.Contains(expr, `"`+name+`"`):
				t.Errorf("%s: there is no metric %s", where, name)
				continue
			default:
				continue
			}
			allowed = append(allowed, labels...)
			for _, part := range strings.Split(braces, ",") {
				checkMatcher(t, where, name, strings.TrimSpace(part), append(slices.Clone(everywhere), labels...))
			}
		}
		if named == 0 {
			t.Errorf("%s is about no metric: %s", where, expr)
		}
		for _, list := range grouped.FindAllStringSubmatch(expr, -1) {
			for _, label := range strings.Split(list[1], ",") {
				if label = strings.TrimSpace(label); !slices.Contains(allowed, label) {
					t.Errorf("%s: groups by %s, which none of its metrics has", where, label)
				}
			}
		}
	}
}

// histogramOf is the metric that a series belongs to.
func histogramOf(all recorder, series string) string {
	for _, end := range []string{"_bucket", "_sum", "_count"} {
		if name, cut := strings.CutSuffix(series, end); cut && all[name] != nil {
			return name
		}
	}
	return series
}

func checkMatcher(t *testing.T, where, metric, text string, labels []string) {
	t.Helper()
	if text == "" {
		return
	}
	m := matcher.FindStringSubmatch(text)
	if m == nil {
		t.Errorf("%s: %q is no matcher", where, text)
		return
	}
	if !slices.Contains(labels, m[1]) {
		t.Errorf("%s: %s has no label %s", where, metric, m[1])
	}
	known := words[metric+" "+m[1]]
	for _, word := range strings.Split(m[3], "|") {
		if known != nil && !slices.Contains(known, word) {
			t.Errorf("%s: %s of %s is never %q", where, m[1], metric, word)
		}
	}
}
