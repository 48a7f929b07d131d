package router

// Reason says why a statement goes where it goes. Explain, logs and metrics
// print it.
type Reason uint8

// The reasons. The first block follows from the statement alone, the second
// from the session, the third from the cluster.
const (
	ReasonNone Reason = iota
	ReasonRead        // a certain read: a slave may serve it

	ReasonWrite       // it changes data
	ReasonDDL         // it changes a schema or an account
	ReasonLockingRead // FOR UPDATE, FOR SHARE, LOCK IN SHARE MODE
	ReasonSelectInto  // INTO OUTFILE, DUMPFILE, @variable
	ReasonStoredFunction
	ReasonSequence // NEXTVAL and its kin change data
	ReasonUserVariable
	ReasonServerVariable // @@variable
	ReasonServerLocal    // the answer is the node's own, not the data's
	ReasonUserLock       // GET_LOCK and its kin
	ReasonInsertID       // LAST_INSERT_ID
	ReasonFoundRows      // SQL_CALC_FOUND_ROWS
	ReasonDiagnostics    // it answers for the statement before
	ReasonProcedure      // CALL, DO, EXECUTE, anonymous blocks
	ReasonTemporaryTable
	ReasonTableLock
	ReasonHandler
	ReasonXA
	ReasonTextPrepare
	ReasonSessionState // SET of session scope, USE
	ReasonNextTransaction
	ReasonKill
	ReasonConnectionID
	ReasonBellwether        // Bellwether's own words, which no node knows
	ReasonAdmin             // it acts on the server
	ReasonExecutableComment // it may run or not, by the server's version
	ReasonUnsafeCharset     // bytes that this character set may read as a backslash
	ReasonUncertain         // not recognised

	ReasonPinned
	ReasonTransaction
	ReasonReadOnlyTransaction
	ReasonAutocommitOff
	ReasonSerializable
	ReasonOwnWrite        // an own write whose position is not known
	ReasonGlobal          // it must see every write, and only the master tells which there are
	ReasonSystemDatabase  // the current database is the node's own
	ReasonHint            // a comment asked for it
	ReasonRule            // the rules ask for it
	ReasonEndsTransaction // it ends a READ ONLY transaction and begins anew

	ReasonCatalogueUnknown // no node's routines and views have been read yet
	ReasonNoSlave
	ReasonNoMaster
	ReasonWritesHeld
	ReasonWritesRefused

	// NumReasons is the number of reasons, for tables of counters.
	NumReasons
)

var reasonWords = [NumReasons]string{
	"none", "read",
	"write", "ddl", "locking-read", "select-into", "stored-function", "sequence", "user-variable",
	"server-variable", "server-local", "user-lock", "insert-id", "found-rows", "diagnostics", "procedure",
	"temporary-table", "table-lock", "handler", "xa", "text-prepare", "session-state", "next-transaction",
	"kill", "connection-id", "bellwether", "admin", "executable-comment", "unsafe-charset", "uncertain",
	"pinned", "transaction", "read-only-transaction", "autocommit-off", "serializable", "own-write", "global",
	"system-database", "hint", "rule", "ends-transaction",
	"catalogue-unknown", "no-slave", "no-master", "writes-held", "writes-refused",
}

// String returns the reason in kebab case.
func (r Reason) String() string {
	if r >= NumReasons {
		return "invalid"
	}
	return reasonWords[r]
}
