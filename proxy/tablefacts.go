package proxy

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/proxy/backend"
)

// tableFacts is what must be known of a table, and of its server, to rebuild an OK.
type tableFacts struct {
	// column is the place of the one that counts up by itself, from 0; -1 without one.
	column   int
	name     string
	bits     int // of its type
	cascades bool
	sqlMode  string
}

// tables remembers the facts of tables for a moment: many writes to one table are
// lost together. Any number of goroutines use it.
type tables struct {
	mu    sync.Mutex
	known map[[2]string]knownTable
}

type knownTable struct {
	facts tableFacts
	until time.Time
}

const tableSpan = 5 * time.Second

func (t *tables) get(key [2]string) (tableFacts, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	k, ok := t.known[key]
	return k.facts, ok && time.Now().Before(k.until)
}

func (t *tables) put(key [2]string, f tableFacts) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.known == nil || len(t.known) > 1000 {
		t.known = map[[2]string]knownTable{}
	}
	t.known[key] = knownTable{f, time.Now().Add(tableSpan)}
}

// tableFacts is what a node knows of a table: of a master that was just lost, its
// slaves, which have it too; where none of them answers, the next master, within
// the patience of the request.
func (x *session) tableFacts(r *request, schema, table string) (tableFacts, error) {
	key := [2]string{schema, table}
	for {
		if f, ok := x.server.tables.get(key); ok {
			return f, nil
		}
		t := x.topology()
		f, err := x.askFacts(t, factsSQL(schema, table))
		if err == nil {
			x.server.tables.put(key, f)
			return f, nil
		}
		if x.hold(r, t, awaitPause) != holdGoesOn {
			return tableFacts{}, err
		}
	}
}

// askFacts asks one node after the other that may answer, the slaves first.
func (x *session) askFacts(t *cluster.Topology, text string) (f tableFacts, err error) {
	nodes := slices.Clone(t.Readable)
	if t.Master >= 0 {
		nodes = append(nodes, t.Master)
	}
	err = errNoNode
	for _, node := range nodes {
		var answer string
		if err = x.aside(t, node, func(c *backend.Conn) (err error) {
			answer, err = c.Query(text)
			return err
		}); err != nil {
			continue
		}
		if f, err = parseFacts(answer); err == nil {
			return f, nil
		}
	}
	return tableFacts{}, err
}

// factsSQL asks for the facts in one value. The names are hexadecimal, so that it
// holds under every character set and sql_mode.
func factsSQL(schema, table string) string {
	s, n := fmt.Sprintf("_utf8mb4 x'%x'", schema), fmt.Sprintf("_utf8mb4 x'%x'", table)
	return "SELECT CONCAT_WS('|', @@global.sql_mode, " +
		"(SELECT COUNT(*) FROM information_schema.referential_constraints WHERE constraint_schema = " + s + " AND table_name = " + n +
		" AND referenced_table_name = " + n + "), " +
		"IFNULL((SELECT CONCAT(ordinal_position, '|', data_type, '|', column_name) FROM information_schema.columns WHERE table_schema = " + s +
		" AND table_name = " + n + " AND extra LIKE '%auto_increment%'), ''), " +
		// A virtual column may not be in the log, so that the places are others there.
		"(SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = " + s + " AND table_name = " + n + " AND extra LIKE '%VIRTUAL%'), " +
		"(SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = " + s + " AND table_name = " + n + "))"
}

// parseFacts reads the answer to factsSQL.
func parseFacts(text string) (tableFacts, error) {
	parts := strings.Split(text, "|")
	f := tableFacts{column: -1}
	if len(parts) < 5 || parts[len(parts)-1] != "1" {
		return f, fmt.Errorf("it is not to be seen")
	}
	f.sqlMode, f.cascades = parts[0], parts[1] != "0"
	if len(parts) < 7 {
		return f, nil
	}
	place, err := strconv.Atoi(parts[2])
	if err != nil {
		return f, fmt.Errorf("read place of a column: %w", err)
	}
	f.column, f.bits, f.name = place-1, integerBits[parts[3]], strings.Join(parts[4:len(parts)-2], "|")
	if parts[len(parts)-2] != "0" {
		f.bits = 0
	}
	return f, nil
}

var integerBits = map[string]int{"tinyint": 8, "smallint": 16, "mediumint": 24, "int": 32, "bigint": 64}

// id takes a value of the column that counts up, which is never negative: one that
// was read as such has no sign.
func (f *tableFacts) id(v any) (id uint64, ok bool) {
	switch n := v.(type) {
	case int8:
		id = uint64(n)
	case int16:
		id = uint64(n)
	case int32:
		id = uint64(n)
	case int64:
		id = uint64(n)
	case int:
		id = uint64(n)
	case uint8:
		id = uint64(n)
	case uint16:
		id = uint64(n)
	case uint32:
		id = uint64(n)
	case uint64:
		id = n
	default:
		return 0, false
	}
	if f.bits == 0 {
		return 0, false
	}
	return id & (1<<f.bits - 1), true
}
