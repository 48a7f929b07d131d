package control

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/dialect"
)

// forever is the longest semi-synchronous timeout, in milliseconds: some hundred
// million years. Both families were seen to wait with it.
const forever = "18446744073709551615"

// longest are the longest timeouts that servers were seen or said to take; a
// server that takes a shorter one than asked cuts it by itself.
var longest = []string{forever, "9223372036854775807", "4294967295"}

// remedy is how a thing is set right.
type remedy uint8

const (
	remedyNone      remedy = iota // told only, in words
	remedySet                     // a global variable; for good where SQL can
	remedySetPaused               // likewise, but MySQL refuses it while a slave applies
	remedyInstall                 // a plugin
	remedyAtStart                 // for the next start, where SQL can
	remedyGrant                   // an account, on a node that takes writes
	remedyByHand                  // not while the server runs, or not lightly: told only
)

// forgotten says whether what was set so may be gone after a restart.
func (r remedy) forgotten() bool { return r == remedySet || r == remedySetPaused || r == remedyByHand }

// requirement is one thing that every node needs to be master or slave.
type requirement struct {
	// term is the variable that is read, or the plugin; a server whose dialect
	// has no word for it does not need it.
	term dialect.Term
	// name for people, where it is not the term's word.
	name string
	// right are the values that do, in upper case; the first one is set.
	right    []string
	remedy   remedy
	severity cluster.Severity
	breaks   string // what breaks without it
	sql      string // for remedyByHand: what to run, "" if it takes a restart
}

const must, advice = cluster.SeverityMust, cluster.SeverityAdvice

// requirements is the table. Plugins stand before their variables.
var requirements = []requirement{
	{dialect.LogBin, "", []string{"ON"}, remedyByHand, must, "without a binary log there is nothing to replicate", ""},
	{dialect.GTIDConsistency, "", []string{"ON"}, remedyByHand, must, "some statements cannot be logged under one GTID", "SET PERSIST enforce_gtid_consistency = ON"},
	{dialect.GTIDMode, "", []string{"ON"}, remedyByHand, must, "transactions have no name by which the stored log, slaves and sessions know them", "SET PERSIST gtid_mode = OFF_PERMISSIVE; SET PERSIST gtid_mode = ON_PERMISSIVE; SET PERSIST gtid_mode = ON"},
	{dialect.GTIDStrict, "", []string{"ON"}, remedyByHand, advice, "two nodes may give one number to different transactions and nobody notices", "SET GLOBAL gtid_strict_mode = ON"},
	{dialect.LogSlaveUpdates, "", []string{"ON"}, remedyByHand, must, "a slave that is promoted has no log of what came before", ""},
	{binlogFilter, "binary log filters", []string{unfiltered}, remedyNone, must, "what it leaves out of its log reaches no slave and no stored log, and a client that wrote it is told that all is well", ""},
	{slaveFilter, "replication filters", []string{unfiltered}, remedyNone, must, "what a slave leaves out is missing there, and is read there all the same", ""},
	{dialect.BinlogFormat, "", []string{"ROW"}, remedySetPaused, must, "statements may come out differently on a slave, and how a write in flight ended cannot be told", ""},
	{dialect.BinlogRowImage, "", []string{"FULL"}, remedySet, advice, "a slave finds rows without a primary key by part of their columns", ""},
	{dialect.BinlogChecksum, "", []string{"CRC32"}, remedySet, must, "what is damaged before it is stored is not noticed: Bellwether can only add checksums on arrival", ""},
	{dialect.BinlogAnnotate, "", []string{"ON"}, remedySet, advice, "how a write in flight ended cannot be told", ""},
	{dialect.SyncBinlog, "", []string{"1"}, remedySet, must, "a crash of the machine loses the end of the binary log, and its GTIDs are then given to other transactions", ""},
	{dialect.FlushLog, "", []string{"1"}, remedySet, must, "a crash of the machine loses commits that slaves have", ""},
	{dialect.RelayLogRecovery, "", []string{"ON"}, remedyAtStart, advice, "after a crash a slave may stop at a torn relay log", ""},

	{dialect.SourcePlugin, "", []string{"ACTIVE"}, remedyInstall, must, "commits cannot wait until they are stored", ""},
	{dialect.ReplicaPlugin, "", []string{"ACTIVE"}, remedyInstall, advice, "the node cannot acknowledge commits where slaves replicate directly", ""},
	{dialect.SemiSyncWaitPoint, "", []string{"AFTER_SYNC"}, remedySet, must, "others read a commit before it is stored, and a failover takes it back", ""},
	{dialect.SemiSyncTimeout, "", longest, remedySet, must, "after this many milliseconds commits go on without being stored, silently", ""},
	{dialect.SemiSyncWaitAlone, "", []string{"ON"}, remedySet, must, "while Bellwether is not attached commits go on without being stored", ""},
	{dialect.SemiSyncWaitCount, "", []string{"1"}, remedySet, must, "commits wait for more than Bellwether's acknowledgement", ""},

	{readOnlyAtStart, "read-only at start", []string{"ON"}, remedyAtStart, advice, "a master that returns after a failover takes writes", ""},
	{replicationAccount, AccountRequirement, []string{"THERE"}, remedyGrant, must, "Bellwether cannot follow the binary log", ""},
}

