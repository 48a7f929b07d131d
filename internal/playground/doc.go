// Package playground starts real MySQL or MariaDB servers as child processes
// in a folder, for `bellwether demo` and for tests. It fakes nothing.
//
// A Cluster is one master and its slaves. Each Node is a server with a data
// directory of its own and a loopback relay in front of it; clients, Bellwether
// and the other nodes' replication go through the relay, so that a test can cut
// and mend "the network" of a node. A node can also be killed, paused, stopped
// and started again.
//
// The servers come from the cache that scripts/servers.sh fills, or from PATH.
// A first start initialises one template data directory per server version
// beside that cache; every node is a copy of it, so a cluster is ready in a few
// seconds.
//
// Every node starts read-only, also after a restart: who is the master is not
// for the playground to say. Whoever owns the topology calls OpenMaster.
// Children die with this process, however it ends.
package playground
