package control

import (
	"slices"
	"strings"
	"time"
)

// Side is one of a slave's two threads, or both.
type Side uint8

// The sides.
const (
	SideUnknown Side = iota
	SideReceiver
	SideApplier
	SideBoth
)

// String returns the side in lower case.
func (s Side) String() string {
	return [...]string{"unknown", "receiver", "applier", "receiver or applier"}[min(s, 3)]
}

// Failure is a class of errors with which a slave's thread stops, or cannot
// connect, and what is done about it: a row of the table in docs/replication.md.
// It is a value; do not change its slices.
type Failure struct {
	Name string
	Side Side
	// Numbers are the servers' error numbers; empty: any that no earlier row has.
	Numbers []int
	// Texts narrow a number that means several things: one of them, in lower
	// case, is in the server's text. Servers give no more.
	Texts []string
	// Passes says whether the threads are started again. A failure that does not
	// pass by itself, and has a pause all the same, has the source set anew: it
	// may be that of ours which was wrong.
	Passes bool
	// First and Most are the pauses before the second and before later starts;
	// the pause doubles. The first start comes at once.
	First, Most time.Duration
	// Tries is how often a slave is started without getting any further before
	// it counts as broken; 0: for ever.
	Tries int
	// Hint is what an operator does about it.
	Hint string
}