// AccountRequirement is what findings about the replication account are called.
const AccountRequirement = "replication account"

// Some things are no words of the dialects: the terms by which facts.values
// holds what was read of them.
const (
	readOnlyAtStart    = dialect.Term(250)
	replicationAccount = dialect.Term(251)
	binlogFilter       = dialect.Term(252)
	slaveFilter        = dialect.Term(253)
)

// within returns the table with that timeout for acknowledgements, 0 for none.
func within(table []requirement, timeout time.Duration) []requirement {
	if timeout <= 0 {
		return table
	}
	table = slices.Clone(table)
	for i := range table {
		if table[i].term == dialect.SemiSyncTimeout {
			table[i].right = []string{strconv.FormatInt(timeout.Milliseconds(), 10)}
			table[i].breaks = "after this many milliseconds commits go on without being stored; policy degrade wants another time"
		}
	}
	return table
}

// missing is a requirement that a node does not meet. It is a value.
type missing struct {
	requirement
	have string
	// fleeting: the value is right and may be another after a restart.
	fleeting bool
}

// missingOf compares facts with the table. It is pure.
func missingOf(f *facts, wanted []requirement) (out []missing) {
	for _, r := range wanted {
		have, ok := f.values[r.term]
		if !ok {
			continue
		}
		right := slices.Contains(r.right, strings.ToUpper(have))
		if fleeting := right && f.fleeting[r.term] && r.remedy.forgotten(); fleeting || !right {
			out = append(out, missing{r, have, fleeting})
		}
	}
	return out
}

// called is the name of the thing on this server.
func (m *missing) called(d *dialect.Dialect) string {
	if m.name != "" {
		return m.name
	}
	return d.Say(m.term)
}

// variable is what is set to remedy it.
func (m *missing) variable(d *dialect.Dialect) string {
	if m.term == readOnlyAtStart {
		return orElse(d.Say(dialect.SuperReadOnly), d.Say(dialect.ReadOnly))
	}
	return d.Say(m.term)
}

// sqlFor is what sets it right on this server; "" if SQL cannot.
func (m *missing) sqlFor(f *facts) string {
	d := f.dialect
	switch m.remedy {
	case remedySet, remedySetPaused:
		if m.fleeting && !d.Has(dialect.SetAtStart) {
			return "" // it is set; only the option file is left
		}
		return fmt.Sprintf("%s %s = %s", d.Say(dialect.SetLasting), m.variable(d), m.right[0])
	case remedyInstall:
		library := dialect.SourceLibrary
		if m.term == dialect.ReplicaPlugin {
			library = dialect.ReplicaLibrary
		}
		return fmt.Sprintf("INSTALL PLUGIN %s SONAME '%s'", d.Say(m.term), d.Say(library))
	case remedyAtStart:
		if d.Has(dialect.SetAtStart) {
			return fmt.Sprintf("%s %s = %s", d.Say(dialect.SetAtStart), m.variable(d), m.right[0])
		}
	case remedyGrant:
		return grantSQL(f.account.User, "...", d)
	case remedyByHand:
		if !d.Has(dialect.SetAtStart) {
			return strings.ReplaceAll(m.sql, "SET PERSIST", "SET GLOBAL")
		}
		return m.sql
	}
	return ""
}

// option is the line of the option file that makes the remedy last, "" where
// SQL is enough.
func (m *missing) option(d *dialect.Dialect) string {
	switch {
	case m.remedy == remedyInstall, m.remedy == remedyGrant, m.remedy == remedyNone:
		return ""
	case m.remedy == remedyByHand && m.sql == "", !d.Has(dialect.SetAtStart):
		return fmt.Sprintf("%s = %s", m.variable(d), m.right[0])
	}
	return ""
}

// grantSQL makes the account with which Bellwether follows the binary log.
func grantSQL(user, password string, d *dialect.Dialect) string {
	plugin := "WITH caching_sha2_password BY " + quote(password)
	if d.MariaDB() || !d.Has(dialect.SetAtStart) {
		plugin = "BY " + quote(password)
	}
	return fmt.Sprintf("CREATE USER IF NOT EXISTS %[1]s@'%%' IDENTIFIED %[2]s; GRANT REPLICATION SLAVE ON *.* TO %[1]s@'%%'", quote(user), plugin)
}

// finding tells what is missing to people.
func (m *missing) finding(node string, f *facts, tried error) Finding {
	out := Finding{
		Node: node, What: m.called(f.dialect), Have: m.have, Want: m.right[0], Why: m.breaks,
		SQL: m.sqlFor(f), Option: m.option(f.dialect), Severity: m.severity, Settable: m.settable(f), Tried: tried,
	}
	if m.fleeting {
		out.Want, out.Severity = m.right[0]+" after a restart, too", advice
	}
	return out
}
