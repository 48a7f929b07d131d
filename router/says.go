package router

// Says tells people in a sentence why a statement goes where it goes. It is for
// explanations; logs and metrics have String.
func (r Reason) Says() string {
	if r >= NumReasons {
		return ""
	}
	return reasonSentences[r]
}

// reasonSentences are what Says says; immutable.
var reasonSentences = [NumReasons]string{
	ReasonRead: "It only reads, and what it names cannot write: a slave may serve it.",

	ReasonWrite:             "It changes data.",
	ReasonDDL:               "It changes a schema or an account.",
	ReasonLockingRead:       "It locks the rows that it reads, and locks count on the master only.",
	ReasonSelectInto:        "It writes what it reads to a file or to a variable.",
	ReasonStoredFunction:    "It calls a stored or loadable function, or reads a view that may call one, which may write; reads.safe_functions lists those that do not.",
	ReasonSequence:          "It takes the next value of a sequence, which is a write.",
	ReasonUserVariable:      "It sets a user variable while it reads.",
	ReasonServerVariable:    "It reads a variable of the server, which another node may have set otherwise.",
	ReasonServerLocal:       "Its answer is about the server itself, not about the data.",
	ReasonUserLock:          "It is about user-level locks, which are taken on the master.",
	ReasonInsertID:          "It asks for the id of the last insert, which the master knows.",
	ReasonFoundRows:         "It counts rows for FOUND_ROWS(), which must be asked on the same connection.",
	ReasonDiagnostics:       "Its answer is about the statement before it, on that statement's connection.",
	ReasonProcedure:         "What it runs may do anything.",
	ReasonTemporaryTable:    "It makes or drops a temporary table, which is there on one connection only.",
	ReasonTableLock:         "It locks or unlocks whole tables.",
	ReasonHandler:           "HANDLER reads through a cursor that stays on its connection.",
	ReasonXA:                "It is part of a distributed transaction.",
	ReasonTextPrepare:       "It is about a statement that is prepared as text, on one connection.",
	ReasonSessionState:      "It changes the session, which Bellwether carries to the connections that follow.",
	ReasonNextTransaction:   "It says how the next transaction begins, on the connection that runs it.",
	ReasonKill:              "KILL of a client is done by Bellwether; any other id is the master's.",
	ReasonConnectionID:      "It asks for the connection's id, and gets the one that Bellwether gave the client.",
	ReasonBellwether:        "These are words of Bellwether's own, which no node knows.",
	ReasonAdmin:             "It acts on the server, or is not of those that are known to read.",
	ReasonExecutableComment: "It has a comment that a server may run or not, by its version.",
	ReasonUnsafeCharset:     "It has bytes that the session's character set may read as something else.",
	ReasonUncertain:         "It is not recognised, so the master judges it.",

	ReasonPinned:              "The session holds a connection, and stays there.",
	ReasonTransaction:         "The session is in a transaction, which stays on the master.",
	ReasonReadOnlyTransaction: "The transaction is READ ONLY: a slave may serve all of it.",
	ReasonAutocommitOff:       "Autocommit is off: it begins a transaction, and what follows may write.",
	ReasonSerializable:        "The isolation level is SERIALIZABLE: its reads take locks.",
	ReasonOwnWrite:            "The session has written, and it is not known yet what a slave must have to show that.",
	ReasonGlobal:              "At consistency global it must see every write, and nobody but the master knows which there are.",
	ReasonSystemDatabase:      "The current database is the server's own.",
	ReasonHint:                "A comment in the statement asks for it.",
	ReasonRule:                "The configuration sends everything to the master (reads.master_only).",
	ReasonEndsTransaction:     "It ends the READ ONLY transaction that is open, and begins anew.",

	ReasonCatalogueUnknown: "The nodes' views and functions have not been read yet: any name may be one that writes.",
	ReasonNoSlave:          "A slave could serve it, but none may serve reads now.",
	ReasonNoMaster:         "There is no master now.",
	ReasonWritesHeld:       "Writes are held until there is a master that takes them.",
	ReasonWritesRefused:    "Writes are refused now.",
}
