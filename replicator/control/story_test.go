package control

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/internal/golden"
	"github.com/bellwether-db/bellwether/replicator/dialect"
)

// A step of a story is a server's version and what it shows, as name=value
// behind bars: columns of its slave's status by their own names, variables by
// theirs, and a few words of the test's own.

func TestJudgeStories(t *testing.T) {
	golden.Run(t, "testdata/judge.txt", func(t *testing.T, c golden.Case) (out [][]string) {
		for _, step := range c.Steps {
			s, words := statusOf(t, step.Input)
			starts, _ := strconv.Atoi(words["starts"]) // 0 where it is not said
			h := History{Starts: starts}
			first := Judge(s, h)
			h.Failure, h.Side = first.Failure, first.Side
			v := Judge(s, h)
			lines := []string{v.String()}
			if v.State == StateRestart {
				lines = append(lines, fmt.Sprintf("started %v after the last time", v.Pause))
			}
			if v.Hint != "" {
				lines = append(lines, "hint: "+v.Hint)
			}
			out = append(out, lines)
		}
		return out
	})
}

func TestPlanStories(t *testing.T) {
	golden.Run(t, "testdata/plan.txt", func(t *testing.T, c golden.Case) (out [][]string) {
		for _, step := range c.Steps {
			s, words := statusOf(t, step.Input)
			out = append(out, planned(t, &s, words))
		}
		return out
	})
}

func planned(t *testing.T, s *Status, words map[string]string) (lines []string) {
	src := Source{Host: "bw", Port: 3309, User: "repl", Password: "it's", TLS: TLSAny, Workers: 4}
	if ca := words["verify"]; ca != "" {
		src.TLS, src.CA = TLSVerify, ca
	}
	var has *cluster.GTIDSet
	if text, ok := words["has"]; ok {
		has = setOf(t, s.Dialect, text)
	}
	p, err := planAttach("node2", s, src, has)
	if err != nil {
		return []string{"refused: " + err.Error()}
	}
	for _, why := range p.why {
		lines = append(lines, "because "+why)
	}
	lines = append(lines, "repairs: "+strconv.FormatBool(p.repairs()))
	for _, act := range []struct {
		is   bool
		text string
	}{{p.close, "make it read-only"}, {p.drain, "apply what it received"}, {p.pause, "stop it"}} {
		if act.is {
			lines = append(lines, act.text)
		}
	}
	for _, c := range p.settings {
		lines = append(lines, c.sql)
	}
	if p.position != nil {
		lines = append(lines, "set position "+p.position.String())
	}
	switch {
	case p.change && !s.Configured:
		lines = append(lines, src.changeSQL(s.Dialect))
	case p.change:
		lines = append(lines, "set the source")
	}
	if p.pause || p.start {
		lines = append(lines, "start it")
	}
	return lines
}

// healthy is what a slave shows that is as Attach left it.
var healthy = map[cluster.Flavour]string{
	cluster.FlavourMySQL: "host=bw|port=3309|user=repl|receiver=Yes|applier=Yes|position=1|connect retry=1|retry count=4294967295|ssl=Yes|ssl verify=No|" +
		"heartbeat=1.000|read only=ON|super read only=ON|workers=4|parallel mode=LOGICAL_CLOCK|preserve order=ON|net timeout=4",
	cluster.FlavourMariaDB: "host=bw|port=3309|user=repl|receiver=Yes|applier=Yes|position=Slave_Pos|connect retry=1|retry count=4294967295|ssl=Yes|ssl verify=No|" +
		"heartbeat=1.000|read only=ON|workers=4|parallel mode=optimistic|net timeout=4",
}

// statusOf reads a step: what is not said is as on a healthy slave.
func statusOf(t *testing.T, input string) (Status, map[string]string) {
	t.Helper()
	version, rest, _ := strings.Cut(input, "|")
	d, err := dialect.For(strings.TrimSpace(version))
	if err != nil {
		t.Fatal(err)
	}
	words := map[string]string{}
	for pair := range strings.SplitSeq(healthy[d.Flavour()]+"|"+strings.ReplaceAll(rest, "\n", ""), "|") {
		name, value, _ := strings.Cut(pair, "=")
		words[strings.TrimSpace(name)] = strings.TrimSpace(value)
	}
	rows := []map[string]string{rowOf(d, words)}
	if words["none"] == "yes" {
		rows = nil
	}
	if channel := words["further"]; channel != "" {
		rows = append(rows, map[string]string{d.Say(dialect.ColumnChannel): channel})
	}
	s, err := parseStatus(d, rows)
	if err != nil {
		t.Fatal(err)
	}
	finish(t, &s, words)
	return s, words
}

// rowOf is the status row: terms without "column" in front, or columns by their
// own names.
func rowOf(d *dialect.Dialect, words map[string]string) map[string]string {
	row := map[string]string{}
	for name, value := range words {
		row[name] = value
	}
	for term := dialect.ColumnChannel; term <= dialect.ColumnLogPos; term++ {
		if value, ok := words[strings.TrimPrefix(term.String(), "column ")]; ok && d.Has(term) {
			row[d.Say(term)] = value
		}
	}
	return row
}

