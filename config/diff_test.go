package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDiff(t *testing.T) {
	const two = minimal + `  - {name: b, address: "127.0.0.1:3308", master: true}
users:
  - {name: u, password: one}
`
	for _, c := range []struct {
		name, old, new string
		want           []Change
	}{
		{"the same", two, "# a comment\n" + two, nil},
		{"order is no change", two, swapNodes(two), nil},
		{"weight", two, strings.Replace(two, "name: a,", "name: a, weight: 3,", 1),
			[]Change{{Text: "nodes[a].weight: 1 → 3"}}},
		{"the master's mark", two, strings.NewReplacer("name: a,", "name: a, master: true,", ", master: true", "").Replace(two),
			[]Change{{Text: "nodes[a].master: false → true", Ignored: true}, {Text: "nodes[b].master: true → false", Ignored: true}}},
		{"a node comes and one goes", two, strings.Replace(two, "name: a,", "name: c,", 1),
			[]Change{{Text: "nodes: c is new"}, {Text: "nodes: a is gone"}}},
		{"listener", two, two + "proxy: {listen: \"127.0.0.1:4000\"}\n",
			[]Change{{Text: `proxy.listen: "127.0.0.1:3307" → "127.0.0.1:4000"`, Restart: true}}},
		{"log level", two, two + "log: {level: debug}\n", []Change{{Text: "log.level: INFO → DEBUG"}}},
		{"secret", two, strings.Replace(two, "password: one", "password: two", 1),
			[]Change{{Text: "users[u].password: the secret has changed"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			old, err := Load(write(t, c.old))
			if err != nil {
				t.Fatal(err)
			}
			next, err := Load(write(t, c.new))
			if err != nil {
				t.Fatal(err)
			}
			next.StateDir = old.StateDir // the files are in two folders
			if diff := cmp.Diff(c.want, Diff(old, next)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// swapNodes exchanges the two lines of nodes.
func swapNodes(source string) string {
	lines := strings.Split(source, "\n")
	lines[3], lines[4] = lines[4], lines[3]
	return strings.Join(lines, "\n")
}

func TestDiffSeesNewContentOfASecret(t *testing.T) {
	source := strings.Replace(minimal, "password: secret", "password_env: CONFIG_TEST_SECRET", 1)
	path := write(t, source)
	t.Setenv("CONFIG_TEST_SECRET", "one")
	old, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("CONFIG_TEST_SECRET", "two")
	next, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	want := []Change{{Text: "operator: the secret has changed"}}
	if diff := cmp.Diff(want, Diff(old, next)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
