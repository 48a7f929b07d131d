// Package fullcopy makes a node a copy of another one, whatever it was before:
// the rows of all tables, and everything that is defined, at one GTID position,
// so that the node can replicate from there.
//
// How. Definitions are held still for the moment that it takes to read them
// (LOCK INSTANCE FOR BACKUP, BACKUP STAGE BLOCK_DDL), commits for milliseconds
// while several snapshots are opened and the position is read (FLUSH TABLES WITH
// READ LOCK, BACKUP STAGE BLOCK_COMMIT); the wait for that is bounded, since
// writes queue up behind it. Then ranges of primary keys stream from a snapshot
// into LOAD DATA LOCAL with sql_log_bin = 0, several at a time, in constant
// memory. Tables without snapshots (MyISAM, Aria, MEMORY) are locked against
// writes from the cut until they are copied, which is done first.
//
// The marker. Before the target's data are touched it loses its source, and
// its GTID position becomes one transaction that no master has; the
// database of schema.Marker says in words what it is. So a copy that is not
// finished is refused by every source that compares GTIDs, Bellwether's own and
// control.Attach among them, through any restart; its position is set, and the
// marker's database removed, as the very last steps.
//
// Going on after an interruption. A new process cannot have the old snapshot,
// so what was copied is stale. Copying everything again is not necessary all the
// same: with the new snapshot each range is digested on both sides, and only
// what differs is copied anew. The same is done when a connection is lost.
//
// It never chooses the target, never starts replication, and opens nothing for
// writes. The operator account and the servers' own accounts stay as they are
// on the target.
//
// MySQL's CLONE (MethodClone) is faster with much data, and done when it is asked
// for only: the target's server ends, and whether something starts it again
// cannot be seen from outside. Run says that it must be started, waits for it and
// goes on. The same mark is set before it. What comes along and must not be on a
// slave is taken away after it: the source's own source, and events that run.
//
// Sources: MySQL's manual, "FLUSH Statement", "LOCK INSTANCE FOR BACKUP",
// "LOAD DATA Statement", "SET GLOBAL gtid_purged"; MariaDB's knowledge base,
// "BACKUP STAGE", "Global Transaction ID"; and what MySQL 9.7 and MariaDB 10.11 do.
package fullcopy
