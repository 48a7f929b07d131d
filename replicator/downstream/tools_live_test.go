package downstream

import (
	"bufio"
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/bellwether-db/bellwether/internal/playground"
	"github.com/bellwether-db/bellwether/replicator/event"
	"github.com/google/go-cmp/cmp"
)

// tools reads the stream with the servers' own tools and wants what they print
// of the master, positions aside.
func (w *world) tools() {
	w.exec(w.master, "INSERT INTO shop.t (v, n) VALUES ('one', 1), (REPEAT('two', 50000), 2)", "UPDATE shop.t SET n = 7 WHERE n = 1",
		"CREATE TABLE shop.u (a INT)", "ALTER TABLE shop.u ADD COLUMN b JSON", "DELETE FROM shop.t WHERE n = 7")
	w.copy()
	file := filepath.Base(w.query(w.master, "SELECT @@GLOBAL.log_bin_basename")) + ".000001"
	master := w.tool(w.master.Addr(), file)
	for name, options := range w.toolOptions() {
		w.same(name, master, w.tool(w.server.Addr().String(), append(options, w.first())...))
	}
	w.toolFromGTID(file)
	w.toolFromPosition(file)
	w.toolWaits()
}

// toolOptions are the ways to read everything.
func (w *world) toolOptions() map[string][]string {
	ways := map[string][]string{"by file": nil, "to the end": {"--to-last-log"}}
	if !w.mariaDB() {
		ways["by GTID"] = []string{"--read-from-remote-source=BINLOG-DUMP-GTIDS"}
	}
	return ways
}

// toolFromGTID leaves the first three transactions out.
func (w *world) toolFromGTID(file string) {
	gtids, _ := w.begins()
	third := gtids[2].String()
	options := []string{"--start-position=" + third}
	if !w.mariaDB() {
		options = []string{"--read-from-remote-source=BINLOG-DUMP-GTIDS", "--exclude-gtids=" + strings.Replace(third, ":3", ":1-3", 1)}
	}
	w.same("from a GTID", w.tool(w.master.Addr(), append(options, file)...), w.tool(w.server.Addr().String(), append(options, w.first())...))
}

// toolFromPosition begins at the fourth transaction.
func (w *world) toolFromPosition(file string) {
	_, ours := w.begins()
	from := func(at int64) string { return "--start-position=" + strconv.FormatInt(at, 10) }
	w.same("from a position", w.tool(w.master.Addr(), from(w.fourthOf(file)), file), w.tool(w.server.Addr().String(), from(ours[3]), w.first()))
}

// first is the name of the log's first file.
func (w *world) first() string { return w.log.Files()[0].Name }

// fourthOf is where the fourth transaction begins in a file of the master's.
func (w *world) fourthOf(file string) int64 {
	w.Helper()
	b, err := os.ReadFile(filepath.Join(w.dir, file))
	if err != nil {
		w.Fatal(err)
	}
	at, seen := beginningOfFile, 0
	for {
		e, err := event.Next(b[at:])
		if err != nil {
			w.Fatal(err)
		}
		if e.Type() == event.GTID || e.Type() == event.MariaGTID {
			if seen++; seen == 4 {
				return int64(at)
			}
		}
		at += len(e)
	}
}

// same compares what the tool prints of the master and of the log.
func (w *world) same(name, master, ours string) {
	w.Helper()
	if diff := cmp.Diff(printed(master), printed(ours)); diff != "" {
		w.Errorf("%s differs from the master (-master +ours):\n%s", name, clip(diff, 4000))
	}
}

// toolWaits reads for ever, and sees what comes.
func (w *world) toolWaits() {
	ctx, cancel := context.WithTimeout(w.Context(), patience)
	defer cancel()
	cmd := w.toolCommand(ctx, w.server.Addr().String(), "--stop-never", w.first())
	out, err := cmd.StdoutPipe()
	if err != nil {
		w.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		w.Fatal(err)
	}
	defer func() { cancel(); _ = cmd.Wait() }()
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	added := false
	for lines.Scan() {
		switch line := lines.Text(); {
		case !added && strings.Contains(line, "DELETE FROM"):
			added = true
			w.exec(w.master, "CREATE TABLE shop.late (a INT) COMMENT '"+strings.Repeat("late ", 200)+"'", "INSERT INTO shop.late VALUES (1)")
			w.copy()
		case strings.Contains(line, "late late"):
			return
		}
	}
	w.Errorf("the tool ended before it saw what came later: %v", lines.Err())
}

// tool runs the flavour's tool and returns what it prints.
func (w *world) tool(addr string, options ...string) string {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), patience)
	defer cancel()
	out, err := w.toolCommand(ctx, addr, options...).CombinedOutput()
	if err != nil {
		w.Errorf("%v: %v\n%s", options, err, clip(string(out), 4000))
	}
	return string(out)
}

func (w *world) toolCommand(ctx context.Context, addr string, options ...string) *exec.Cmd {
	w.Helper()
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		w.Fatal(err)
	}
	name := "mysqlbinlog"
	if w.mariaDB() {
		name = "mariadb-binlog"
	}
	arguments := []string{"--no-defaults"}
	if !strings.Contains(strings.Join(options, " "), "--read-from-remote-source") {
		arguments = append(arguments, "--read-from-remote-server")
	}
	account := w.nodes.Replication
	arguments = append(arguments, "--verbose", "--base64-output=decode-rows", "--host="+host, "--port="+port, "--user="+account.User)
	cmd := exec.CommandContext(ctx, program(w, name), append(arguments, options...)...)
	cmd.Env = append(os.Environ(), "MYSQL_PWD="+account.Password)
	return cmd
}

// program finds one of the servers' tools.
func program(w *world, name string) string {
	w.Helper()
	dir, err := playground.CacheDir()
	if err != nil {
		w.Fatal(err)
	}
	path := filepath.Join(dir, "bin", name)
	if _, err := os.Stat(path); err == nil {
		return path
	}
	if path, err = exec.LookPath(name); err != nil {
		w.Fatalf("%v: run scripts/servers.sh", err)
	}
	return path
}

var (
	// notOfTheStream are lines about a place in a file, about the tool's own
	// warnings, and about events that are only in the master's files.
	notOfTheStream = regexp.MustCompile(`^(# at |WARNING:|# Warning|.*\b(Rotate to|Stop|Binlog checkpoint|Gtid list|Previous-GTIDs|Start: binlog|Ignorable)\b)`)
	anyPosition    = regexp.MustCompile(`end_log_pos \d+|CRC32 0x[0-9a-f]+`)
)

// printed is what a tool prints, from the first transaction on.
func printed(text string) (out []string) {
	for line := range strings.SplitSeq(text, "\n") {
		if !notOfTheStream.MatchString(line) {
			out = append(out, anyPosition.ReplaceAllString(line, ""))
		}
	}
	return out
}
