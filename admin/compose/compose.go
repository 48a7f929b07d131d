// Package compose makes the SQL of the REST calls. Whatever a caller says of
// values, columns and conditions is parsed, held against what such a part may
// be, and written anew from its syntax tree: a statement that leaves here names
// the table of the call and no other. Values that are given as JSON are bound
// or written as literals that need no quoting. It does no I/O.
package compose

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// SQLMode is the sql_mode that statements made here are meant for: strings in
// double quotes are strings, a backslash escapes, || is OR, and a value that
// does not fit is an error.
const SQLMode = "ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"

// Table is the table of a call, by its own name and its database's.
type Table struct{ Database, Name string }

// quoted is the table as SQL names it.
func (t Table) quoted() string { return Quote(t.Database) + "." + Quote(t.Name) }

// check refuses what is no name, and the servers' own schemas.
func (t Table) check() error {
	if err := checkDatabase("dbname", t.Database); err != nil {
		return err
	}
	return checkName("table", t.Name)
}

// Statement is SQL ready to be sent, with what is to be bound to its question
// marks in their order.
type Statement struct {
	Text string
	Args []any
}

// Refusal says which part of a call was refused, and why. It is the only
// error that this package returns for what a caller has sent.
type Refusal struct {
	// Part is the parameter's name, as the call has it.
	Part string
	// Reason is for people.
	Reason string
}

// Error names the part and the reason.
func (r *Refusal) Error() string { return r.Part + ": " + r.Reason }

func refuse(part, format string, args ...any) error {
	return &Refusal{Part: part, Reason: fmt.Sprintf(format, args...)}
}

// Quote writes a name as an identifier of SQL.
func Quote(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

// nameLimit is how many characters the servers take in a name.
const nameLimit = 64

// checkName refuses what neither server takes as a name.
func checkName(part, name string) error {
	switch {
	case name == "":
		return refuse(part, "is missing")
	case !utf8.ValidString(name) || strings.ContainsRune(name, 0):
		return refuse(part, "is no text")
	case utf8.RuneCountInString(name) > nameLimit:
		return refuse(part, "has more than %d characters", nameLimit)
	case strings.TrimRight(name, " ") != name:
		return refuse(part, "ends with a space, which no name may")
	case strings.IndexFunc(name, func(r rune) bool { return r > 0xFFFF }) >= 0:
		return refuse(part, "has a character that no name may have")
	}
	return nil
}

// Own reports whether a database is the servers' own, or Bellwether's. No call
// reaches one.
func Own(database string) bool {
	switch strings.ToLower(database) {
	case "mysql", "sys", "information_schema", "performance_schema", "bellwether":
		return true
	}
	return false
}

func checkDatabase(part, name string) error {
	if err := checkName(part, name); err != nil {
		return err
	}
	if Own(name) {
		return refuse(part, "%q is the servers' own or Bellwether's, and out of reach here", name)
	}
	return nil
}
