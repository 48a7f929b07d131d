// Package event reads and writes the raw events of a binary log, as far as a
// binlog server needs to: headers, checksums, the format, GTIDs, and where a
// transaction begins and ends. It knows nothing of rows and does no I/O.
//
// What it never does: change an event that a master wrote, or trust a length
// that it has not checked. No bytes make it panic; every decoder is fuzzed.
//
// Sources: MySQL's libs/mysql/binlog/event and sql/log_event.cc (pages
// "Binary Log" of its source documentation), MariaDB's knowledge base
// "Replication Protocol" and sql/log_event.h, and the real binary logs of both
// servers, with which the tests compare.
package event
