// Package upstream reads a master's binary log into the stored log: it is the
// one replica that the master has.
//
// It logs in, makes sure that the server is the one it was told of and has
// everything that is stored already, asks for the rest by GTID, and hands raw
// events to a Sink. What has arrived together is made durable together, and
// only then is the master told (semi-synchronous replication), so that a commit
// that a client saw is on two machines. It is the one owner of retry: a
// connection that breaks is made again, with exponential backoff and full
// jitter, for as long as there is hope; where there is none, Run ends with a
// *Refusal. While the stream runs another connection waits in reserve, because a
// login may need the very reply that it is to bring.
//
// What it never does: acknowledge a transaction before Sink.Sync has returned,
// change an event, decide which server is the master, or set anything on it.
//
// Sources: the pages "Replication Protocol" of MySQL's source documentation
// (COM_REGISTER_SLAVE, COM_BINLOG_DUMP_GTID) and of MariaDB's knowledge base,
// and for the semi-synchronous header and reply plugin/semisync of both.
package upstream
