package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// minimal is the shortest configuration that works.
const minimal = `state_dir: state
operator: {user: op, password: secret}
nodes:
  - {name: a, address: "127.0.0.1:3306"}
`

func write(t *testing.T, source string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "bellwether.yaml")
	if err := os.WriteFile(path, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestMinimalFileGetsDefaults(t *testing.T) {
	path := write(t, minimal)
	f, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if f.Nodes[0].Weight != 1 || f.Proxy.Listen != "127.0.0.1:3307" || f.Admin.Listen != "127.0.0.1:8001" {
		t.Errorf("got %+v", f)
	}
	if want := filepath.Join(filepath.Dir(path), "state"); f.StateDir != want {
		t.Errorf("state_dir = %s, want %s", f.StateDir, want)
	}
	if f.Operator.Value() != "secret" || len(f.Warnings()) != 0 {
		t.Errorf("secret %q, warnings %q", f.Operator.Value(), f.Warnings())
	}
}

// Each case replaces one line of the minimal file, or adds to it, and says
// what is then reported, without the file's name.
func TestProblems(t *testing.T) {
	for _, c := range []struct {
		name, source string
		want         []string
	}{
		{"mistyped key", minimal + "proxy:\n  listn: 127.0.0.1:1\n",
			[]string{`6: unknown key "listn" under "proxy", did you mean "listen"?`}},
		{"key in the wrong place", minimal + "max_lag: 3s\n",
			[]string{`5: unknown key "max_lag", it belongs under "reads"`}},
		{"a loss of less than nothing", minimal + "failover: {max_loss: -3}\n",
			[]string{`5: failover.max_loss: -3 is less than 0: it is how many acknowledged transactions may be lost, 0 for none`}},
		{"key of nowhere", minimal + "log: {colour: true}\n",
			[]string{`5: unknown key "colour" under "log", known here: level, format`}},
		{"key in a list", strings.Replace(minimal, "name: a", "name: a, wieght: 2", 1),
			[]string{`4: unknown key "wieght" under "nodes[0]", did you mean "weight"?`}},
		{"wrong kinds, all at once", minimal + "proxy:\n  max_clients: many\n  max_packet: 12\n  tls: yes\nlog: {format: xml}\nusers: bob\n",
			[]string{
				`6: proxy.max_clients: "many" is not a whole number`,
				`7: proxy.max_packet: "12" is not a size such as 512KB, 64MB or 1GB`,
				`8: proxy.tls: wants keys and values below it`,
				`9: log.format: "xml" is none of: text, json`,
				`10: users: wants a list, each entry with a leading dash`,
			}},
		{"duration without a unit", minimal + "reads: {max_lag: 10}\n",
			[]string{`5: reads.max_lag: "10" is not a duration such as 250ms, 10s or 1h30m`}},
		{"writers slowed down by too little", minimal + "replication:\n  slow_writers: {lag: 10ms, most: 1m}\n",
			[]string{
				"6: replication.slow_writers.lag: 10ms is neither 0s (never) nor at least 1s: probes do not see less",
				"6: replication.slow_writers.most: 1m0s is not between 1ms and 10s",
			}},
		{"twice the same key", minimal + "state_dir: b\n",
			[]string{`5: "state_dir" stands here a second time, it is already on line 1`}},
		{"not YAML", "nodes: [\n", []string{"1: not YAML: sequence end token ']' not found"}},
		{"alias", minimal + "log: &x {level: info}\n",
			[]string{"5: log: anchors, aliases and tags are not used here: write the value itself"}},
		{"empty file", "", []string{
			"state_dir: is missing: name the folder where Bellwether keeps who is master",
			"operator.user: is missing: name the account that Bellwether uses on the nodes",
			"nodes: no node is named: Bellwether needs a master at least",
		}},
		{"empty list of nodes", "state_dir: s\noperator: {user: u}\nnodes: []\n",
			[]string{"3: nodes: no node is named: Bellwether needs a master at least"}},
		{"no master", minimal + "  - {name: b, address: \"127.0.0.1:3308\"}\n",
			[]string{"3: nodes: no node is the master: write master: true at the one that takes the writes"}},
		{"two masters, one name, one address", "state_dir: s\noperator: {user: u}\nnodes:\n- {name: a, address: \"h:1\", master: true}\n- {name: a, address: \"h:1\", master: true}\n",
			[]string{
				`5: nodes[1].name: "a" is already the name of nodes[0]`,
				"5: nodes[1].address: h:1 is already the address of nodes[0]",
				"5: nodes[1].master: a is marked too, and there is one master only",
			}},
		{"a role as a name", strings.Replace(minimal, "name: a", "name: master", 1),
			[]string{`4: nodes[0].name: "master" is a role, and roles move: choose a name that stays true`}},
		{"address without port", strings.Replace(minimal, "127.0.0.1:3306", "db1", 1),
			[]string{`4: nodes[0].address: "db1" is not host:port`}},
		{"listener without host", minimal + "proxy: {listen: \":3307\"}\n",
			[]string{`5: proxy.listen: ":3307" has no host: write 127.0.0.1:3307, or 0.0.0.0:3307 for every interface`}},
		{"listener on a node", minimal + "proxy: {listen: \"127.0.0.1:3306\"}\nadmin: {listen: \"127.0.0.1:3306\"}\n",
			[]string{"5: proxy.listen: 127.0.0.1:3306 is the address of a", "6: admin.listen: 127.0.0.1:3306 is proxy.listen"}},
		{"bad user", minimal + "users:\n- {name: u, native_hash: \"*1\", password: x}\n- {name: u}\n",
			[]string{
				"6: users[0].native_hash: is not a * and 40 hexadecimal digits, as PASSWORD() of MariaDB prints",
				"6: users[0]: has more than one secret: keep one",
				`7: users[1].name: "u" is already the name of users[0]`,
				"7: users[1]: has neither a password nor a hash, nor a consistency",
			}},
		{"bad sha2 hash", minimal + "users:\n- {name: u, hash: \"$A$005$short\"}\n- {name: v, hash: \"$A$005$IIIIIIIIIIIIIIIIIIIIaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\", password: x}\n",
			[]string{
				"6: users[0].hash: is not what mysql.user.authentication_string has for caching_sha2_password: " +
					"$A$005$ and 63 characters, or 0x and HEX() of all that",
				"7: users[1].hash: is not what mysql.user.authentication_string has for caching_sha2_password: " +
					"$A$005$ and 63 characters, or 0x and HEX() of all that",
				"7: users[1]: has more than one secret: keep one",
			}},
		{"limits", minimal + "proxy: {max_clients: 0}\npool: {connect_timeout: 0s}\n",
			[]string{"5: proxy.max_clients: 0 is not between 1 and 1048576", "6: pool.connect_timeout: 0s is less than 1ms"}},
		{"missing secret", strings.Replace(minimal, "password: secret", "password_env: NO_SUCH_VARIABLE", 1),
			[]string{"2: operator.password_env: the environment has no variable NO_SUCH_VARIABLE"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := write(t, c.source)
			_, err := Load(path)
			var problems Problems
			if !errors.As(err, &problems) {
				t.Fatalf("error = %v, want problems", err)
			}
			var got []string
			for _, p := range problems {
				got = append(got, strings.TrimLeft(strings.TrimPrefix(p.Error(), path+":"), " "))
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestSecrets(t *testing.T) {
	t.Setenv("CONFIG_TEST_SECRET", "from the environment")
	path := write(t, `state_dir: s
operator: {user: op, password_file: op.secret}
nodes: [{name: a, address: "h:1"}]
users:
  - {name: u, password_env: CONFIG_TEST_SECRET}
  - {name: v, password: inline}
`)
	if err := os.WriteFile(filepath.Join(filepath.Dir(path), "op.secret"), []byte("from a file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	f, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	got := []string{f.Operator.Value(), f.Users[0].Value(), f.Users[1].Value()}
	if diff := cmp.Diff([]string{"from a file", "from the environment", "inline"}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if len(f.Warnings()) != 1 || !strings.Contains(f.Warnings()[0], "chmod 600") {
		t.Errorf("warnings = %q", f.Warnings())
	}
}

// Whatever the bytes, parsing ends with a configuration or with problems.
func FuzzParse(f *testing.F) {
	f.Add([]byte(minimal))
	f.Add([]byte("nodes: [{}, {name: [1]}, ~]\n---\na: &b *b\n"))
	f.Fuzz(func(t *testing.T, source []byte) {
		if file, problems := parse("fuzz.yaml", source); len(problems) == 0 && len(file.Nodes) == 0 {
			t.Fatal("accepted without a node")
		}
	})
}
