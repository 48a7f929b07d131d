package dialect

// Term is one thing that servers say in different words.
type Term uint8

// The statements, whole or up to what the caller adds.
const (
	Unknown         Term = iota
	StartSlave           // starts both threads
	StopSlave            // stops both threads
	StartReceiver        // starts the thread that receives
	StopReceiver         // stops the thread that receives
	StartApplier         // starts the thread that applies
	StopApplier          // stops the thread that applies
	ResetSlaveAll        // forgets the source and what was received
	ShowSlaveStatus      // a row for each source
	ShowSlaves           // a row for each registered slave
	ShowLogStatus        // the end of the binary log
	ResetLogs            // deletes the binary log and the GTID history
	ChangeSource         // behind it comes a list of options
	SetLasting           // sets a global variable, for good where SQL can: behind it comes name = value
	SetAtStart           // sets a variable for the next start only; where SQL can
	WorkerErrors         // the errors of single appliers: number, text, gtid

	// The options of ChangeSource: a name, behind which comes = value.
	OptionHost
	OptionPort
	OptionUser
	OptionPassword
	OptionConnectRetry
	OptionRetryCount
	OptionHeartbeat
	OptionSSL
	OptionSSLCA
	OptionSSLVerify
	OptionPublicKey // asks the source for the key that a password is sent with
	AutoPosition    // a whole option: positions by GTID

	// The columns of ShowSlaveStatus.
	ColumnChannel
	ColumnHost
	ColumnPort
	ColumnUser
	ColumnSourceID
	ColumnSourceUUID
	ColumnReceiver      // Yes, No, Connecting, Preparing
	ColumnApplier       // Yes, No
	ColumnReceiverState // in words
	ColumnApplierState  // in words
	ColumnLag
	ColumnConnectRetry
	ColumnRetryCount
	ColumnHeartbeat // MySQL keeps it elsewhere, see ShowHeartbeat
	ColumnPosition  // how the position is kept: 1, or Slave_Pos
	ColumnRetrieved
	ColumnExecuted
	ColumnSSL
	ColumnSSLCA
	ColumnSSLVerify
	ColumnLogFile // of the source, where the applier is
	ColumnLogPos
	ShowHeartbeat // the statement for the heartbeat period, column "heartbeat"

	// Variables that every node should have right; see package control.
	GTIDMode
	GTIDConsistency
	GTIDStrict
	LogBin
	LogSlaveUpdates
	BinlogFormat
	BinlogRowImage
	BinlogChecksum
	BinlogAnnotate
	SyncBinlog
	FlushLog
	ReadOnly
	SuperReadOnly
	RelayLogRecovery

	// Variables of a slave's threads.
	Workers
	ParallelMode
	ParallelModeWanted // the value of ParallelMode that keeps the order of commits
	PreserveOrder
	NetTimeout

	// Semi-synchronous replication. MariaDB has it built in: no plugins.
	SourcePlugin
	SourceLibrary
	ReplicaPlugin
	ReplicaLibrary
	SemiSyncSource
	SemiSyncReplica
	SemiSyncTimeout // milliseconds
	SemiSyncWaitPoint
	SemiSyncWaitAlone // also with no slave attached
	SemiSyncWaitCount
	SemiSyncActive  // a status variable: OFF once it has fallen back
	SemiSyncClients // a status variable
	SemiSyncWaiting // a status variable: sessions that wait for an ACK
	SemiSyncUnacked // a status variable: commits that went on without an ACK

	// Stored events.
	DisableEvent // on a node that is a slave: DISABLE ON SLAVE

	termCount = iota
)

const firstSemiSync, lastSemiSync = SourcePlugin, SemiSyncUnacked

// String returns the term in words of its own.
func (t Term) String() string {
	if int(t) >= len(table) || t == Unknown {
		return "unknown"
	}
	return table[t].name
}
