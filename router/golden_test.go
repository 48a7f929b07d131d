package router

import (
	"cmp"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/internal/golden"
)

// flavours are those that every golden statement is asked of.
var flavours = []cluster.Flavour{cluster.FlavourMySQL, cluster.FlavourMariaDB}

// TestGolden reads testdata: statements, and the answer to each. Where the
// flavours differ, both are written.
//
//	@session             the statements are of one session, one after another
//	@facts word ...      the session (see setFact)
//	@dialect word ...    ansi-quotes, no-backslash-escapes, ignore-space, unsafe-charset
//	@cluster word ...    the topology (see setCluster)
//	@unsafe name ...     what the catalogue holds
//	@rules word ...      ignore-hints, master-only, safe=f,g
func TestGolden(t *testing.T) {
	golden.Run(t, "testdata/*.txt", func(t *testing.T, c golden.Case) [][]string {
		var answers [2][]string
		for i, flavour := range flavours {
			answers[i] = newStory(t, c, flavour).run(c)
		}
		return merge(answers[0], answers[1])
	})
}

// merge writes one line where the flavours agree.
func merge(mysql, mariadb []string) [][]string {
	var steps [][]string
	for i := range mysql {
		if mysql[i] == mariadb[i] {
			steps = append(steps, mysql[i:i+1])
			continue
		}
		steps = append(steps, []string{"mysql: " + mysql[i], "mariadb: " + mariadb[i]})
	}
	return steps
}

// story is one session of a golden case.
type story struct {
	dialect  Dialect
	facts    Facts
	topology *cluster.Topology
	rules    *Rules
	session  bool // each statement finds what the one before has left
}

func newStory(t *testing.T, c golden.Case, flavour cluster.Flavour) *story {
	s := &story{dialect: Dialect{Flavour: flavour}, facts: Facts{Autocommit: true}, topology: plainTopology(), rules: &Rules{}}
	for _, o := range c.Options {
		s.session = s.session || o.Word == "session"
		for word := range strings.FieldsSeq(o.Rest) {
			if !s.option(o.Word, word) {
				t.Fatalf("line %d: unknown option %s %s", c.Line, o.Word, word)
			}
		}
	}
	return s
}

func (s *story) option(kind, word string) bool {
	switch kind {
	case "facts":
		return s.setFact(word)
	case "dialect":
		return s.setDialect(word)
	case "cluster":
		return s.setCluster(word)
	case "rules":
		return s.setRule(word)
	case "unsafe":
		if s.topology.Catalogue.Unsafe == nil {
			s.topology.Catalogue.Unsafe = make(map[string]struct{})
		}
		s.topology.Catalogue.Unsafe[word] = struct{}{}
		return true
	}
	return false
}

func (s *story) setFact(word string) bool {
	switch word {
	case "in-transaction":
		s.facts.InTransaction = true
	case "read-only":
		s.facts.ReadOnlyTransaction = true
	case "autocommit=0":
		s.facts.Autocommit = false
	case "serializable":
		s.facts.Serializable = true
	case "writes-pending":
		s.facts.WritesPending = true
	case "write-unknown":
		s.facts.WritePositionUnknown = true
	case "sees-all":
		s.facts.SeesAll = true
	case "prepared":
		s.facts.Prepared = true
	case "system-database":
		s.facts.SystemDatabase = true
	default:
		pin, ok := strings.CutPrefix(word, "pinned=")
		s.facts.Pinned = ok
		for p := range NumPins {
			if p.String() == pin {
				s.facts.PinReason = p
			}
		}
		return ok && s.facts.PinReason != PinNone
	}
	return true
}

func (s *story) setDialect(word string) bool {
	switch word {
	case "ansi-quotes":
		s.dialect.ANSIQuotes = true
	case "no-backslash-escapes":
		s.dialect.NoBackslashEscapes = true
	case "ignore-space":
		s.dialect.IgnoreSpace = true
	case "unsafe-charset":
		s.dialect.UnsafeCharset = true
	default:
		return false
	}
	return true
}

func (s *story) setRule(word string) bool {
	safe, ok := strings.CutPrefix(word, "safe=")
	switch {
	case word == "ignore-hints":
		s.rules.IgnoreHints = true
	case word == "master-only":
		s.rules.MasterOnly = true
	case ok:
		s.rules.SafeFunctions = make(map[string]struct{})
		for name := range strings.SplitSeq(safe, ",") {
			s.rules.SafeFunctions[name] = struct{}{}
		}
	default:
		return false
	}
	return true
}