// finish adds what is read with other statements.
func finish(t *testing.T, s *Status, words map[string]string) {
	s.settings = map[dialect.Term]string{}
	for _, term := range slaveSettings {
		if value, ok := words[term.String()]; ok && s.Dialect.Has(term) {
			s.settings[term] = value
		}
	}
	s.SuperReadOnly = isOn(s.settings[dialect.SuperReadOnly])
	s.ReadOnly = s.SuperReadOnly || isOn(s.settings[dialect.ReadOnly])
	s.options.heartbeat = seconds(words["heartbeat"])
	if text := words["logged"]; text != "" {
		var err error
		if s.logged, err = cluster.ParseGTID(s.Dialect.Flavour(), text); err != nil {
			t.Fatal(err)
		}
	}
	s.Executed = setOf(t, s.Dialect, words["executed"])
	s.Current = s.Executed.Union(setOf(t, s.Dialect, words["current"]))
}

// setOf reads a set; on MySQL of one source, so that stories need no UUIDs.
func setOf(t *testing.T, d *dialect.Dialect, text string) *cluster.GTIDSet {
	t.Helper()
	if !d.MariaDB() && text != "" {
		text = "00000000-0000-0000-0000-000000000001:" + text
	}
	set, err := cluster.ParseGTIDSet(d.Flavour(), text)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// TestHistory: a failure's starts count until the slave gets further.
func TestHistory(t *testing.T) {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	stopped, _ := statusOf(t, "9.7.4|applier=No|Last_SQL_Errno=9999|executed=1-5")
	running, _ := statusOf(t, "9.7.4|executed=1-5")
	further, _ := statusOf(t, "9.7.4|applier=No|Last_SQL_Errno=9999|executed=1-6")
	var h History
	for i := range 3 {
		v := Judge(stopped, h)
		if v.State != StateRestart || !h.due(v, at.Add(time.Hour)) {
			t.Fatalf("start %d: %v after %+v", i, v, h)
		}
		h = h.After(v, stopped, true, at)
		h = h.After(Judge(running, h), running, false, at.Add(time.Minute))
	}
	if v := Judge(stopped, h); v.State != StateBroken {
		t.Errorf("after three starts in vain: %v", v)
	}
	h = h.After(Judge(further, h), further, false, at)
	if v := Judge(further, h); v.State != StateRestart || v.Pause != 0 {
		t.Errorf("one transaction further: %v, %v", v, v.Pause)
	}
}

// TestHistoryOfReceivers: it has to run for a while.
func TestHistoryOfReceivers(t *testing.T) {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	stopped, _ := statusOf(t, "10.11.1-MariaDB|receiver=No|Last_IO_Errno=2013")
	running, _ := statusOf(t, "10.11.1-MariaDB")
	h := History{}.After(Judge(stopped, History{}), stopped, true, at)
	v := Judge(stopped, h)
	if h.due(v, at.Add(v.Pause-1)) || !h.due(v, at.Add(v.Pause)) || v.Pause != time.Second {
		t.Errorf("the next start is due after %v", v.Pause)
	}
	for after, starts := range map[time.Duration]int{settled - 1: 1, settled: 0} {
		ran := h.After(Judge(running, h), running, false, at)
		ran = ran.After(Judge(running, ran), running, false, at.Add(after))
		if ran.Starts != starts {
			t.Errorf("after %v of running: %d starts count", after, ran.Starts)
		}
	}
}

// TestPauses: they double up to the most.
func TestPauses(t *testing.T) {
	f := Failure{First: time.Second, Most: 5 * time.Second}
	for starts, want := range []time.Duration{0, time.Second, 2 * time.Second, 4 * time.Second, 5 * time.Second, 5 * time.Second} {
		if got := f.pause(starts); got != want {
			t.Errorf("after %d starts: %v, want %v", starts, got, want)
		}
	}
	if got := f.pause(1 << 30); got != f.Most {
		t.Errorf("after very many: %v", got)
	}
}

// TestExcess: a slave that is newer than what is known of its source is not
// errant as long as the source gets there; one transaction that never comes is.
func TestExcess(t *testing.T) {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		version      string
		slave, known func(second int) string
		errant       bool
	}{
		{"9.7.4", func(s int) string { return fmt.Sprintf("1-%d", 10*s+5) }, func(s int) string { return fmt.Sprintf("1-%d", 10*s) }, false},
		{"9.7.4", func(s int) string { return fmt.Sprintf("1-%d:9999", 10*s+5) }, func(s int) string { return fmt.Sprintf("1-%d", 10*s) }, true},
		{"9.7.4", func(int) string { return "1-5" }, func(int) string { return "1-4" }, true},
		{"10.11.1-MariaDB", func(s int) string { return fmt.Sprintf("0-1-%d", 10*s+5) }, func(s int) string { return fmt.Sprintf("0-1-%d", 10*s) }, false},
		{"10.11.1-MariaDB", func(int) string { return "0-2-8" }, func(int) string { return "0-1-7" }, true},
	} {
		var e excess
		for second := 1; second <= 8; second++ {
			s, _ := statusOf(t, test.version+"|executed="+test.slave(second))
			has := setOf(t, s.Dialect, test.known(second))
			now := at.Add(time.Duration(second) * time.Second)
			e = e.after(errant(&s, has), has, now)
			if second < 5 && e.lasts(now) {
				t.Errorf("%s: errant after %d s", s.Executed, second)
			}
		}
		if e.lasts(at.Add(8*time.Second)) != test.errant {
			t.Errorf("%s: excess %+v, want errant %t", test.slave(8), e, test.errant)
		}
	}
}
