// Package dialect knows how each version of MySQL and MariaDB says the same
// things about replication: statements, options, variables, plugins, columns.
// All of it is one table, in table.go; the rest of the house asks for a Term.
//
// It is pure: it talks to no server and decides nothing. Sources: the manuals'
// pages "SQL Statements for Controlling Replica Servers", "What Is New" and
// "Changes in" of MySQL 5.7, 8.0, 8.4 and 9.x, and of MariaDB's knowledge base
// "CHANGE MASTER TO", "SHOW ALL SLAVES STATUS" and "Replication and Binary Log
// System Variables". MySQL 9.7 and MariaDB 10.11 were looked at themselves.
package dialect

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/bellwether-db/bellwether/cluster"
)

// ErrVersion is what every error of For wraps: the version cannot be read, or
// is older than anything in the table.
var ErrVersion = errors.New("no dialect for this version")

// Version is a server's version: major, minor, patch.
type Version [3]int

// String returns the version with dots.
func (v Version) String() string { return fmt.Sprintf("%d.%d.%d", v[0], v[1], v[2]) }

// less says whether v is older than other.
func (v Version) less(other Version) bool {
	for i := range v {
		if v[i] != other[i] {
			return v[i] < other[i]
		}
	}
	return false
}

// Dialect is how one version of a server says things. It is immutable and may
// be used by any number of goroutines.
type Dialect struct {
	flavour cluster.Flavour
	version Version
	words   [termCount]string
}

// oldest are the first versions that the table describes.
var oldest = map[cluster.Flavour]Version{
	cluster.FlavourMySQL:   mysql57,
	cluster.FlavourMariaDB: maria103,
}

// For returns the dialect of a server by the version that it shows, such as
// "8.0.36-0ubuntu0", "5.7.44-log" or "5.5.5-10.11.6-MariaDB". A version newer
// than the table speaks like the newest in it. Its errors wrap ErrVersion.
func For(text string) (*Dialect, error) {
	version, err := parse(text)
	if err != nil {
		return nil, err
	}
	d := &Dialect{flavour: cluster.FlavourMySQL, version: version}
	if strings.Contains(strings.ToLower(text), "mariadb") {
		d.flavour = cluster.FlavourMariaDB
	}
	if first := oldest[d.flavour]; version.less(first) {
		return nil, fmt.Errorf("%v %v is older than %v: %w", d.flavour, version, first, ErrVersion)
	}
	for term := range table {
		d.words[term] = table[term].in(d.flavour).at(version)
	}
	return d, nil
}

// parse reads the numbers at the front of a version, which MariaDB's older
// greetings hide behind 5.5.5-.
func parse(text string) (v Version, err error) {
	numbers := strings.TrimPrefix(text, "5.5.5-")
	if end := strings.IndexFunc(numbers, func(r rune) bool { return r != '.' && (r < '0' || r > '9') }); end >= 0 {
		numbers = numbers[:end]
	}
	parts := strings.Split(numbers, ".")
	if len(parts) < 2 {
		return v, fmt.Errorf("read version %q: %w", text, ErrVersion)
	}
	for i := range min(len(parts), len(v)) {
		if v[i], err = strconv.Atoi(parts[i]); err != nil {
			return v, fmt.Errorf("read version %q: %w", text, ErrVersion)
		}
	}
	return v, nil
}

// Flavour says whose dialect it is.
func (d *Dialect) Flavour() cluster.Flavour { return d.flavour }

// Version is the server's version.
func (d *Dialect) Version() Version { return d.version }

// MariaDB says whether the server is one.
func (d *Dialect) MariaDB() bool { return d.flavour == cluster.FlavourMariaDB }

// String returns family and version.
func (d *Dialect) String() string { return d.flavour.String() + " " + d.version.String() }

// Say returns the server's words for a term; "" where it has none.
func (d *Dialect) Say(t Term) string {
	if int(t) >= len(d.words) {
		return ""
	}
	return d.words[t]
}

// Has says whether the server has words for a term.
func (d *Dialect) Has(t Term) bool { return d.Say(t) != "" }

// WithOldSemiSync returns the dialect of a MySQL of 8.0.26 or later on which the
// semi-synchronous plugins were installed under their older names, as they stay
// after an upgrade: plugins and variables are then called as before.
func (d *Dialect) WithOldSemiSync() *Dialect {
	if d.MariaDB() {
		return d
	}
	old := *d
	for t := firstSemiSync; t <= lastSemiSync; t++ {
		old.words[t] = table[t].mysql.at(mysql57)
	}
	return &old
}
