// Package storedlog keeps the master's binary log on disk: raw events, whole
// transactions, durable before anybody sees them.
//
// # Purpose
//
// One writer appends the events of a master's stream and calls Sync; any
// number of readers follow. A log is a folder of files, bellwether.000001 and
// on. Each is a binary log that mysqlbinlog can read, unless it is encrypted:
// the magic, a format description, PREVIOUS_GTIDS or GTID_LIST with what came
// before, and transactions whose bytes are the master's. A new file begins for
// each connection to a master, for each file of the master's, and where one
// has grown long.
//
// # What it promises
//
// Only whole transactions whose bytes and folder entries have been fsynced are
// ever visible. After a crash a checksum scan of the last file, read from the
// disk and not from the kernel's memory of it, cuts a torn tail back to a
// transaction's end; the master still has what is cut, since it was never
// acknowledged. The file "durable" remembers how far the log was durable
// (written at each Sync, itself never fsynced, so a lower bound): damage before
// that point is not a torn tail, and the log refuses to open over it.
//
// The file that is written has room behind its end, zeros that are durable
// already, because an fsync of what takes their place costs half. They are cut off
// when another file begins, and by recovery: no event is all zeros.
//
// After an error of a write or an fsync the kernel may have dropped dirty pages
// and call them clean. So the file is not written to again: everything fails
// until Recover has cut it back to what was durable and has read that anew, and
// then a new file begins.
//
// What was visible stays so, unless CutBack is told that nobody will ever need it.
//
// # What it never does
//
// Change a transaction, acknowledge anything, decide who reads or when to
// retry. Encryption (AES-256-CTR, a nonce for each file, no byte of a key
// stream used twice since a file that was cut is never appended to) keeps what
// lies on the disk secret; it does not detect who changes it on purpose.
package storedlog
