// Package downstream is the source that slaves replicate from: the server side
// of the replication protocol, fed by the stored log.
//
// A slave logs in with a replication account, asks what a slave asks, registers
// and asks for everything that its GTID set lacks. What it gets are the stored
// events byte for byte, behind a made-up ROTATE, the stored format description
// and the set before each file. mysqlbinlog and mariadb-binlog read it too, by
// GTID or by file and position.
//
// # What it never does
//
// It runs no statement, writes nothing anywhere, does not decide who may be a
// slave beyond the account, and does not retry: a slave does that. It never
// lets a slave pass over transactions in silence: what cannot be served is
// error 1236 with the reason, which stops the slave. What passes, such as a
// failing disk, is another error or a closed connection, after which slaves
// come again.
//
// # One slave
//
// One goroutine serves one connection, from the greeting to the end. It owns no
// copy of the stream but the piece that the log's reader has read; what a slave
// does not take in stays in the socket, and one that takes in nothing for
// WriteTimeout is dropped. So a slow slave costs the others nothing.
//
// # Where it departs from what is stored
//
//   - The format description of the first file is sent as servers do: without
//     the time of the server's start where anything is left out before it, since
//     a slave drops its temporary tables when it sees a master start.
//   - ANNOTATE_ROWS are left out for MariaDB slaves that do not ask for them.
//   - MySQL ignores events that carry its own server id, in silence. A former
//     master that returns gets its own former transactions under our server id;
//     only the headers differ. A MariaDB GTID contains the server id, so there
//     nothing can be disguised, and the slave is refused with what to do.
//   - MariaDB slaves that apply in parallel move their position too early at a
//     transaction that ends with ROLLBACK, and at XA COMMIT. Registered ones get
//     these two kinds in words that make them wait (exact.go).
//
// # Checksums
//
// The stored events have CRC32, and go out with it, as servers send them also
// to a client that says NONE: that word only tells that it knows checksums, and
// what the first ROTATE looks like. A client that says nothing is refused.
//
// Sources: MySQL's sql/rpl_source.cc, sql/rpl_binlog_sender.cc, sql/rpl_replica.cc
// and client/mysqlbinlog.cc; MariaDB's sql/sql_repl.cc, sql/slave.cc and
// client/mysqlbinlog.cc; the pages page_protocol_replication and MariaDB's
// "Replication Protocol".
package downstream
