package failover

// Kind names a problem. The zero value is unknown.
type Kind uint8

// The problems. Among those of one priority the first is the graver one. What
// each means stands in the table below, and nowhere else.
const (
	KindUnknown Kind = iota

	KindLockHeld
	KindMasterUnlisted
	KindAnotherServer
	KindIsolated
	KindMasterDead
	KindMasterFrozen
	KindMasterBehind
	KindMasterFull
	KindStreamStuck
	KindMasterCutOff
	KindMasterSuspect
	KindStoreFailing
	KindMasterReadOnly
	KindMasterClosed
	KindWritesLocked
	KindUnfinished
	KindSecondWriter

	KindOperatorRefused
	KindProbeBroken
	KindStreamBroken
	KindStoreIncomplete
	KindHeartbeatBroken
	KindMasterSettings
	KindFlapping
	KindSlavesGone
	KindNoCandidate
	KindFencedBack
	KindSlaveErrant
	KindSlaveDiverged

	KindSlaveTouched
	KindSlaveBroken
	KindSlaveStopped
	KindSlaveUnfed
	KindSlaveLate
	KindSlaveSettings
	KindDiskFull
	KindNodeDown
	KindTwins
	KindMixedFlavours
	KindMasterFollows

	KindFencedAway
	KindNodeUnseen
	KindNoMaster
	KindNoSlaves

	kinds // how many there are
)

