package downstream

import (
	"net"
	"os/exec"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/event"
)

// BenchmarkServe measures what one slave costs the process that serves it, for
// a MB of the log: another process reads, so that only the server is measured.
func BenchmarkServe(b *testing.B) {
	for name, tx := range map[string]func(uint64) memTx{"one row of 50 B": oneRow, "8 KB": ofSize(8000), "1 MB": ofSize(1 << 20)} {
		b.Run(name, func(b *testing.B) {
			const total = 64 << 20
			c := storedLog(b, total, tx)
			s := serve(b, testConfig(cluster.FlavourMySQL), Stored(c.log))
			for b.Loop() {
				x := reads(b, s, cluster.FlavourMySQL, nil)
				x.asks(cluster.FlavourMySQL, 0, 7, cluster.EmptyGTIDSet(cluster.FlavourMySQL))
				socket, err := x.conn.NetConn().(*net.TCPConn).File()
				if err != nil {
					b.Fatal(err)
				}
				reader := exec.Command("cat") // to nowhere
				reader.Stdin = socket
				before := processorTime(b)
				if err := reader.Start(); err != nil {
					b.Fatal(err)
				}
				want := c.log.Files()[len(c.log.Files())-1].Size
				for slaves := s.Slaves(); len(slaves) == 0 || slaves[0].Offset < want; slaves = s.Slaves() {
					time.Sleep(5 * time.Millisecond) // until it is sent
				}
				b.ReportMetric((processorTime(b)-before).Seconds()*1e3/(total>>20), "cpu-ms/MB")
				socket.Close()
				x.conn.Close()
				_ = reader.Process.Kill()
				_ = reader.Wait()
				for len(s.Slaves()) > 0 {
					time.Sleep(5 * time.Millisecond)
				}
			}
		})
	}
}

// storedLog is a stored log of about total bytes.
func storedLog(t testing.TB, total int, tx func(uint64) memTx) *copier {
	c := newCopier(t, cluster.FlavourMySQL, "")
	c.format = makeFormat(cluster.FlavourMySQL)
	c.format[flagsOffset] &^= byte(event.FlagInUse)
	c.format = sealed(c.format)
	c.reconnect()
	for n := uint64(1); total > 0; n++ {
		events := tx(n).events
		if err := c.file(events); err != nil {
			t.Fatal(err)
		}
		total -= len(events)
	}
	if err := c.log.Sync(); err != nil {
		t.Fatal(err)
	}
	return c
}

func ofSize(size int) func(uint64) memTx {
	return func(n uint64) memTx { return makeTx(cluster.FlavourMySQL, n, 1, size) }
}

// oneRow is a transaction of one small row, as MySQL writes it: five events of
// about 60 bytes each.
func oneRow(n uint64) memTx {
	tx := makeTx(cluster.FlavourMySQL, n, 1, 0)
	gtid, _ := event.Next(tx.events)
	begin := append([]byte{1, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0, 's', 'h', 'o', 'p', 0}, "BEGIN"...)
	tx.events = slices.Concat(tx.events[:len(gtid)], makeEvent(event.Query, 1, 0, begin), makeEvent(event.TableMap, 1, 0, make([]byte, 30)),
		makeEvent(event.WriteRows, 1, 0, make([]byte, 50)), makeEvent(event.XID, 1, 0, make([]byte, 8)))
	return tx
}

// processorTime is what this process has used.
func processorTime(t testing.TB) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
