//go:build soak

package acceptance

import (
	"os"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
)

// kill ends the product as kill -9 does.
func (f *fed) kill() {
	f.Helper()
	if err := f.proxy.healthy(); err != nil {
		f.Error(err)
	}
	f.must(f.proxy.command.Process.Kill())
	<-f.proxy.ended
}

// rest waits, unless the test ends first.
func (f *fed) rest(d time.Duration) { rest(f.Context(), d) }

// soakFor is how long a load runs.
func soakFor(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv("BELLWETHER_SOAK")
	if text == "" {
		return time.Minute
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatalf("BELLWETHER_SOAK: %v", err)
	}
	return d
}

// set reads a node's GTID set.
func (f *fed) set(text string) (*cluster.GTIDSet, error) {
	if f.mariadb() {
		return cluster.ParseGTIDSet(cluster.FlavourMariaDB, text)
	}
	return cluster.ParseGTIDSet(cluster.FlavourMySQL, text)
}

// long says that the soak is one of many minutes.
func (f *fed) long() bool { return soakFor(f.T) >= 5*time.Minute }