// failures is the table; the first row that matches counts. Numbers above
// 13000 are what MySQL 8.0 and later write instead of the older ones.
var failures = []Failure{
	{"stopped", SideBoth, []int{0}, nil, true, time.Second, 30 * time.Second, 0,
		"Nothing: it is started. To keep a slave stopped, set maintenance for its node."},
	{"source away", SideReceiver, []int{1040, 1053, 1158, 1159, 1160, 1161, 1189, 1597, 1927, 2002, 2003, 2005, 2006, 2013, 4031, 13120}, nil, true, time.Second, 30 * time.Second, 0,
		"Nothing if it was short. Else look whether the source runs and whether the slave reaches its address."},
	{"login refused", SideReceiver, []int{1045, 1129, 1130, 1142, 1227, 1251, 1524, 1698, 1862, 2049, 2059, 2061, 3118, 3159}, nil, false, time.Minute, time.Minute, 0,
		"Compare the replication account with what the source knows: user, password, host, plugin, REPLICATION SLAVE. Bellwether sets it anew each minute."},
	{"TLS", SideReceiver, []int{2026}, nil, false, 0, 0, 0,
		"Compare the TLS modes of both ends, the certificate's names and the CA file on the slave."},
	{"ahead", SideReceiver, []int{1236, 13114}, []string{"more gtids than", "not in the master's binlog", "errant"}, true, 5 * time.Second, time.Minute, 3,
		"The slave has transactions that its source lacks: keep them aside, then copy the slave anew (/sync)."},
	{"purged", SideReceiver, []int{1236, 13114}, []string{"purged", "could not find gtid state", "could not find first log file", "no longer stores"}, false, 0, 0, 0,
		"The source no longer has what the slave needs: copy the slave anew (/sync)."},
	{"same server", SideReceiver, []int{1236, 13114}, []string{"same server_uuid"}, true, time.Second, 30 * time.Second, 3,
		"Two slaves have one server_id or server_uuid: give each its own (server_id in the option file; remove auto.cnf), and restart."},
	{"source's log", SideReceiver, []int{1236, 13114}, nil, true, time.Second, 30 * time.Second, 10,
		"Read the source's log: it could not read its own. If it stays so, copy the slave anew (/sync)."},
	{"damaged on the way", SideReceiver, []int{1743, 13115}, nil, true, time.Second, 30 * time.Second, 10,
		"An event's checksum was wrong on arrival. If it stays so, look at the network, and run `bellwether log verify`."},
	{"heartbeat", SideReceiver, []int{1623, 13118}, nil, true, time.Second, 30 * time.Second, 10,
		"The source's signs of life contradict what the slave has. If it stays so, it is a defect: report it."},
	{"incident", SideBoth, []int{1590, 13119}, nil, false, 0, 0, 0,
		"The master says that its own log lacks something: copy every slave anew (/sync)."},
	{"without GTIDs", SideBoth, []int{13148, 13149, 13150}, nil, false, 0, 0, 0,
		"The two servers differ in gtid_mode: set it ON on both. `bellwether check` has the SQL."},
	{"same server", SideReceiver, []int{1593, 13117}, []string{"equal mysql server", "equal mariadb server", "equal server"}, false, 0, 0, 0,
		"Two servers have one server_id or server_uuid: give each its own (server_id in the option file; remove auto.cnf), and restart."},
	{"source refused", SideReceiver, []int{1593, 13116, 13117}, nil, true, time.Second, time.Minute, 5,
		"Read the text: the two servers' settings do not fit, such as gtid_mode or checksums. `bellwether check` names them."},
	{"resources", SideBoth, []int{3, 12, 28, 1014, 1021, 1026, 1030, 1037, 1038, 1041, 1114, 1135, 1206, 1595, 13122, 13132, 13133}, nil, true, 5 * time.Second, time.Minute, 0,
		"The slave's disk or memory is full, or failing: make room. It goes on by itself then."},
	{"locked", SideApplier, []int{1205, 1213, 1614, 3058, 3572}, nil, true, time.Second, 30 * time.Second, 0,
		"Somebody holds locks on the slave that replication needs: find the session and end it. It goes on by itself then."},
	{"interrupted", SideApplier, []int{1053, 1180, 1317, 1756, 1927, 1964, 3024}, nil, true, time.Second, 30 * time.Second, 0,
		"Nothing: it is started again."},
	{"data differ", SideApplier, []int{1007, 1008, 1032, 1048, 1049, 1050, 1051, 1054, 1060, 1061, 1062, 1064, 1068, 1072, 1091, 1133, 1136, 1146, 1215, 1216, 1217, 1264, 1265, 1292, 1304, 1305, 1359, 1360, 1364, 1366, 1396, 1406, 1451, 1452, 1517, 1535, 1537, 1539, 1677, 1690, 3723, 3819, 4025, 13146}, nil, false, 0, 0, 0,
		"The slave's data are not the source's: somebody wrote there, or a transaction was lost. Do not skip it: compare (`bellwether verify`) and copy the slave anew (/sync)."},
	{"out of order", SideApplier, []int{1950}, nil, false, 0, 0, 0,
		"The slave's binary log has a GTID as high from elsewhere: it took writes of its own, or was killed inside a definition and logged its recovery. docs/replication.md tells them apart; else copy it anew (/sync)."},
	{"rights", SideApplier, []int{1044, 1142, 1143, 1227, 1290, 1370, 1410, 1419, 1449}, nil, false, 0, 0, 0,
		"The applier may not: look at PRIVILEGE_CHECKS_USER, at the definer's account, and at the grants on the slave."},
	{"too large", SideApplier, []int{1118, 1153, 1197, 13125}, nil, false, 0, 0, 0,
		"Raise max_binlog_cache_size, replica_max_allowed_packet (slave_max_allowed_packet) or what the text names, to the source's value; then start the slave."},
	{"relay log", SideApplier, []int{1201, 1594, 1871, 1872, 13121, 13123, 13124}, nil, true, time.Second, 10 * time.Second, 3,
		"What the slave received is damaged. STOP REPLICA; RESET REPLICA; START REPLICA (without ALL; SLAVE on MariaDB) fetches it again from its GTID position."},
	{"unknown", SideReceiver, nil, nil, true, time.Second, time.Minute, 10,
		"Read the text, and the slave's error log."},
	{"unknown", SideApplier, nil, nil, true, time.Second, 10 * time.Second, 3,
		"Read the text, and the slave's error log. Do not skip the transaction: compare (`bellwether verify`) first."},
}

// Failures returns the table, in its order.
func Failures() []Failure { return slices.Clone(failures) }

// again says whether the source is set anew for it.
func (f *Failure) again() bool { return !f.Passes && f.First > 0 }

// failureOf finds the row for an error of one side.
func failureOf(side Side, p Problem) *Failure {
	for i := range failures {
		if failures[i].matches(side, p) {
			return &failures[i]
		}
	}
	return &failures[len(failures)-1] // not reached: the last rows match all
}

func (f *Failure) matches(side Side, p Problem) bool {
	if f.Side != side && f.Side != SideBoth || f.Numbers != nil && !slices.Contains(f.Numbers, p.Number) {
		return false
	}
	text := strings.ToLower(p.Text)
	return f.Texts == nil || slices.ContainsFunc(f.Texts, func(part string) bool { return strings.Contains(text, part) })
}

// pause is the time between a start, the last of so many, and the next.
func (f *Failure) pause(starts int) time.Duration {
	pause := f.First
	for i := 1; i < starts && pause < f.Most; i++ {
		pause *= 2
	}
	if starts == 0 {
		return 0
	}
	return min(pause, f.Most)
}