func (s *story) setCluster(word string) bool {
	slave := &s.topology.Nodes[1]
	switch word {
	case "names":
		s.topology.Nodes[0].Name, slave.Name = "m1", "s1"
	case "no-slave":
		s.topology.Readable = nil
	case "no-master":
		s.topology.Master = -1
	case "master-down":
		s.topology.Nodes[0].Health, s.topology.Writes = cluster.HealthDown, cluster.WritesHeld
	case "held":
		s.topology.Writes = cluster.WritesHeld
	case "refused":
		s.topology.Writes = cluster.WritesRefused
	case "unpublished":
		s.topology.Writes = cluster.WritesUnknown
	case "late":
		slave.Late, s.topology.Readable = true, nil
	case "down":
		slave.Health, s.topology.Readable = cluster.HealthDown, nil
	case "drained":
		slave.Drain, s.topology.Readable = true, nil
	case "touched":
		slave.Touched, s.topology.Readable = "a change by hand", nil
	case "former":
		slave.Former, s.topology.Readable = true, nil
	case "catalogue-unknown":
		s.topology.Catalogue.Known = false
	default:
		return false
	}
	return true
}

func (s *story) run(c golden.Case) []string {
	classifier, scratch := NewClassifier(8), new(Scratch)
	var answers []string
	for _, step := range c.Steps {
		one := classifier.Classify([]byte(step.Input), s.dialect, scratch)
		d := Decide(one, s.facts, s.topology, s.rules)
		answers = append(answers, s.describe(one, d))
		if s.session {
			s.follow(one, d)
		}
	}
	return answers
}

// describe is one line: class, where it goes, why, and what it asks of the
// session. Flags that go without saying are left out.
func (s *story) describe(one *Statement, d Decision) string {
	where := d.Target.String()
	if d.Action != ActionRoute {
		where = d.Action.String()
	} else if d.Target == TargetNode {
		where = "node " + s.topology.Nodes[d.Node].Name
	}
	line := one.Kind.String() + " -> " + where + ", " + d.Reason.String()
	if f := (one.Flags &^ (OnlyReads | MayUseCatalogue | SessionOnly)).String(); f != "" {
		line += "; " + f
	}
	return line + one.details()
}

func (s *Statement) details() string {
	var b strings.Builder
	if o := s.Own; o != nil {
		b.WriteString("; own " + o.describe())
	}
	if h := s.Hint; h.Consistency != ConsistencyUnset || h.Wrong != "" {
		b.WriteString("; consistency " + cmp.Or(h.Wrong, h.Consistency.String()))
	}
	if len(s.Calls) > 0 {
		b.WriteString("; calls " + strings.Join(s.Calls, ","))
	}
	if len(s.Objects) > 0 {
		b.WriteString("; objects " + strings.Join(s.Objects, ","))
	}
	for _, a := range s.Assignments {
		b.WriteString("; @" + a.Name + "=" + a.Literal)
	}
	if len(s.Variables) > 0 {
		b.WriteString("; variables " + strings.Join(s.Variables, ","))
	}
	return b.String()
}

func (o *Own) describe() string {
	switch {
	case o.Problem != "":
		return "problem: " + o.Problem
	case o.Status && o.Like:
		return "status like"
	case o.Status:
		return "status"
	case o.Default:
		return o.Variable + " by default"
	}
	return o.Variable + "=" + o.Value
}

// follow is what the server's answer would do to the session's facts: a plain
// model of transactions, pins and autocommit.
func (s *story) follow(one *Statement, d Decision) {
	f := &s.facts
	switch {
	case d.Action != ActionRoute:
	case one.Kind == KindBegin:
		*f = Facts{Autocommit: f.Autocommit, Serializable: f.Serializable, InTransaction: true, Pinned: true,
			PinReason: PinTransaction, ReadOnlyTransaction: one.Flags.Has(ReadOnlyTransaction)}
	case one.Kind == KindCommit || one.Kind == KindRollback:
		*f = Facts{Autocommit: f.Autocommit, Serializable: f.Serializable}
	case one.Flags.Has(MakesTemporaryTable):
		f.Pinned, f.PinReason = true, PinTemporaryTable
	case one.Flags.Has(TakesUserLock):
		f.Pinned, f.PinReason = true, PinUserLock
	case one.Flags.Has(ReleasesUserLock) && f.PinReason == PinUserLock:
		f.Pinned, f.PinReason = false, PinNone
	case one.Flags.Has(DropsTemporaryTable) && f.PinReason == PinTemporaryTable:
		f.Pinned, f.PinReason = false, PinNone
	case one.Kind == KindWrite:
		f.WritePositionUnknown = !f.InTransaction
	}
}

// TestPlainReadsGoToSlaves fails where a plain read goes elsewhere, whatever
// the golden files have been updated to.
func TestPlainReadsGoToSlaves(t *testing.T) {
	cases, err := golden.Load("testdata/plain_reads.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		for _, step := range c.Steps {
			for _, want := range step.Want {
				if want != "read -> slave, read" && want != "show -> slave, read" {
					t.Errorf("line %d: %s: %s", c.Line, step.Input, want)
				}
			}
		}
	}
}

// TestGoldensAreMany keeps the number of golden statements honest.
func TestGoldensAreMany(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, name := range files {
		cases, err := golden.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range cases {
			n += len(c.Steps)
		}
	}
	if n < 400 {
		t.Errorf("%d golden statements, want 400", n)
	}
}
