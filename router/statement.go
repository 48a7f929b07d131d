// Package router says what a statement is and where it must go. It is pure:
// it does no I/O, and what it cannot settle goes to the master, never to an
// error, because the server judges.
package router

import "sync/atomic"

// Kind is the class of a statement.
type Kind uint8

// The kinds. A packet of several statements has the kind of its first one
// and Flags of all together, Multi among them.
const (
	KindUnknown   Kind = iota // not recognised: the master judges
	KindRead                  // SELECT, VALUES, TABLE, WITH that only reads, EXPLAIN of a read
	KindWrite                 // INSERT, UPDATE, DELETE, REPLACE, LOAD DATA, data-changing WITH, locking reads
	KindDDL                   // CREATE, ALTER, DROP, RENAME, TRUNCATE, accounts: they commit implicitly
	KindBegin                 // BEGIN, START TRANSACTION
	KindCommit                // COMMIT
	KindRollback              // ROLLBACK (not TO SAVEPOINT)
	KindSavepoint             // SAVEPOINT, RELEASE SAVEPOINT, ROLLBACK TO
	KindSet                   // SET of anything
	KindUse                   // USE
	KindShow                  // SHOW, DESCRIBE, EXPLAIN of a table
	KindCall                  // CALL, DO, EXECUTE, anonymous blocks
	KindPrepare               // PREPARE, DEALLOCATE PREPARE as text
	KindLock                  // LOCK TABLES, UNLOCK TABLES, HANDLER, XA, FLUSH ... WITH READ LOCK
	KindKill                  // KILL
	KindAdmin                 // everything else that is known
)

// String returns the kind in lower case.
func (k Kind) String() string {
	return [...]string{"unknown", "read", "write", "ddl", "begin", "commit", "rollback", "savepoint",
		"set", "use", "show", "call", "prepare", "lock", "kill", "admin", "invalid"}[min(k, 16)]
}

// Flags say what a statement needs of its session's connection, and what it
// leaves behind there.
type Flags uint32

// The flags.
const (
	// OnlyReads: certain to change nothing and to lock nothing, whatever the
	// data; what may go to a slave. It depends on Names not being unsafe.
	OnlyReads Flags = 1 << iota
	// Multi: several statements in one packet.
	Multi
	// UsesUserVariables: mentions @name (read or write).
	UsesUserVariables
	// SetsUserVariables: writes @name in a way that cannot be carried as text
	// (:=, INTO @name, SET @name = anything but a literal, CALL with @name).
	SetsUserVariables
	// NeedsDiagnostics: its answer depends on the session's previous statement:
	// SHOW WARNINGS/ERRORS/COUNT(*), FOUND_ROWS(), ROW_COUNT(), GET DIAGNOSTICS, @@warning_count, @@error_count.
	NeedsDiagnostics
	// NeedsInsertID: LAST_INSERT_ID() without argument, @@last_insert_id, @@identity, IS NULL on auto increment aside.
	NeedsInsertID
	// SetsInsertID: LAST_INSERT_ID(expr), SET last_insert_id/insert_id.
	SetsInsertID
	// CalcFoundRows: SQL_CALC_FOUND_ROWS.
	CalcFoundRows
	// MakesTemporaryTable, DropsTemporaryTable: CREATE/DROP TEMPORARY TABLE, or DROP TABLE of any table (may drop a temporary one).
	MakesTemporaryTable
	DropsTemporaryTable
	// TakesUserLock: GET_LOCK(; ReleasesUserLock: RELEASE_LOCK(, RELEASE_ALL_LOCKS(.
	TakesUserLock
	ReleasesUserLock
	// LocksTables: LOCK TABLES, FLUSH TABLES ... WITH READ LOCK / FOR EXPORT, LOCK INSTANCE, BACKUP STAGE; UnlocksTables: UNLOCK TABLES / INSTANCE, BACKUP STAGE END.
	LocksTables
	UnlocksTables
	// OpensHandler, ClosesHandler: HANDLER t OPEN / CLOSE.
	OpensHandler
	ClosesHandler
	// StartsXA, EndsXA: XA START/BEGIN; XA COMMIT/ROLLBACK.
	StartsXA
	EndsXA
	// PreparesText, DeallocatesText: PREPARE s FROM; DEALLOCATE/DROP PREPARE s.
	PreparesText
	DeallocatesText
	// SetsNextTransaction: SET TRANSACTION without SESSION or GLOBAL (the next transaction only).
	SetsNextTransaction
	// SetsUncarried: SET ROLE, and session variables that another connection cannot be given:
	// timestamp, insert_id, rand_seed1/2, gtid_next, pseudo_*, sql_log_bin, ... (one table in the package).
	SetsUncarried
	// ReadOnlyTransaction: START TRANSACTION READ ONLY.
	ReadOnlyTransaction
	// SelectsConnectionID: the select list of a SELECT is CONNECTION_ID() alone (perhaps with an alias).
	SelectsConnectionID
	// MayUseCatalogue: Names is not empty and has to be checked against the catalogue.
	MayUseCatalogue
	// ServerLocal: the answer is the node's own, not the data's: @@variables, SHOW STATUS, SHOW PROCESSLIST,
	// SHOW VARIABLES, information_schema.processlist, performance_schema, CONNECTION_ID(), UUID() is not one: goes to the master.
	ServerLocal
	// SessionOnly: it reads no table, and reads or sets nothing but what the session carries: any node serves it
	// as well as the master. It depends on Names not being unsafe.
	SessionOnly
	// NeedsSequence: LASTVAL and its kin: what NEXTVAL has given the session last.
	NeedsSequence
)

