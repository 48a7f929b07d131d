// Package replicator will be the owner of the stream of writes: a binlog server
// between the master and its slaves. Until then the servers replicate by
// themselves, by GTID, and nothing here runs.
package replicator
