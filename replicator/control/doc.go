// Package control acts on the nodes for the replicator, as the operator account.
//
//   - Check and Prepare: what every node needs to be master or slave is a table
//     (requirement.go); what is not right is set where that can be done while
//     the server runs, and told, with the SQL, where it cannot.
//   - Attach and Detach: a slave gets its source, its settings and read_only,
//     and is started. What is right already is not touched, and nothing that a
//     slave has executed is ever reset; what it has received and not applied is
//     given up only where its new source has it, too.
//   - Status and Judge: what a slave's threads do, in one form for all dialects,
//     and what is to be done about it: a table of failures (failure.go) that
//     docs/replication.md shows to operators.
//   - Keeper: one goroutine for each slave, which attaches it, starts it again
//     when it stops for a reason that passes, and says so when it does not.
//
// It never decides who is master, never opens a node for writes, and never
// switches semi-synchronous replication on by itself. A Node with an Identity is
// acted on only if the very connection that acts has reached that server.
//
// Deciding is pure (missing, plan, Judge, History.After); a Conn does. Words
// come from package dialect.
//
// Sources: MySQL's manual, "Replication and Binary Logging Options and
// Variables", "Semisynchronous Replication", "CHANGE REPLICATION SOURCE TO";
// MariaDB's knowledge base, "CHANGE MASTER TO", "Semisynchronous Replication",
// "Global Transaction ID"; and what MySQL 9.7 and MariaDB 10.11 do.
package control
