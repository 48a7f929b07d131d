package storedlog

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/internal/playground"
	"github.com/bellwether-db/bellwether/replicator/event"
	"github.com/google/go-cmp/cmp"
)

// What a server wrote is stored, in several files, and the servers' own tools
// read from those what they read from the server's file.
func TestServersToolsReadStoredFiles(t *testing.T) {
	for tool, test := range map[string]struct {
		log     string
		flavour cluster.Flavour
	}{
		"mysqlbinlog":    {"mysql.binlog", cluster.FlavourMySQL},
		"mariadb-binlog": {"mariadb.binlog", cluster.FlavourMariaDB},
	} {
		t.Run(tool, func(t *testing.T) {
			source := filepath.Join("..", "event", "testdata", test.log)
			l := opened(t, Config{Dir: t.TempDir(), Flavour: test.flavour, FileSize: 5000, ServerID: 1})
			store(t, l, source)
			files := l.Files()
			if err := l.Close(); err != nil { // until then there is room behind the end
				t.Fatal(err)
			}
			var names []string
			for _, f := range files {
				names = append(names, filepath.Join(l.config.Dir, f.Name))
			}
			want, got := said(t, tool, source), said(t, tool, names...)
			if diff := cmp.Diff(want, got); len(files) < 3 || len(want) < 100 || diff != "" {
				t.Errorf("%d files, %d events: %s", len(files), len(want), diff)
			}
		})
	}
}

// store appends the events of a server's file.
func store(t *testing.T, l *Log, name string) {
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	tracker := event.NewTracker(event.Format{})
	for rest := raw[4:]; len(rest) > 0; {
		e, err := event.Next(rest)
		if err != nil {
			t.Fatal(err)
		}
		rest = rest[len(e):]
		m, err := tracker.Next(e)
		if err == nil && e.Type() == event.FormatDescription {
			err = l.Rotate(e)
		} else if err == nil {
			err = l.Append(e, m)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Sync(); err != nil {
		t.Fatal(err)
	}
}

// eventLine is what the tools print of each event: its header and its
// checksum. notStored are the events that are the file's own.
var (
	eventLine = regexp.MustCompile(`(?m)^#\d{6} .* end_log_pos \d+ CRC32 0x[0-9a-f]+.*$`)
	notStored = regexp.MustCompile(`Start: |Previous-GTIDs|Rotate to|Gtid list|Binlog checkpoint`)
)

// said is what a server's tool says of files: a line for each event of a
// transaction.
func said(t *testing.T, tool string, names ...string) (out []string) {
	t.Helper()
	cache, err := playground.CacheDir()
	if err != nil {
		t.Fatal(err)
	}
	args := append([]string{"--no-defaults", "--verify-binlog-checksum", "--local-load=" + t.TempDir()}, names...)
	cmd := exec.Command(filepath.Join(cache, "bin", tool), args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	text, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s (scripts/servers.sh gets the servers' tools)", err, &stderr)
	}
	for _, line := range eventLine.FindAllString(string(text), -1) {
		if !notStored.MatchString(line) {
			out = append(out, line)
		}
	}
	return out
}
