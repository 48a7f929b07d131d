//go:build soak

package acceptance

import (
	"database/sql"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// mostOwnWrite is how much longer a read after an own write may take, on a slave
// that has the write, than one of a session that demands nothing.
const mostOwnWrite = 1.10

// The two ways of a read after an own write: from a slave that is known to have
// it, and the first one, for which the slave is asked, in the same packet.
const (
	ownKnown = "own write, on a slave known to have it"
	ownAsked = "own write, on a slave that has it and must be asked"
)

// TestOwnWriteRead compares the median of reads that follow an own write, once
// every slave has that, with plain reads in between, through a product without
// the race detector.
func TestOwnWriteRead(t *testing.T) {
	binary := plainBinary(t)
	onFed(t, func(f *fed) {
		f.must(f.proxy.stop())
		var err error
		f.proxy, err = startProcess(binary, f.config)
		f.must(err)
		f.run("CREATE DATABASE own", "CREATE TABLE own.t (id INT PRIMARY KEY, v INT)", "INSERT INTO own.t VALUES (1, 0)")
		f.converge()
		r := &ownWriteReads{fed: f, writer: f.session(), plain: f.session(), reader: f.session(), took: map[string][]time.Duration{}}
		f.exec(r.plain, "SET bellwether_consistency = eventual")
		for _, n := range f.servers.Slaves() {
			c, err := f.on(n, 1).Conn(f.Context())
			f.must(err)
			r.slaves = append(r.slaves, c)
		}
		begun := time.Now()
		for value := 1; value < 300 || time.Since(begun) < soakFor(t)/10; value++ {
			r.round(value)
		}
		plain := r.median("plain")
		for _, kind := range []string{ownKnown, ownAsked, "reads only"} {
			ratio := float64(r.median(kind)) / float64(plain)
			f.Logf("%s: p50 %v, plain %v, ratio %.3f", kind, r.median(kind), plain, ratio)
			if kind != ownAsked && ratio > mostOwnWrite {
				f.Errorf("%s: %.3f of a plain read, at most %.2f", kind, ratio, mostOwnWrite)
			}
		}
	})
}

// plainBinary builds the product as it is shipped.
func plainBinary(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "bellwether")
	if out, err := exec.Command("go", "build", "-o", path, "github.com/bellwether-db/bellwether/cmd/bellwether").CombinedOutput(); err != nil {
		t.Fatalf("build bellwether: %v\n%s", err, out)
	}
	return path
}

// ownWriteReads are the sessions of the comparison, and what their reads took.
type ownWriteReads struct {
	*fed
	writer, plain, reader *sql.Conn
	slaves                []*sql.Conn
	took                  map[string][]time.Duration
}

// round writes, waits until all slaves have that, has one of them asked, and
// reads in each way, in an order that moves on, so that none is always the first.
func (r *ownWriteReads) round(value int) {
	r.Helper()
	r.exec(r.writer, fmt.Sprintf("UPDATE own.t SET v = %d WHERE id = 1", value))
	want := fmt.Sprint(value)
	for _, slave := range r.slaves {
		r.must(eventually(func() error {
			if got := r.value(slave, "SELECT v FROM own.t WHERE id = 1"); got != want {
				return fmt.Errorf("the slave has %s, not %s", got, want)
			}
			return nil
		}))
	}
	r.read(ownAsked, r.writer, want)
	r.value(r.slaves[0], "SELECT v FROM own.t WHERE id = 1") // so that nobody's words are still warm
	reads := []func(){
		func() { r.read(ownKnown, r.writer, want) },
		func() { r.read("plain", r.plain, want) },
		func() { r.read("reads only", r.reader, want) },
	}
	for i := range reads {
		reads[(i+value)%len(reads)]()
	}
}

// read reads once.
func (r *ownWriteReads) read(kind string, c *sql.Conn, want string) {
	r.Helper()
	begun := time.Now()
	got := r.value(c, "SELECT v FROM own.t WHERE id = 1")
	r.took[kind] = append(r.took[kind], time.Since(begun))
	if got != want {
		r.Errorf("%s: %s, want %s", kind, got, want)
	}
}

func (r *ownWriteReads) median(kind string) time.Duration {
	all := slices.Clone(r.took[kind])
	slices.Sort(all)
	return all[len(all)/2]
}
