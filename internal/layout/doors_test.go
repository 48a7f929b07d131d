package layout

import (
	"path"
	"slices"
	"strings"
	"testing"
)

// doors says which rooms each room may import outside its tests. A room that
// is not listed may import none and must be added here first.
var doors = map[string][]string{
	"cmd/bellwether": {
		"cmd/bellwether/internal/terminal", "cmd/bellwether/internal/running", "cmd/bellwether/internal/meanwhile", "config", "admin", "proxy", "proxy/backend", "router", "wire", "cluster", "failover", "replicator", "internal/playground",
	},
	"cmd/bellwether/internal/terminal":  {"cmd/bellwether/internal/running", "cmd/bellwether/internal/meanwhile", "config", "admin", "cluster", "failover"},
	"cmd/bellwether/internal/running":   {"config"},
	"cmd/bellwether/internal/meanwhile": {},

	"config":        {"admin", "proxy", "proxy/backend", "router", "wire", "cluster", "failover", "replicator"},
	"admin":         {"cluster"},
	"proxy":         {"proxy/backend", "router", "wire", "cluster"},
	"proxy/backend": {"wire", "cluster"},
	"failover":      {"cluster"},
	"replicator":    {"wire", "cluster"},
	"router":        {"cluster"},
	"cluster":       {},
	"wire":          {},
	"bench":         {"internal/playground"},
	"deploy":        {"config", "proxy", "cluster", "failover", "replicator", "internal/playground"}, // its tests

	"internal/durable":    {},
	"internal/playground": {},
	"internal/fakemysql":  {"wire"},
	"internal/golden":     {},
	"internal/browser":    {},
	"internal/layout":     {},
	"internal/acceptance": {"internal/playground", "wire"},
}

// openDoors are open to every room: what is behind them knows of none.
var openDoors = []string{"internal/durable"}

// testDoors are open to the tests of every room.
var testDoors = []string{"internal/playground", "internal/browser", "internal/fakemysql", "internal/golden", "cluster", "wire"}

// fences says which rooms may use a third party outside their tests. Prometheus
// has its own rule, see fenced.
var fences = map[string][]string{
	"github.com/pingcap/tidb/pkg/parser":  {"router", "admin"},
	"github.com/go-mysql-org/go-mysql":    {"replicator", "cluster"},
	"github.com/klauspost/compress":       {"replicator"},
	"github.com/go-sql-driver/mysql":      {"cluster", "failover", "replicator", "admin", "bench", "internal/playground", "internal/acceptance"},
	"github.com/spf13/cobra":              {"cmd/bellwether", "cmd/bellwether/internal/terminal", "bench"},
	"github.com/goccy/go-yaml":            {"config", "deploy"},
	"github.com/prometheus/client_golang": {"admin", "cmd/bellwether"},
}

// room returns the room that a folder belongs to: a listed one, or the nearest
// above it, so that a room may have folders of its own.
func room(folder string) (string, bool) {
	for ; folder != "."; folder = path.Dir(folder) {
		if _, ok := doors[folder]; ok {
			return folder, true
		}
	}
	return "", false
}

func TestDoors(t *testing.T) {
	for _, s := range sources(t) {
		from, ok := room(s.room)
		if !ok {
			t.Errorf("%s: the folder %s is no room of the house: add it to doors", s.path, s.room)
			continue
		}
		for _, imported := range s.imports() {
			folder, own := strings.CutPrefix(imported, module+"/")
			if !own {
				continue
			}
			to, ok := room(folder)
			if !ok {
				t.Errorf("%s imports %s, which is no room of the house", s.path, folder)
			} else if !mayImport(from, to, s.test) {
				t.Errorf("%s: %s has no door to %s", s.path, from, to)
			}
		}
	}
}

func mayImport(from, to string, test bool) bool {
	return from == to || slices.Contains(doors[from], to) || slices.Contains(openDoors, to) || test && slices.Contains(testDoors, to)
}

func TestFences(t *testing.T) {
	for _, s := range sources(t) {
		from, ok := room(s.room)
		if !ok {
			continue // TestDoors says so
		}
		for _, imported := range s.imports() {
			if !fenced(from, s, imported) {
				t.Errorf("%s: %s may not be used in %s", s.path, imported, from)
			}
		}
	}
}

// fenced reports whether a file may import a package as far as third parties
// go. Tests may use the SQL client and the metrics anywhere.
func fenced(from string, s source, imported string) bool {
	for fence, rooms := range fences {
		if imported != fence && !strings.HasPrefix(imported, fence+"/") {
			continue
		}
		metrics := fence == "github.com/prometheus/client_golang"
		switch {
		case slices.Contains(rooms, from):
			return true
		case metrics:
			return s.test || path.Base(s.path) == "metrics.go"
		default:
			return s.test && fence == "github.com/go-sql-driver/mysql"
		}
	}
	return true
}

// The tables above are only worth something if the rules refuse.
func TestRulesRefuse(t *testing.T) {
	for _, c := range []struct {
		from, to string
		test     bool
		want     bool
	}{
		{"proxy", "router", false, true},
		{"proxy", "failover", false, false},
		{"proxy", "failover", true, false},
		{"cluster", "wire", false, false},
		{"wire", "cluster", false, false},
		{"router", "cluster", false, true},
		{"failover", "internal/durable", false, true},
		{"internal/durable", "cluster", false, false},
		{"failover", "internal/playground", false, false},
		{"failover", "internal/playground", true, true},
		{"cluster", "config", true, false},
		{"admin", "config", false, false},
	} {
		if got := mayImport(c.from, c.to, c.test); got != c.want {
			t.Errorf("%s to %s (test %t): %t, want %t", c.from, c.to, c.test, got, c.want)
		}
	}
	for _, c := range []struct {
		room, file, imported string
		test, want           bool
	}{
		{"proxy", "proxy/metrics.go", "github.com/prometheus/client_golang/prometheus", false, true},
		{"proxy", "proxy/session.go", "github.com/prometheus/client_golang/prometheus", false, false},
		{"proxy", "proxy/session.go", "github.com/go-sql-driver/mysql", false, false},
		{"proxy", "proxy/session_test.go", "github.com/go-sql-driver/mysql", true, true},
		{"router", "router/parse.go", "github.com/pingcap/tidb/pkg/parser/ast", false, true},
		{"proxy", "proxy/parse.go", "github.com/pingcap/tidb/pkg/parser", false, false},
		{"wire", "wire/conn.go", "github.com/go-mysql-org/go-mysql/mysql", true, false},
	} {
		if got := fenced(c.room, source{path: c.file, test: c.test}, c.imported); got != c.want {
			t.Errorf("%s imports %s: %t, want %t", c.file, c.imported, got, c.want)
		}
	}
}
