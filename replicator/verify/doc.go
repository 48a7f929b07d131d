// Package verify compares a slave with its master while writes go on, and names
// what differs: rows by their keys, definitions by their names.
//
// How. A table is cut into chunks of its primary key. A chunk is digested on
// the master; then the slave is waited for until it has everything that the
// master had by then; then the chunk is digested on the slave. Equal digests
// settle it, which is so for nearly all chunks, without any lock.
//
// A chunk that was written to in between may differ although nothing is wrong.
// It is cut smaller and looked at again; and what still differs then is proven or
// refuted under a lock: the chunk's rows and gaps are locked on the master for
// share (LOCK IN SHARE MODE; LOCK TABLES READ where an engine has no rows'
// locks), the position is read, the slave waited for, and both digested. While
// the lock is held nobody can have changed the chunk, so that the slave, wherever
// it is past that position, must have exactly the same rows. The lock is bounded
// by Config.LockTime; what cannot be settled within it, several times, is
// reported as undecided, never as a difference.
//
// Definitions are read on the master, waited for, read on the slave, and read
// on the master again: what was the same on the master both times, and another on
// the slave, three times over, differs.
//
// The size of chunks adapts to the time that they take, and between two chunks
// there is a rest as long as the chunk took.
//
// It changes nothing anywhere. Accounts are not compared, nor generated columns,
// nor the history of system-versioned tables.
//
// Sources: MySQL's manual, "Locking Reads", "Functions Used with Global
// Transaction Identifiers (GTIDs)"; MariaDB's knowledge base, "MASTER_GTID_WAIT".
package verify
