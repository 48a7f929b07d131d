package downstream

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/internal/golden"
	"github.com/bellwether-db/bellwether/wire"
)

// TestQuestions answers what slaves and the tools ask, as written in
// testdata/questions.txt, without a network.
func TestQuestions(t *testing.T) {
	golden.Run(t, "testdata/questions*.txt", func(t *testing.T, c golden.Case) [][]string {
		k := knowledgeFor(t, c)
		var out [][]string
		for _, step := range c.Steps {
			out = append(out, answerText(k, step.Input))
		}
		return out
	})
}

// knowledgeFor is a session's on a log of three transactions.
func knowledgeFor(t *testing.T, c golden.Case) *knowledge {
	t.Helper()
	flavour := cluster.FlavourMySQL
	for _, o := range c.Options {
		if o.Word == "flavour" && o.Rest == "mariadb" {
			flavour = cluster.FlavourMariaDB
		}
	}
	config := testConfig(flavour).withDefaults()
	slaves := func() []SlaveInfo {
		return []SlaveInfo{{ServerID: 7, Host: "db7", Port: 3306, UUID: "B7", Registered: true}}
	}
	return &knowledge{config: &config, log: filled(flavour, 1, 3), slaves: slaves, id: 12, user: testUser}
}

// answerText is an answer as lines: columns and rows, OK, or the error.
func answerText(k *knowledge, text string) []string {
	q := parseQuestion(text)
	var t table
	var refusal *wire.ServerError
	switch q.kind {
	case questionSelect:
		t, refusal = k.selected(q)
	case questionShow:
		t, refusal = k.show(q)
	case questionSet:
		refusal = k.assign(q)
	case questionKill:
		return []string{fmt.Sprintf("kill %d", q.target)}
	default:
		return []string{q.kind.String()}
	}
	switch {
	case refusal != nil:
		return []string{refusal.Error()}
	case t.columns == nil:
		return []string{"ok"}
	}
	lines := []string{strings.Join(t.columns, " | ")}
	for _, row := range t.rows {
		for i := range row {
			if t.null != nil && t.null[i] {
				row[i] = "NULL"
			}
		}
		lines = append(lines, strings.Join(row, " | "))
	}
	slices.Sort(lines[1:])
	return lines
}

// Every name that servers give the two ways of counting is known.
func TestVariablesOfASlave(t *testing.T) {
	k := knowledgeFor(t, golden.Case{})
	for _, query := range []string{
		"SET @master_heartbeat_period = 500000000, @source_heartbeat_period = 500000000",
		"SET @master_binlog_checksum='NONE'", "SET @replica_uuid='u'", "SET @mariadb_slave_capability=4",
	} {
		if refusal := k.assign(parseQuestion(query)); refusal != nil {
			t.Fatalf("%s: %v", query, refusal)
		}
	}
	v := &k.variables
	aware, first := v.checksum()
	if got := fmt.Sprintln(v.heartbeat(), aware, first, v.uuid(), v.mariaCapability()); got != "500ms true false u 4\n" {
		t.Error(got)
	}
	if v.set("big", strings.Repeat("x", maxVariableBytes), false) {
		t.Error("a variable of any size is kept")
	}
	if !v.set("replica_uuid", "", true) || v.uuid() != "" {
		t.Error("a variable is not forgotten")
	}
}

func FuzzQuestion(f *testing.F) {
	for _, seed := range []string{
		"SELECT @@GLOBAL.SERVER_ID", "SET @a = 'x', @b = @@global.binlog_checksum", "SHOW VARIABLES LIKE 'SERVER_ID'",
		"KILL QUERY 7", "SELECT 'a''b\\", "SET NAMES 'x' COLLATE y; /* c", "SELECT `", "SELECT @`a`.b", "SELECT f(, 1",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		config := testConfig(cluster.FlavourMySQL).withDefaults()
		k := &knowledge{config: &config, log: newMemLog(cluster.FlavourMySQL), slaves: func() []SlaveInfo { return nil }}
		lines := answerText(k, text)
		if len(lines) == 0 {
			t.Error("no answer")
		}
		if k.variables.bytes > maxVariableBytes {
			t.Errorf("%d bytes of variables", k.variables.bytes)
		}
	})
}
