// Package replicator owns the stream of writes. It reads the master's binary
// log once, keeps it durably, acknowledges it to the master, and serves it to
// every slave on an address of its own (feed: relay); or it has the slaves
// follow the master by themselves and watches over that (feed: direct).
//
// The parts stand below it: event (what the bytes say), storedlog (the disk),
// upstream (the master's side), downstream (the slaves' side), control (what is
// ordered on nodes) and dialect (what each version calls it). This package
// decides which master is read and which slaves are kept, by the published
// topology alone. It routes nothing and promotes nobody.
package replicator
