// Package failover owns the roles: which node is the master, by name and by
// server identity, which former masters are fenced, and whether writes are open.
// What it decides is fsynced before it is published. The configuration names the
// master at the very first start only; afterwards the record rules, and a node
// that is not the recorded server is never written to.
//
// It decides in pure functions and acts in thin shells:
//
//   - Diagnose matches a View, all that is known at one moment, against the table
//     of problems (Kinds). A master is dead only where two witnesses agree.
//   - PlanFor, and PlanFailover and PlanSwitchover for an Order, say what is to be
//     done, step by step, or why nothing is; Choose picks the next master among
//     those that have everything. All of that prints as text, and is told by the
//     stories in testdata/stories.
//   - Controller alone changes roles. It gives orders to nodes through an Operator
//     and to the stream of writes through a Stream; everybody else follows the
//     topology that it publishes.
//
// A change of master has one point of no return, the record of the new master.
// What is before it (writes held, no master published, the stream sealed, slaves
// drained) is volatile: a failure or a crash leaves the old master. What is after
// it (promote, attach, open, events) is idempotent and is gone through again after
// a restart. A fenced node is no slave, and serves nothing, until it was made
// read-only and compared with what is stored; what only it has is saved first.
//
// Each recovery is an Incident on disk. A second Bellwether on the same fleet is
// kept from acting by a lock that is held on a majority of the nodes.
package failover
