//go:build soak

package acceptance

import (
	"context"
	"database/sql"
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/internal/playground"
)

// converge waits until every node and the stored log have the same GTID set,
// once nobody writes any more.
func (f *fed) converge() {
	f.Helper()
	begun := time.Now()
	deadline := begun.Add(2*soakFor(f.T) + 3*time.Minute)
	for {
		problem := f.unequal()
		if problem == "" {
			break
		}
		if time.Now().After(deadline) {
			f.Fatalf("%v after the last write: %s", time.Since(begun).Round(time.Second), problem)
		}
		f.rest(200 * time.Millisecond)
	}
	f.Logf("equal GTID sets everywhere %v after the last write", time.Since(begun).Round(time.Millisecond))
}

// unequal says whose GTID set is not the master's.
func (f *fed) unequal() string {
	want, err := f.executed(f.servers.Master)
	if err != nil {
		return err.Error()
	}
	for _, n := range f.servers.Slaves() {
		has, err := f.executed(n)
		if err != nil || !equalSets(has, want) {
			return fmt.Sprintf("%s has %v (%v), the master %v", n.Name, has, err, want)
		}
	}
	stored, err := f.stored()
	if err != nil || !equalSets(stored, want) {
		return fmt.Sprintf("the stored log has %v (%v), the master %v", stored, err, want)
	}
	return ""
}

func equalSets(a, b *cluster.GTIDSet) bool { return a.ContainsSet(b) && b.ContainsSet(a) }

func (f *fed) executed(n *playground.Node) (*cluster.GTIDSet, error) {
	query := "SELECT @@GLOBAL.gtid_executed"
	if f.mariadb() {
		query = "SELECT @@GLOBAL.gtid_binlog_pos"
	}
	text, err := n.Query(f.Context(), query)
	if err != nil {
		return nil, err
	}
	return f.set(text)
}

// verified is what `bellwether log verify` says of a log that is well.
var verified = regexp.MustCompile(`(?s)\nto +(.*?)\n(?:\d+ bytes behind.*)?All is well\.`)

// stored is what the stored log has, after every byte of it was read.
func (f *fed) stored() (*cluster.GTIDSet, error) {
	ctx, cancel := context.WithTimeout(f.Context(), 10*patience)
	defer cancel()
	out, err := exec.CommandContext(ctx, f.proxy.command.Path, "log", "verify", "--config", f.config).CombinedOutput()
	said := verified.FindStringSubmatch(string(out))
	if err != nil || said == nil {
		return nil, fmt.Errorf("log verify: %v: %s", err, out)
	}
	return f.set(said[1])
}

// same wants every object of every node equal to the master's: its definition,
// and for a table its checksum. It returns how many objects there are.
func (f *fed) same() int {
	f.Helper()
	want, err := f.portrait(f.servers.Master)
	f.must(err)
	for _, n := range f.servers.Slaves() {
		got, err := f.portrait(n)
		f.must(err)
		for _, name := range differences(want, got) {
			f.Errorf("%s of %s:\n%s\nthe master's:\n%s", name, n.Name, clipped(got[name], 2000), clipped(want[name], 2000))
		}
	}
	return len(want)
}

