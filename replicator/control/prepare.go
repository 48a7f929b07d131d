package control

import (
	"context"
	"errors"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/dialect"
)

// restoreTimeout bounds what must be put back although the caller has gone.
const restoreTimeout = 10 * time.Second

// Check says what the node lacks to be master or slave, and changes nothing.
// The account is the one with which Bellwether follows binary logs; one without
// a user is not looked for.
func (c *Conn) Check(ctx context.Context, account cluster.Account) ([]Finding, error) {
	f, err := c.readFacts(ctx, account)
	if err != nil {
		return nil, err
	}
	return findings(c.node.Name, f, nil), nil
}

// Prepare sets what the node lacks to be master or slave, as far as it can be
// set while the server runs and the operator account may, reads it again, and
// says what is left. A node that is super_read_only is opened for the plugins'
// installation only, and only to accounts that may write through read_only; who
// opens it for good meanwhile finds it open afterwards. Still, prepare a master
// once it is open. The
// replication account is made on a node that takes writes and has no source;
// its slaves get it from there. What Prepare sets outlives a restart on MySQL
// 8.0 and later; elsewhere a finding has the line for the option file. It never
// switches semi-synchronous replication on: see EnableSemiSync.
func (c *Conn) Prepare(ctx context.Context, account cluster.Account) ([]Finding, error) {
	tried := map[dialect.Term]error{}
	for {
		f, err := c.readFacts(ctx, account)
		if err != nil {
			return nil, err
		}
		if !c.setMissing(ctx, f, tried) {
			f.forgets(tried)
			return findings(c.node.Name, f, tried), nil
		}
	}
}

// forgets marks what was set just now on a server that has no way to keep it,
// also where the server does not tell (MySQL 5.7).
func (f *facts) forgets(tried map[dialect.Term]error) {
	for t, err := range tried {
		if err == nil && !f.dialect.Has(dialect.SetAtStart) {
			f.fleeting[t] = true
		}
	}
}

// setMissing tries what was not tried yet, and reports whether there was any:
// an installed plugin brings variables that could not be looked at before.
func (c *Conn) setMissing(ctx context.Context, f *facts, tried map[dialect.Term]error) (any bool) {
	for _, m := range missingOf(f, f.wanted) {
		if _, done := tried[m.term]; done || !m.settable(f) || c.leaveLog && m.term == dialect.BinlogChecksum {
			continue
		}
		tried[m.term], any = c.set(ctx, f, &m), true
	}
	return any
}

// settable says whether a requirement is set by itself on this node.
func (m *missing) settable(f *facts) bool {
	switch m.remedy {
	case remedyNone, remedyByHand:
		return false
	case remedyGrant:
		return !f.readOnly && f.sources == 0 && f.account.Password != ""
	}
	return m.sqlFor(f) != ""
}

func (c *Conn) set(ctx context.Context, f *facts, m *missing) error {
	switch {
	case m.remedy == remedyInstall && f.superReadOnly:
		return c.whileWritable(ctx, m.sqlFor(f))
	case m.remedy == remedySetPaused && f.applies && !f.dialect.MariaDB():
		return c.whilePaused(ctx, m.sqlFor(f))
	case m.remedy == remedyGrant:
		return c.exec(ctx, grantSQL(f.account.User, f.account.Password, f.dialect))
	}
	return c.exec(ctx, m.sqlFor(f))
}

// whileWritable runs a statement that writes to a system table without being
// logged. read_only stays on meanwhile; where somebody has set it off by then,
// super_read_only stays off, too.
func (c *Conn) whileWritable(ctx context.Context, statement string) error {
	return c.between(ctx, "SET GLOBAL super_read_only = OFF", statement, "SET GLOBAL super_read_only = @@GLOBAL.read_only")
}

// whilePaused runs a statement while the slave does not apply.
func (c *Conn) whilePaused(ctx context.Context, statement string) error {
	return c.between(ctx, c.dialect.Say(dialect.StopApplier), statement, c.dialect.Say(dialect.StartApplier))
}

// between runs a statement between one that makes it possible and one that
// undoes that.
func (c *Conn) between(ctx context.Context, before, statement, after string) error {
	return c.around(ctx, []string{before}, []string{after}, func() error { return c.exec(ctx, statement) })
}

// around does something between statements that make it possible and those that
// undo that, each of which is run whatever happens.
func (c *Conn) around(ctx context.Context, before, after []string, do func() error) (err error) {
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), restoreTimeout)
		defer cancel()
		for _, statement := range after {
			err = errors.Join(err, c.exec(ctx, statement))
		}
	}()
	if err := c.exec(ctx, before...); err != nil {
		return err
	}
	return do()
}

// findings tells what is missing, with the errors of what was tried.
func findings(node string, f *facts, tried map[dialect.Term]error) []Finding {
	var out []Finding
	for _, m := range missingOf(f, f.wanted) {
		out = append(out, m.finding(node, f, tried[m.term]))
	}
	return out
}
