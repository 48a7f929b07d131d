package failover

import (
	"context"

	"github.com/bellwether-db/bellwether/cluster"
)

// Stream is what the controller wants of whoever carries the writes from the
// master to the slaves. It follows the published topology by itself: no master
// means that nobody is read, another master that another one is. Its methods are
// safe for concurrent use and keep to the context's deadline.
type Stream interface {
	// View says how the stream does, without asking anybody.
	View() StreamView
	// Seal returns all that is stored, for good: it waits until the stream has
	// let go of the former master, which a topology without a master asks for.
	// What comes from that server afterwards is never stored. nil where slaves
	// follow the master by themselves.
	Seal(ctx context.Context) (*cluster.GTIDSet, error)
	// Lose gives up what a slave lacks of end, all that was acknowledged, so that it
	// can be promoted: the slave takes nothing more, the lost transactions are
	// written to files in dir, and what is stored is cut back to what it has. It is
	// behind Seal, and may be called again.
	Lose(ctx context.Context, n cluster.Node, end *cluster.GTIDSet, dir string) (Loss, error)
	// Promote makes a slave ready to be the master, as the published one, and
	// leaves it read-only: without a source, its binary log flushed. Doing it
	// again does no harm.
	Promote(ctx context.Context, n cluster.Node) error
	// Attach returns once the stream from the published master runs and its
	// commits wait to be stored; only then may it be opened.
	Attach(ctx context.Context, n cluster.Node) error
	// Opened runs on the new master the events (CREATE EVENT) that ran on the
	// old one. The master takes writes by now.
	Opened(ctx context.Context, n cluster.Node) error
	// Demote makes a node that was the master, and is read-only, ready to be a
	// slave: its events disabled, no commit waiting. The keeper of slaves does
	// the rest. An *ErrantError where it has transactions that are not stored.
	Demote(ctx context.Context, n cluster.Node) error
	// Save writes what only this node has into dir, as readable SQL and as raw
	// events, and returns the names of the files.
	Save(ctx context.Context, n cluster.Node, errant *cluster.GTIDSet, dir string) ([]string, error)
	// Copy makes the node a copy of the others, its own data lost; tell is
	// called with the progress now and then.
	Copy(ctx context.Context, n cluster.Node, tell func(string)) error
}

// Loss is what is given up with a promotion. It is a value.
type Loss struct {
	// Set is what was acknowledged and the new master lacks; empty where it has
	// taken everything meanwhile.
	Set *cluster.GTIDSet
	// End is all that is stored now, and that whoever becomes master must have.
	End *cluster.GTIDSet
	// Files are the names of those where the lost transactions are kept.
	Files []string
}

// Clients is what the controller wants of whoever relays the clients' statements.
type Clients interface {
	// Quiet returns once no write and no transaction of a client is under way on
	// the master, and no heartbeat either (cluster.Monitor.Still; on MariaDB the
	// operator's account writes in spite of read_only): writes are held, so no new
	// one begins. With ctx's error where some still are.
	Quiet(ctx context.Context) error
}