// differences names what is not the same in two portraits, in order.
func differences(a, b map[string]string) (names []string) {
	for name := range a {
		if mine, has := b[name]; !has || mine != a[name] {
			names = append(names, name)
		}
	}
	for name := range b {
		if _, has := a[name]; !has {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// notOurs are the schemas of the servers themselves.
const notOurs = "('mysql', 'sys', 'information_schema', 'performance_schema')"

// objects find what a node has: each gives a kind, as SHOW CREATE names it, and
// a quoted name.
var objects = []string{
	"SELECT 'DATABASE', CONCAT('`', SCHEMA_NAME, '`') FROM information_schema.SCHEMATA WHERE SCHEMA_NAME NOT IN " + notOurs,
	"SELECT CASE TABLE_TYPE WHEN 'VIEW' THEN 'VIEW' WHEN 'SEQUENCE' THEN 'SEQUENCE' ELSE 'TABLE' END, CONCAT('`', TABLE_SCHEMA, '`.`', TABLE_NAME, '`') FROM information_schema.TABLES WHERE TABLE_SCHEMA NOT IN " + notOurs,
	"SELECT ROUTINE_TYPE, CONCAT('`', ROUTINE_SCHEMA, '`.`', ROUTINE_NAME, '`') FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA NOT IN " + notOurs,
	"SELECT 'TRIGGER', CONCAT('`', TRIGGER_SCHEMA, '`.`', TRIGGER_NAME, '`') FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA NOT IN " + notOurs,
	"SELECT 'EVENT', CONCAT('`', EVENT_SCHEMA, '`.`', EVENT_NAME, '`') FROM information_schema.EVENTS",
	"SELECT 'USER', CONCAT('''', User, '''@''', Host, '''') FROM mysql.user WHERE User LIKE 'soak%' AND Host <> ''",
	"SELECT 'ROLE', CONCAT('`', User, '`') FROM mysql.user WHERE User LIKE 'soak%' AND Host = ''", // MariaDB's
}

// portrait is every object of a node, by kind and name.
func (f *fed) portrait(n *playground.Node) (map[string]string, error) {
	db := f.on(n, 1)
	defer db.Close()
	portrait := map[string]string{}
	for _, query := range objects {
		found, err := table(f.Context(), db, query)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", n.Name, err)
		}
		for _, object := range found {
			questions := []string{"SHOW CREATE " + object[0] + " " + object[1]}
			switch object[0] {
			case "ROLE":
				questions = []string{"SHOW GRANTS FOR " + object[1]}
			case "TABLE":
				questions = append(questions, "CHECKSUM TABLE "+object[1])
			case "SEQUENCE":
				questions = append(questions, "SELECT next_not_cached_value, cycle_count FROM "+object[1])
			case "USER":
				questions = append(questions, "SHOW GRANTS FOR "+object[1])
			}
			for _, q := range questions {
				answer, err := table(f.Context(), db, q)
				if err != nil {
					return nil, fmt.Errorf("%s: %s: %w", n.Name, q, err)
				}
				if strings.HasPrefix(q, "CHECKSUM") && (len(answer) != 1 || answer[0][1] == "NULL") {
					return nil, fmt.Errorf("%s: %s: %q", n.Name, q, answer) // the server says so where it could not read it
				}
				portrait[q] = normalDefinition(answer)
			}
		}
	}
	return portrait, nil
}

// own is what a definition legitimately has of its node: the next AUTO_INCREMENT,
// which a rollback moves and nobody replicates, and whether an event runs here.
var own = regexp.MustCompile(` AUTO_INCREMENT=\d+| (ENABLE|DISABLE)( ON (SLAVE|REPLICA))?\b`)

func normalDefinition(answer [][]string) string {
	var b strings.Builder
	for _, row := range answer {
		b.WriteString(strings.Join(row, " | "))
		b.WriteByte('\n')
	}
	return own.ReplaceAllString(b.String(), "")
}

// table reads the whole answer to a query, without the columns that say when an
// object was made here. NULL is "NULL".
func table(ctx context.Context, db *sql.DB, query string) ([][]string, error) {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", query, err)
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	var all [][]string
	for rows.Next() {
		values, targets := make([]sql.NullString, len(names)), make([]any, len(names))
		for i := range values {
			targets[i] = &values[i]
		}
		if err := rows.Scan(targets...); err != nil {
			return nil, err
		}
		var row []string
		for i, v := range values {
			if !v.Valid {
				v.String = "NULL"
			}
			if names[i] != "Created" {
				row = append(row, v.String)
			}
		}
		all = append(all, row)
	}
	return all, rows.Err()
}