// Has reports whether every flag of want is set.
func (f Flags) Has(want Flags) bool { return f&want == want }

// Any reports whether some flag of want is set.
func (f Flags) Any(want Flags) bool { return f&want != 0 }

// Statement is what the classifier says of one command. It is immutable but for Beside, and
// shared by every session that sends the same shape of statement.
type Statement struct {
	Kind   Kind
	Flags  Flags
	Reason Reason // why it must go to the master, ReasonNone where OnlyReads
	Hint   Hint
	// Names are, in lower case, all identifiers of a read that could be a
	// stored function or a view; checked against cluster.Catalogue.Unsafe.
	Names []string
	// Calls are, in lower case and without the schema, the functions that
	// are no builtins of the flavour: stored or loadable ones. Where there are
	// some, OnlyReads is not set and Reason is ReasonStoredFunction if nothing
	// else forbids; Rules.SafeFunctions may lift it.
	Calls []string
	// Objects are what Flags speak of, as written but unquoted and in lower
	// case: temporary tables made or dropped, user locks taken or released
	// ("" stands for a name that is not a literal), handlers, text prepared statements.
	Objects []string
	// Assignments are the user variables that a SET gives a literal, which
	// another connection can be given by the same text.
	Assignments []Assignment
	// Variables are the system variables a SET of session scope names, in lower case.
	Variables []string
	// Lent are those that MariaDB's SET STATEMENT sets for the statement alone.
	Lent []string
	// KillID and KillQuery are KILL's arguments, where Kind is KindKill and the id is a literal.
	KillID    uint64
	KillQuery bool
	// Own is set where the statement is Bellwether's own to answer, whatever else
	// the packet holds.
	Own *Own
	// Fingerprint is the literal-stripped text, for logs and explain.
	Fingerprint string

	// Beside is what the caller keeps with this shape of statement; it is of one
	// type, and the only part that changes.
	Beside atomic.Value

	reasons uint64 // every reason why it must go to the master, one bit each
	verdict verdictCache
}

// Assignment is one user variable and the SQL literal it is set to.
type Assignment struct{ Name, Literal string }

// Hint is what a comment /* bellwether: ... */ asks for.
type Hint struct {
	// Target is TargetNone where there is no hint.
	Target Target
	// Node is the name that TargetNode asks for.
	Node string
	// Consistency is what the read may not miss; Wrong says for people what is
	// wrong with what was written, "" where nothing is.
	Consistency Consistency
	Wrong       string
}

// Target is where a statement goes.
type Target uint8

// The targets.
const (
	TargetNone Target = iota
	TargetMaster
	TargetSlave  // any readable slave; the master where there is none
	TargetNode   // one node, by name
	TargetPinned // the connection that the session holds
)

// String returns the target in lower case.
func (t Target) String() string {
	return [...]string{"none", "master", "slave", "node", "pinned"}[min(t, 4)]
}
