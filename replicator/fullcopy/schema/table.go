package schema

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Table is a table, or a sequence of MariaDB. It is a value; do not change what
// its slices hold.
type Table struct {
	Schema, Name string
	Engine       string // as the server writes it
	Sequence     bool
	// Versioned tables of MariaDB keep their rows' history.
	Versioned bool
	// Create is what SHOW CREATE says.
	Create  string
	Columns []Column
	// Key is the primary key, nil where there is none that ranges can be made of.
	Key []Column
	// Rows and Bytes are the server's estimates.
	Rows, Bytes uint64
}

// Path is the quoted name with the database.
func (t *Table) Path() string { return Quote(t.Schema) + "." + Quote(t.Name) }

// String is the name with the database, for people.
func (t *Table) String() string { return t.Schema + "." + t.Name }

// transactional are the engines with snapshots.
var transactional = []string{"InnoDB", "ROCKSDB", "TokuDB", "ndbcluster"}

// elsewhere are the engines whose rows are kept by another table or server, or
// by nobody: their definitions are copied, and nothing of what they show.
var elsewhere = []string{"FEDERATED", "MRG_MYISAM", "BLACKHOLE", "SPIDER", "CONNECT", "SPHINX", "OQGRAPH", "S3", "PERFORMANCE_SCHEMA"}

// Transactional says whether a snapshot holds the table as it was.
func (t *Table) Transactional() bool { return within(transactional, t.Engine) }

// HasData says whether the table has rows of its own.
func (t *Table) HasData() bool { return !t.Sequence && !within(elsewhere, t.Engine) }

// Deletes says whether rows can be removed again.
func (t *Table) Deletes() bool { return !strings.EqualFold(t.Engine, "ARCHIVE") }

func within(engines []string, engine string) bool {
	return slices.ContainsFunc(engines, func(e string) bool { return strings.EqualFold(e, engine) })
}

// Loaded are the columns that are copied: all that the server does not compute.
func (t *Table) Loaded() []Column {
	var out []Column
	for _, c := range t.Columns {
		if !c.Generated {
			out = append(out, c)
		}
	}
	return out
}

// SameAs says whether two tables are defined alike; the next auto-increment
// value does not count.
func (t *Table) SameAs(other *Table) bool { return t.Comparable() == other.Comparable() }

// charset is what MySQL shows of a column's character set beside its collation
// or not, depending on how it was once defined.
var charset = regexp.MustCompile(` CHARACTER SET \w+( COLLATE \w+)`)

// Comparable is the definition without the next auto-increment value.
func (t *Table) Comparable() string {
	text, number, after := t.autoIncrement()
	if number != "" {
		text += after
	}
	return charset.ReplaceAllString(text, "$1")
}

const autoIncrement = " AUTO_INCREMENT="

// autoIncrement cuts the option of that name out of the table's options, which
// come behind the last line's parenthesis.
func (t *Table) autoIncrement() (before, number, after string) {
	options := strings.LastIndex(t.Create, "\n) ")
	if options < 0 {
		return t.Create, "", ""
	}
	line := t.Create[options:]
	// A comment of the table may hold anything, and comes later.
	comment := strings.Index(line, " COMMENT='")
	at := strings.Index(line, autoIncrement)
	if at < 0 || comment >= 0 && comment < at {
		return t.Create, "", ""
	}
	rest := line[at+len(autoIncrement):]
	end := 0
	for end < len(rest) && rest[end] >= '0' && rest[end] <= '9' {
		end++
	}
	return t.Create[:options+at], rest[:end], rest[end:]
}

// AutoIncrement is the next value of the auto-increment column, 0 without one.
func (t *Table) AutoIncrement() uint64 {
	_, number, _ := t.autoIncrement()
	n, _ := strconv.ParseUint(number, 10, 64) // digits, or nothing
	return n
}
