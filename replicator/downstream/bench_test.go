package downstream

import (
	"crypto/tls"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/event"
	"github.com/bellwether-db/bellwether/wire"
)

// BenchmarkServe measures what slaves cost the process that serves them, for a
// MB of the log and each slave: another process reads, so that only the server
// is measured.
func BenchmarkServe(b *testing.B) {
	for _, bm := range []struct {
		name    string
		tx      func(uint64) memTx
		total   int
		readers int
		tls     bool
	}{
		{"one row of 50 B", oneRow, 64 << 20, 1, false},
		{"one row of 50 B, TLS", oneRow, 64 << 20, 1, true},
		{"8 KB", ofSize(8000), 64 << 20, 1, false},
		{"8 KB, TLS", ofSize(8000), 64 << 20, 1, true},
		{"1 MB", ofSize(1 << 20), 64 << 20, 1, false},
		{"one row of 50 B, 8 readers", oneRow, 16 << 20, 8, false},
		{"one row of 50 B, 64 readers", oneRow, 8 << 20, 64, false},
	} {
		b.Run(bm.name, func(b *testing.B) {
			c := storedLog(b, bm.total, bm.tx)
			config := testConfig(cluster.FlavourMySQL)
			certificate, key, err := wire.LoadOrMakeCertificate(b.TempDir())
			if err != nil {
				b.Fatal(err)
			}
			config.TLS, config.RSA = &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{certificate}}, key
			s := serve(b, config, Stored(c.log))
			files := c.log.Files()
			for b.Loop() {
				idle := heap()
				before := processorTime(b)
				stop := readElsewhere(b, s, bm.readers, bm.tls)
				for !sent(s, bm.readers, files[len(files)-1].Size) {
					time.Sleep(5 * time.Millisecond) // until it is sent
				}
				used := processorTime(b) - before
				b.ReportMetric(used.Seconds()*1e3/float64(bm.readers*bm.total>>20), "cpu-ms/MB")
				b.ReportMetric(float64(int64(heap())-int64(idle))/float64(bm.readers)/1024, "idle-KB/reader")
				stop()
				for len(s.Slaves()) > 0 {
					time.Sleep(5 * time.Millisecond) // until it is noticed
				}
			}
		})
	}
}

// sent says whether n slaves were sent everything.
func sent(s *Server, n int, size int64) bool {
	slaves := s.Slaves()
	return len(slaves) == n && !slices.ContainsFunc(slaves, func(i SlaveInfo) bool { return i.Offset < size })
}

// readerProcess is the variable that makes this program a reader:
// "address number tls".
const readerProcess = "BELLWETHER_TEST_READER"

// readElsewhere has another process read the whole log n times.
func readElsewhere(b testing.TB, s *Server, n int, tls bool) (stop func()) {
	b.Helper()
	child := exec.Command(os.Args[0], "-test.run=^TestReaderProcess$")
	child.Env = append(os.Environ(), fmt.Sprintf("%s=%s %d %t", readerProcess, s.Addr(), n, tls))
	child.Stderr = os.Stderr
	if err := child.Start(); err != nil {
		b.Fatal(err)
	}
	return func() {
		_ = child.Process.Kill()
		_ = child.Wait()
	}
}

// TestReaderProcess is no test, but the other process of BenchmarkServe.
func TestReaderProcess(t *testing.T) {
	var addr string
	var n int
	var secure bool
	if _, err := fmt.Sscan(os.Getenv(readerProcess), &addr, &n, &secure); err != nil {
		return
	}
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			mode := wire.TLSOff
			if secure {
				mode = wire.TLSRequired
			}
			conn, hello, err := wire.Dial(t.Context(), &wire.DialConfig{
				Addr: addr, User: testUser, Secret: wire.PasswordSecret(testPassword), Capabilities: wire.ClientDeprecateEOF, TLS: mode,
			})
			if err != nil {
				t.Error(err)
				return
			}
			c := &client{t, conn, hello.Capabilities}
			c.must("SET @master_binlog_checksum = 'CRC32'")
			c.asks(cluster.FlavourMySQL, 0, uint32(100+i), cluster.EmptyGTIDSet(cluster.FlavourMySQL))
			_, _ = io.Copy(io.Discard, conn.NetConn())
		})
	}
	wg.Wait()
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
