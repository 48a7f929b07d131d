package acceptance

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/internal/acceptance/rawclient"
)

// landing is one statement of testdata/landing.txt that has been sent.
type landing struct {
	line   string // of the file, whole
	part   string // of the line
	marker string
	target string
	binary bool // counts where executed
}

// TestLanding sends every statement of the file with a marker of its own and
// reads in the nodes' general logs where each has landed.
func TestLanding(t *testing.T) {
	onEachFlavour(t, func(t *testing.T, w *world) {
		w.stage(t, "accland")
		logs := w.recordGeneralLogs(t)
		lines, err := readLanding("testdata/landing.txt", w.flavour)
		if err != nil {
			t.Fatal(err)
		}
		run := time.Now().UnixNano() // the logs keep what earlier runs wrote
		var sent []landing
		for i, line := range lines {
			more, err := land(w.proxy.proxyAddr, line, fmt.Sprintf("land-%d-%d", run, i))
			if err != nil {
				t.Errorf("%s\n  %v", line, err)
			}
			sent = append(sent, more...)
		}
		checkLandings(t, sent, logs)
	})
}

func readLanding(path, flavour string) ([]string, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open landings: %w", err)
	}
	defer file.Close()
	var lines []string
	scanner := bufio.NewScanner(file)
	for scanner.Scan() {
		line := strings.TrimSpace(scanner.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if line, ours := forFlavour(line, flavour); ours {
			lines = append(lines, line)
		}
	}
	return lines, scanner.Err()
}

// land plays one line as a client and returns its statements with their
// markers.
func land(addr, line, mark string) ([]landing, error) {
	how := client{deprecateEOF: true, sessionTrack: true, multi: true, schema: true}
	s, err := open(addr, how, "accland")
	if err != nil {
		return nil, err
	}
	defer s.conn.Close()
	var sent []landing
	handles := map[string]string{}
	for i, part := range strings.Split(line, " => ") {
		target, text, _ := strings.Cut(part, ": ")
		l := landing{line: line, part: part, marker: fmt.Sprintf("<%s-%d>", mark, i), target: target}
		if _, err := step(l.mark(text, handles)).run(s); err != nil {
			return sent, fmt.Errorf("run %q: %w", text, err)
		}
		sent = append(sent, l)
	}
	return sent, s.conn.Quit()
}

// mark puts the marker into a statement's text; an execution has the marker of
// its preparation.
func (l *landing) mark(text string, handles map[string]string) string {
	comment := " /* " + l.marker + " */"
	if strings.Contains(text, "# ") {
		comment = "\n" + comment
	}
	words := strings.Fields(text)
	switch {
	case words[0] == "!prepare":
		handles[words[1]] = l.marker
	case words[0] == "!execute":
		l.marker, l.binary = handles[words[1]], true
		return text
	case strings.HasPrefix(text, "!"):
		return text
	}
	return strings.TrimSuffix(text, ";") + comment
}

func checkLandings(t *testing.T, sent []landing, logs *generalLogs) {
	t.Helper()
	seen, err := logs.settled()
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for _, l := range sent {
		if l.target == "any" {
			continue
		}
		count++
		if problem := l.check(seen); problem != "" {
			t.Errorf("%s\n  %s: %s", l.line, l.part, problem)
		}
	}
	if count < 150 {
		t.Errorf("only %d statements with a known target, want 150", count)
	}
	t.Logf("%d statements with a known target", count)
}

// check compares where a statement should have landed with where it has.
func (l landing) check(seen entries) string {
	var onMaster, onSlaves int
	for node, list := range seen {
		n := list.count(l.marker, l.binary)
		if node == 0 {
			onMaster += n
		} else {
			onSlaves += n
		}
	}
	good := false
	switch l.target {
	case "master":
		good = onMaster > 0 && onSlaves == 0
	case "slave":
		good = onMaster == 0 && onSlaves > 0
	case "ddl":
		good = onMaster > 0
	}
	if good {
		return ""
	}
	return fmt.Sprintf("want %s, seen %d times on the master and %d on slaves", l.target, onMaster, onSlaves)
}

// recordGeneralLogs turns the general logs on for the length of a test.
func (w *world) recordGeneralLogs(t *testing.T) *generalLogs {
	t.Helper()
	logs := &generalLogs{}
	set := func(value string) error {
		var err error
		for _, n := range w.cluster.Nodes {
			err = errors.Join(err, asBoss(n.Addr(), func(c *rawclient.Conn) error {
				return script(c, "", []string{"SET GLOBAL general_log = " + value})
			}))
		}
		return err
	}
	if err := set("ON"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := set("OFF"); err != nil {
			t.Error(err)
		}
	})
	// The master first: index 0.
	logs.nodes = append(logs.nodes, w.cluster.Master)
	logs.nodes = append(logs.nodes, w.cluster.Slaves()...)
	return logs
}
