package proxy

import (
	"strings"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/router"
	"github.com/bellwether-db/bellwether/wire"
)

// foundEffect is what a statement does to FOUND_ROWS().
type foundEffect uint8

const (
	foundMaySet foundEffect = iota // not known here
	foundLeaves
	foundSets
)

// effectOnFound says what a statement that was answered by a has done to
// FOUND_ROWS(). The families differ, and nothing documents it: it was seen on
// MySQL 9.7 and MariaDB 10.11.
func effectOnFound(flavour cluster.Flavour, s *router.Statement, a *wire.Answer) foundEffect {
	f := strings.TrimLeft(s.Fingerprint, "(")
	switch {
	case s.Flags.Has(router.Multi):
		return effectOfMany(f, a)
	case s.Kind == router.KindCall:
		return effectOfCall(flavour, f, a)
	case a.Code != 0:
		return foundLeaves
	}
	word, rest := firstWord(f)
	switch s.Kind {
	case router.KindRead, router.KindShow:
		return effectOfRead(flavour, s.Kind, word, rest)
	case router.KindWrite:
		return effectOfWrite(flavour, f, a)
	case router.KindSet:
		return effectWhere(flavour == cluster.FlavourMariaDB, f)
	case router.KindDDL:
		return effectWhere(flavour == cluster.FlavourMariaDB && word == "create", f)
	}
	if a.HasRows && strings.HasPrefix(f, "select") {
		return foundSets
	}
	return foundLeaves
}

// firstWord cuts off the first word of a fingerprint.
func firstWord(f string) (word, rest string) {
	i := 0
	for i < len(f) && wordByte(f[i]) {
		i++
	}
	return f[:i], strings.TrimPrefix(f[i:], " ")
}

// effectWhere is that of statements that count the rows of a SELECT inside them
// only where it is so.
func effectWhere(counts bool, f string) foundEffect {
	switch {
	case !counts || !strings.Contains(f, "select"):
		return foundLeaves
	case strings.HasPrefix(f, "create view") || strings.HasPrefix(f, "create or replace view") ||
		strings.HasPrefix(f, "create function") || strings.HasPrefix(f, "create procedure"):
		return foundLeaves
	}
	return foundSets
}

func effectOfMany(f string, a *wire.Answer) foundEffect {
	switch {
	case a.Code != 0 && !a.Sent: // the first of them failed
		return foundLeaves
	case a.Code == 0 && strings.Contains(f, "select"):
		return foundSets
	case a.AnyRows && onlySelects(f): // a SELECT was answered before one failed
		return foundSets
	}
	return foundMaySet
}

// onlySelects reports whether rows in the answer to several statements can be
// those of SELECT only.
func onlySelects(f string) bool {
	for _, word := range [...]string{"show", "call", "desc", "explain", "execute", "analyze", "returning", "check", "values", "table", "handler"} {
		if strings.Contains(f, word) {
			return false
		}
	}
	return true
}

func effectOfCall(flavour cluster.Flavour, f string, a *wire.Answer) foundEffect {
	switch {
	case strings.HasPrefix(f, "do ") || strings.HasPrefix(f, "do("):
		if flavour == cluster.FlavourMySQL && a.Code == 0 {
			return foundSets
		}
		return foundLeaves
	case a.AnyRows:
		return foundSets
	case a.Code != 0 && strings.HasPrefix(f, "execute "):
		return foundLeaves
	}
	return foundMaySet
}

func effectOfRead(flavour cluster.Flavour, kind router.Kind, word, rest string) foundEffect {
	switch word {
	case "explain", "describe", "desc":
		if kind == router.KindShow && !strings.HasPrefix(rest, "select") {
			return foundSets // of a table
		}
		return foundLeaves
	case "show":
		return effectOfShow(rest)
	case "analyze":
		return foundMaySet
	case "values":
		if flavour == cluster.FlavourMariaDB {
			return foundLeaves
		}
	}
	return foundSets
}

// effectOfShow: some are reads of information_schema inside the server.
func effectOfShow(rest string) foundEffect {
	what, _, _ := strings.Cut(rest, " ")
	switch what {
	case "tables", "columns", "fields", "full", "extended", "index", "indexes", "keys", "variables", "session", "global", "local",
		"status", "character", "collation", "databases", "schemas", "table", "triggers", "events", "procedure", "function":
		return foundSets
	case "warnings", "errors", "count(*)", "count(*)warnings", "count(*)errors", "create", "grants":
		return foundLeaves
	}
	return foundMaySet
}

// behindWith is the UPDATE or DELETE behind the common table expressions of a
// statement, "" where it has none.
func behindWith(f string) string {
	depth := 0
	for i := range len(f) {
		switch {
		case f[i] == '(':
			depth++
		case f[i] == ')':
			depth--
		case depth == 0 && !wordByte(f[i-min(i, 1)]) && (strings.HasPrefix(f[i:], "update ") || strings.HasPrefix(f[i:], "delete ")):
			return f[i:]
		}
	}
	return ""
}

func effectOfWrite(flavour cluster.Flavour, f string, a *wire.Answer) foundEffect {
	mysql := flavour == cluster.FlavourMySQL
	switch {
	case strings.HasPrefix(f, "insert") || strings.HasPrefix(f, "replace"):
		return effectWhere(true, f)
	case strings.HasPrefix(f, "update"):
		if head, _, _ := strings.Cut(f, " set "); mysql || strings.ContainsAny(head, ",") || strings.Contains(head, " join ") {
			return foundSets
		}
		return foundLeaves
	case strings.HasPrefix(f, "delete"):
		one := strings.HasPrefix(f, "delete from") && !strings.Contains(f, " join ") && !strings.Contains(f, "using")
		if one || a.HasRows { // RETURNING is for one table only
			return foundLeaves
		}
		return foundSets
	case strings.HasPrefix(f, "load"):
		return foundLeaves
	case mysql && strings.HasPrefix(f, "with "):
		// A DELETE of one table leaves it, unless that looks into an expression.
		if change := behindWith(f); change != "" && effectOfWrite(flavour, change, a) == foundSets {
			return foundSets
		}
	case a.HasRows || strings.HasPrefix(f, "select"): // a locking read, SELECT ... INTO
		return foundSets
	}
	return foundMaySet
}
