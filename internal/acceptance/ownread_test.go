package acceptance

import (
	"fmt"
	"strings"
	"testing"

	"github.com/bellwether-db/bellwether/internal/acceptance/rawclient"
	"github.com/bellwether-db/bellwether/internal/playground"
)

// TestOwnReads commits a row in every way that there is, with the slaves'
// appliers held up, so that whoever takes a slave for good enough does not see
// it. The session must, in each of the reads after that.
func TestOwnReads(t *testing.T) {
	onFedWith(t, ownReadsSettings, func(f *fed) {
		o := newOwnReads(f)
		o.withHeld(func() {
			f.run("INSERT INTO own.log VALUES (0)") // it holds up whatever comes after
			for _, w := range ownWays {
				if w.only == "" || w.only == f.servers.Flavour.String() {
					o.ends(w)
				}
			}
			o.slavesServe()
		})
		o.inSteps()
	})
}

// TestOwnReadsWithoutALog is TestOwnReads, the last part of it, with slaves that
// their master feeds: nobody but the nodes knows how far they are.
func TestOwnReadsWithoutALog(t *testing.T) {
	for _, flavour := range []playground.Flavour{playground.MySQL, playground.MariaDB} {
		t.Run(flavour.String(), func(t *testing.T) { newOwnReads(newFed(t, flavour, true, ownReadsSettings)).inSteps() })
	}
}

// ownReadsSettings let reads go on to slaves that are far behind, and wait for them
// but briefly.
const ownReadsSettings = "reads: {max_lag: 1h, causal_wait: 5ms}\n"

func newOwnReads(f *fed) *ownReads {
	f.Helper()
	f.run(ownReadsSchema...)
	f.everywhere("SELECT COUNT(*) FROM own.t", "1")
	return &ownReads{fed: f, master: f.dial(f.servers.Master.Addr(), 0)}
}

// ownReads numbers what is written.
type ownReads struct {
	*fed
	master *rawclient.Conn
	number int
}

func (f *fed) dial(addr string, flags uint32) *rawclient.Conn {
	f.Helper()
	c, err := rawclient.Dial(rawclient.Config{
		Addr: addr, User: f.servers.Account.User, Password: f.servers.Account.Password, Database: "own", Flags: flags, Timeout: patience,
	})
	f.must(err)
	f.Cleanup(func() { c.Close() })
	return c
}

// ends goes one way, as each kind of client.
func (o *ownReads) ends(w ownWay) {
	o.Helper()
	for _, how := range ownClients {
		o.number++
		s := o.client(how)
		o.goes(s, w)
		o.sees(s.conn, w)
		o.must(s.conn.Quit())
	}
}

// ownClients are the kinds of client; immutable.
var ownClients = []client{{multi: true}, {multi: true, deprecateEOF: true, sessionTrack: true}}

func (o *ownReads) client(how client) *session {
	o.Helper()
	user := o.servers.Account
	conn := o.dial(o.proxyAddr, how.flags())
	conn.Infile = infile
	return &session{
		conn: conn, account: account{user.User, user.Password}, schema: "own", prepared: map[string]*prepared{},
	}
}

// goes takes the steps of a way.
func (o *ownReads) goes(s *session, w ownWay) {
	o.Helper()
	for _, text := range strings.Split(w.steps, "; ") {
		text = strings.ReplaceAll(strings.ReplaceAll(strings.TrimSpace(text), "{n}", fmt.Sprint(o.number)), ": ", "; ")
		if _, err := step(text).run(s); err != nil {
			o.Fatalf("%s: %s: %v", w.steps, text, err)
		}
	}
}

// sees wants some reads in a row to show the row.
func (o *ownReads) sees(c *rawclient.Conn, w ownWay) {
	o.Helper()
	table := w.table
	if table == "" {
		table = "log"
	}
	query := fmt.Sprintf("SELECT COUNT(*) FROM %s WHERE n = %d", table, o.number)
	want := o.count(o.master, query)
	if want == "0" {
		o.Errorf("%s: it writes nothing", w.steps)
	}
	for read := 1; read <= 3; read++ {
		if got := o.count(c, query); got != want {
			o.Errorf("%s: read %d after it shows %s rows, the master has %s", w.steps, read, got, want)
		}
	}
}

func (o *ownReads) count(c *rawclient.Conn, query string) string {
	o.Helper()
	rows, err := ask(c, query)
	o.must(err)
	return rows[0][0]
}

// slavesServe makes sure that who has written nothing reads from slaves, which
// lack it all.
func (o *ownReads) slavesServe() {
	o.Helper()
	if got := o.count(o.dial(o.proxyAddr, 0), "SELECT COUNT(*) FROM log"); got != "0" {
		o.Errorf("a session that has written nothing reads %s rows: the slaves are not held up, or serve no reads", got)
	}
}