// table is what each problem means. The master is dead only where its probe and
// its stream agree; what only one of them says is a problem of another kind.
var table = [kinds]Definition{
	KindUnknown: {"unknown", "nobody knows", PriorityUnknown, RecoveryNone},

	KindLockHeld:       {"lock_held", "this Bellwether may not act: the named lock on the nodes is not its own", PriorityCritical, RecoveryNone},
	KindMasterUnlisted: {"master_unlisted", "the recorded master is not in the configuration", PriorityCritical, RecoveryNone},
	KindAnotherServer:  {"another_server", "another server than the recorded one answers at the node's address", PriorityCritical, RecoveryNone},
	KindIsolated:       {"isolated", "no node can be reached: the fault is likelier on Bellwether's side than on all of theirs", PriorityCritical, RecoveryHold},
	KindMasterDead:     {"master_dead", "the master is gone: its probe and its stream agree", PriorityCritical, RecoveryFailover},
	KindMasterFrozen:   {"master_frozen", "the master does nothing any more: stopped, cut off, or its disk hangs", PriorityCritical, RecoveryFailover},
	KindMasterBehind:   {"master_behind", "the master lost writes that were acknowledged: it came back without what the stored log has", PriorityCritical, RecoveryFailover},
	KindMasterFull:     {"master_full", "the master takes no writes, its disk is full", PriorityCritical, RecoveryFailover},
	KindStreamStuck:    {"stream_stuck", "the master lives, but commits wait for a stream that cannot be had", PriorityCritical, RecoveryFailover},
	KindMasterCutOff:   {"master_cut_off", "the master cannot be reached from here, but its slaves still receive from it", PriorityCritical, RecoveryHold},
	KindMasterSuspect:  {"master_suspect", "the master may be gone, and there is not enough evidence yet", PriorityCritical, RecoveryHold},
	KindStoreFailing:   {"store_failing", "the stored log cannot be written, so commits wait, and silence says nothing about the master", PriorityCritical, RecoveryNone},
	KindMasterReadOnly: {"master_read_only", "the master was made read-only by hand", PriorityCritical, RecoveryNone},
	KindMasterClosed:   {"master_closed", "the recorded master is read-only and has to be opened", PriorityCritical, RecoveryReopen},
	KindWritesLocked:   {"writes_locked", "somebody holds a lock on the master that all writes wait for", PriorityCritical, RecoveryNone},
	KindUnfinished:     {"unfinished", "a change of master is not complete", PriorityCritical, RecoveryFinish},
	KindSecondWriter:   {"second_writer", "a node is writable and is not the master", PriorityCritical, RecoveryRejoin},

	KindOperatorRefused: {"operator_refused", "the master answers, but not to the operator account: Bellwether is blind there", PriorityUrgent, RecoveryNone},
	KindProbeBroken:     {"probe_broken", "the master is slow or cannot be probed, but it works: its stream runs", PriorityUrgent, RecoveryNone},
	KindStreamBroken:    {"stream_broken", "the stream from the master is broken, or nothing gets through it", PriorityUrgent, RecoveryNone},
	KindStoreIncomplete: {"store_incomplete", "writes may have been acknowledged that the stored log lacks", PriorityUrgent, RecoveryNone},
	KindHeartbeatBroken: {"heartbeat_broken", "the probe cannot write on the master, so a stalled disk would not be noticed", PriorityUrgent, RecoveryNone},
	KindMasterSettings:  {"master_settings", "the master's settings make slaves differ from it, or a failover impossible", PriorityUrgent, RecoveryNone},
	KindFlapping:        {"flapping", "the master is in trouble again soon after the roles were changed: no other change is made without an order", PriorityUrgent, RecoveryNone},
	KindSlavesGone:      {"slaves_gone", "no slave is up: nobody could follow the master", PriorityUrgent, RecoveryNone},
	KindNoCandidate:     {"no_candidate", "no slave could become the master now", PriorityUrgent, RecoveryNone},
	KindFencedBack:      {"fenced_back", "a former master answers again", PriorityUrgent, RecoveryRejoin},
	KindSlaveErrant:     {"slave_errant", "the slave has transactions of its own", PriorityUrgent, RecoveryNone},
	KindSlaveDiverged:   {"slave_diverged", "the slave's data differ from the master's", PriorityUrgent, RecoveryNone},

	KindSlaveTouched:  {"slave_touched", "the slave was changed by hand: it serves no reads and is never promoted until it is verified or copied anew", PriorityWarning, RecoveryNone},
	KindSlaveBroken:   {"slave_broken", "the slave's replication stopped with an error", PriorityWarning, RecoveryNone},
	KindSlaveStopped:  {"slave_stopped", "the slave's replication is stopped, without an error", PriorityWarning, RecoveryNone},
	KindSlaveUnfed:    {"slave_unfed", "the slave has no connection to its source", PriorityWarning, RecoveryNone},
	KindSlaveLate:     {"slave_late", "the slave is late", PriorityWarning, RecoveryNone},
	KindSlaveSettings: {"slave_settings", "the slave's settings keep it from becoming the master", PriorityWarning, RecoveryNone},
	KindDiskFull:      {"disk_full", "the node's disk is full", PriorityWarning, RecoveryNone},
	KindNodeDown:      {"node_down", "the node is down", PriorityWarning, RecoveryNone},
	KindTwins:         {"twins", "two nodes are one server", PriorityWarning, RecoveryNone},
	KindMixedFlavours: {"mixed_flavours", "the node is of another family of servers than the master", PriorityWarning, RecoveryNone},
	KindMasterFollows: {"master_follows", "the master replicates from some other server", PriorityWarning, RecoveryNone},

	KindFencedAway: {"fenced_away", "a former master is still away; it is fenced as soon as it answers", PriorityNote, RecoveryNone},
	KindNodeUnseen: {"node_unseen", "the node was not looked at yet", PriorityNote, RecoveryNone},
	KindNoMaster:   {"no_master", "no master is recorded yet", PriorityNote, RecoveryNone},
	KindNoSlaves:   {"no_slaves", "there is one node only: a failover is impossible", PriorityNote, RecoveryNone},
}

// Definition returns the row of the table.
func (k Kind) Definition() Definition { return table[min(k, kinds)%kinds] }

// String returns the problem's name in lower case, with underscores.
func (k Kind) String() string { return k.Definition().Name }

// Kinds returns every kind of problem there is, in the table's order.
func Kinds() []Kind {
	out := make([]Kind, 0, kinds-1)
	for k := KindUnknown + 1; k < kinds; k++ {
		out = append(out, k)
	}
	return out
}
