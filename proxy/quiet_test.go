package proxy

import (
	"context"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/internal/fakemysql"
	"github.com/bellwether-db/bellwether/wire"
)

// hold leaves the master in its place and lets no new write begin.
func (f *fleet) hold(t *testing.T) {
	if _, err := f.store.Advance(f.store.Load().Generation, func(d *cluster.RoleDraft) error {
		d.SetWrites(cluster.WritesHeld, "the roles change")
		return nil
	}); err != nil {
		t.Error(err)
	}
}

// quiet reports whether all is quiet within d.
func (f *fleet) quiet(d time.Duration) bool {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	return f.server.Quiet(ctx) == nil
}

func TestQuiet(t *testing.T) {
	f := newFleet(t, nil)
	open, writer, reader := f.client(t), f.client(t), f.client(t)
	begun, end := make(chan struct{}), make(chan struct{})
	f.a.setAnswer(insert, func(c *fakemysql.Conn) error {
		close(begun)
		<-end
		return fakemysql.SendOK(okay)(c)
	})
	open.say([2]string{"BEGIN", "ok"})
	written, held := make(chan string, 1), make(chan string, 1)
	go func() { written <- writer.query(insert) }()
	<-begun
	f.hold(t)
	go func() { held <- reader.query(rename) }()
	until(t, func() bool { return f.server.holding.clients.Load() == 1 })
	if f.quiet(20 * time.Millisecond) {
		t.Error("quiet in the middle of a write and of a transaction")
	}
	close(end)
	if got := <-written; got != "ok" || f.quiet(20*time.Millisecond) {
		t.Errorf("the write got %q; quiet in the middle of a transaction", got)
	}
	open.say([2]string{rename, "ok"}, [2]string{"COMMIT", "ok"})
	if !f.quiet(10 * time.Second) {
		t.Error("not quiet after the last transaction")
	}
	f.setMaster(t, "node1")
	if got := <-held; got != "ok" {
		t.Errorf("the held write got %q", got)
	}
}

// A switchover makes the old master read-only before it is the master no more:
// what it refuses runs on the new one.
func TestFormerMasterRefuses(t *testing.T) {
	refuses := func(f *fleet) fakemysql.Step {
		return func(c *fakemysql.Conn) error {
			time.AfterFunc(20*time.Millisecond, func() { f.promote(t) })
			return c.Error(1290, "HY000", "The MySQL server is running with the --super-read-only option so it cannot execute this statement")
		}
	}
	t.Run("a write", func(t *testing.T) {
		f := newFleet(t, nil)
		f.a.setAnswer(insert, refuses(f))
		f.client(t).say([2]string{insert, "ok"})
		if f.b.got(insert) != 1 || len(f.asked) != 0 {
			t.Errorf("node2 got it %d times, asked %v", f.b.got(insert), f.asked)
		}
	})
	t.Run("a commit", func(t *testing.T) {
		f := newFleet(t, nil)
		f.a.setAnswer("COMMIT", refuses(f))
		f.client(t).say([2]string{"BEGIN", "ok"}, [2]string{insert, "ok"}, [2]string{"COMMIT", "ok"})
		if f.b.got(insert) != 1 || f.b.got("COMMIT") != 1 || len(f.asked) != 0 {
			t.Errorf("node2 was asked %q, asked %v", f.b.asked, f.asked)
		}
	})
	t.Run("for another reason", func(t *testing.T) {
		f := newFleet(t, nil)
		f.a.setAnswer(insert, fakemysql.SendError(1290, "HY000", "The MySQL server is running with the --secure-file-priv option"))
		f.client(t).say([2]string{insert, "secure-file-priv"})
	})
}

// LAST_INSERT_ID() that is lost with its connection is an error, and not 0.
func TestInsertIDIsLost(t *testing.T) {
	f := newFleet(t, nil)
	made := okay
	made.InsertID = 5
	f.answerBoth(insert, fakemysql.SendOK(made), fakemysql.SendOK(made))
	f.a.setAnswer("SELECT LAST_INSERT_ID()", hangUp)
	c := f.client(t)
	c.say([2]string{insert, "ok"}, [2]string{"SELECT LAST_INSERT_ID()", "not known"}, [2]string{rename, "ok"})
	f.promote(t)
	c.say([2]string{"SELECT LAST_INSERT_ID()", "not known"}, [2]string{insert, "ok"}, [2]string{"SELECT LAST_INSERT_ID()", "ok"})
}

var okay = wire.OK{AffectedRows: 1}
