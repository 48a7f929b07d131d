package storedlog

import (
	"bufio"
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

// victimDir names, in the environment of a child, the folder of the log that
// it writes until it is killed.
const victimDir = "BELLWETHER_TEST_VICTIM"

// TestVictim is the child of TestKills; by itself it does nothing.
func TestVictim(t *testing.T) {
	dir := os.Getenv(victimDir)
	if dir == "" {
		return
	}
	l := opened(t, Config{Dir: dir, FileSize: 50_000})
	r := rand.New(rand.NewPCG(uint64(os.Getpid()), 1))
	for n := l.Executed().Count(); ; {
		if err := l.Rotate(mysqlFormat); err != nil {
			t.Fatal(err)
		}
		for range 40 {
			first := n + 1
			n += uint64(r.IntN(20))
			write(t, l, first, n, 300)
			fmt.Printf("synced %d\n", n)
		}
	}
}

// A process that writes a log is killed at random moments: what it said was
// synced is there, whole and in order, and the next one goes on behind it.
func TestKills(t *testing.T) {
	dir, synced := t.TempDir(), uint64(0)
	for range kills {
		synced = max(synced, killOne(t, dir))
		l := opened(t, Config{Dir: dir})
		n := l.Executed().Count()
		if got := take(t, l, set(t, "")); n < synced || !bytes.Equal(got.raw, joined(1, n, 300)) {
			t.Fatalf("%d transactions and %d bytes are left of %d that were synced", n, len(got.raw), synced)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		if n > 20_000 { // reading it all gets slow
			dir, synced = t.TempDir(), 0
		}
	}
}

// killOne runs a child on the log, kills it and returns the last number that
// it said was synced.
func killOne(t *testing.T, dir string) (synced uint64) {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^TestVictim$")
	child.Env = append(os.Environ(), victimDir+"="+dir)
	out, err := child.StdoutPipe()
	if err == nil {
		err = child.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	said := bufio.NewScanner(out)
	for writes := false; said.Scan(); {
		n, err := strconv.ParseUint(strings.TrimPrefix(said.Text(), "synced "), 10, 64)
		if err != nil {
			t.Errorf("the child says %q", said.Text())
			continue
		}
		if synced = n; !writes {
			writes = true
			end := time.AfterFunc(time.Duration(rand.IntN(40))*time.Millisecond, func() { _ = child.Process.Kill() })
			defer end.Stop()
		}
	}
	if err := child.Wait(); err == nil {
		t.Error("the child ended by itself")
	}
	return synced
}
