// Package failover owns the roles: which node is the master, by name and by
// server identity, and whether writes are open. What it decides is durable on
// disk before it is published.
//
// In this first slice it loads, verifies, opens and publishes; it promotes
// nobody. The configuration names the master at the very first start only;
// afterwards the state file rules, and a node that is not the recorded server
// is never written to.
//
// While the master is down, writes are held, not open: then a short outage is
// a wait for the clients instead of an error, and the server that answers next
// at the master's address is verified before anything is written to it.
package failover
