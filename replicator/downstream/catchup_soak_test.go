//go:build soak

package downstream

import (
	"database/sql"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// The time that a slave fed by Bellwether may take to catch up, of what it takes
// fed by the master; medianNoise is what two equal medians differ by at most.
const (
	catchUpTarget = 1.0
	medianNoise   = 0.05
)

// catchUpLoads are what a slave has missed in one round.
var catchUpLoads = []struct {
	name          string
	writers, each int    // transactions of each writer
	insert        string // one transaction
	rounds        int
}{
	{"small transactions", 8, 2500, "INSERT INTO shop.t (v, n) VALUES ('a row of a few dozen bytes, as many are', 1)", 7},
	{"large rows", 4, 10, "INSERT INTO shop.t (v, n) VALUES (REPEAT('large', 200000), 2)", 7},
}

// TestCatchUp has a slave catch up from the stored log and from the master
// itself, in turns and with the same settings.
func TestCatchUp(t *testing.T) {
	onEachFlavourAlone(t, func(w *world) {
		db, err := sql.Open("mysql", strings.Replace(w.master.DSN(w.nodes.Operator.User, w.nodes.Operator.Password, ""), w.master.Addr(), w.master.DirectAddr(), 1))
		if err != nil {
			w.Fatal(err)
		}
		w.Cleanup(func() { db.Close() })
		w.copy()
		w.follow(w.slave, w.server.Addr(), "1", w.inPlain())
		w.caughtUp(w.slave)
		room := "SET GLOBAL innodb_redo_log_capacity = 1073741824" // so that its flushes are not what is measured
		if w.mariaDB() {
			room = "SET GLOBAL innodb_log_file_size = 1073741824"
		}
		w.exec(w.master, room)
		w.exec(w.slave, room)
		if w.mariaDB() { // as Bellwether has it
			w.exec(w.slave, "STOP SLAVE", "SET GLOBAL slave_parallel_threads = 4", "SET GLOBAL slave_parallel_mode = 'optimistic'")
		}
		master, err := net.ResolveTCPAddr("tcp", w.master.DirectAddr())
		if err != nil {
			w.Fatal(err)
		}
		for _, load := range catchUpLoads {
			var fed, direct []time.Duration
			for round := range 2 * load.rounds {
				byBellwether := (round+round/2)%2 == 0 // neither is always the first of two
				w.exec(w.slave, "STOP "+w.word())
				w.write(db, load.writers, load.each, load.insert)
				w.copy()
				if byBellwether {
					fed = append(fed, w.timeToCatchUp(w.server.Addr()))
				} else {
					direct = append(direct, w.timeToCatchUp(master))
				}
			}
			ratio := float64(median(fed)) / float64(median(direct))
			w.Logf("%s: fed by Bellwether %v, by the master %v, ratio %.3f (target %.2f)", load.name, median(fed).Round(time.Millisecond),
				median(direct).Round(time.Millisecond), ratio, catchUpTarget)
			if ratio > catchUpTarget+medianNoise {
				w.Errorf("%s: catching up takes %.3f of the time it takes from the master: %v, %v", load.name, ratio, fed, direct)
			}
		}
		w.sameRows(w.master, w.slave)
	})
}

// onEachFlavourAlone is onEachFlavour without anything beside.
func onEachFlavourAlone(t *testing.T, test func(*world)) {
	var turn sync.Mutex
	onEachFlavour(t, func(w *world) {
		turn.Lock()
		defer turn.Unlock()
		test(w)
	})
}

// inPlain has both sources send without TLS, which MySQL's slaves ask for.
func (w *world) inPlain() string {
	if w.mariaDB() {
		return ", MASTER_SSL = 0"
	}
	return ", SOURCE_SSL = 0, GET_SOURCE_PUBLIC_KEY = 1"
}

// write runs so many transactions on the master, by several writers.
func (w *world) write(db *sql.DB, writers, each int, insert string) {
	w.Helper()
	var group sync.WaitGroup
	for range writers {
		group.Go(func() {
			for range each {
				if _, err := db.ExecContext(w.Context(), insert); err != nil {
					w.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
}

// timeToCatchUp attaches the stopped slave to a source and says how long it
// takes until it has applied all that the log has.
func (w *world) timeToCatchUp(source net.Addr) time.Duration {
	w.Helper()
	host, port, err := net.SplitHostPort(source.String())
	if err != nil {
		w.Fatal(err)
	}
	change, wait := "CHANGE REPLICATION SOURCE TO SOURCE_HOST='%s', SOURCE_PORT=%s", "SELECT WAIT_FOR_EXECUTED_GTID_SET('%s', 120)"
	if w.mariaDB() {
		change, wait = "CHANGE MASTER TO MASTER_HOST='%s', MASTER_PORT=%s, MASTER_USE_GTID=slave_pos", "SELECT MASTER_GTID_WAIT('%s', 120)"
	}
	w.exec(w.slave, fmt.Sprintf(change, host, port))
	begun := time.Now()
	w.exec(w.slave, "START "+w.word())
	if got := w.query(w.slave, fmt.Sprintf(wait, w.log.Executed())); got != "0" {
		w.Fatalf("the slave did not catch up: %s, %s", got, w.ioError(w.slave))
	}
	return time.Since(begun)
}

func median(all []time.Duration) time.Duration {
	sorted := slices.Clone(all)
	slices.Sort(sorted)
	return sorted[len(sorted)/2]
}
