// Package rawclient is a small MySQL client for the acceptance tests. It knows
// as little as it can: it logs in, sends one command at a time and hands back
// every packet of the answer as it came, so that two servers can be compared to
// the byte. It shares no code with package wire, whose mistakes it is there to
// find.
package rawclient
