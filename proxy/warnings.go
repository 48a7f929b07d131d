package proxy

import (
	"slices"
	"strings"

	"github.com/bellwether-db/bellwether/router"
)

// clearsWarnings reports whether a statement is certain to clear the list of
// warnings on MariaDB: it does where a statement names a table. Of several in one
// packet one is enough: the list is of those behind it then.
func clearsWarnings(s *router.Statement) bool {
	f := s.Fingerprint
	switch {
	case s.Flags.Has(router.Multi):
		return anyNamesTable(f)
	case s.Kind == router.KindWrite:
		return true
	case s.Kind == router.KindRead:
		return selectsFromTable(f)
	case s.Kind == router.KindShow:
		rest, shows := strings.CutPrefix(f, "show ")
		return shows && effectOfShow(rest) == foundSets
	}
	return beginsWith(f, "create table", "create temporary table", "alter table", "drop table", "drop temporary table",
		"create index", "drop index", "rename table", "truncate", "lock tables", "analyze table")
}

// anyNamesTable reports whether one of several statements is certain to name a table.
func anyNamesTable(f string) bool {
	for one := range strings.SplitSeq(f, ";") {
		one = strings.TrimLeft(one, " ")
		if selectsFromTable(one) || beginsWith(one, "insert ", "update ", "delete ", "replace ") {
			return true
		}
	}
	return false
}

func beginsWith(f string, words ...string) bool {
	return slices.ContainsFunc(words, func(word string) bool { return strings.HasPrefix(f, word) })
}

// selectsFromTable reports whether a SELECT names a table in the FROM of its own.
func selectsFromTable(f string) bool {
	f = strings.TrimLeft(f, "( ") // the first SELECT of a UNION
	if !strings.HasPrefix(f, "select") {
		return false
	}
	depth := 0
	for i := range len(f) {
		switch f[i] {
		case '(':
			depth++
		case ')':
			depth--
		case 'f':
			rest, from := strings.CutPrefix(f[i:], "from")
			if depth == 0 && from && !wordByte(f[i-1]) && len(rest) > 1 && !wordByte(rest[0]) {
				rest = strings.TrimLeft(rest, " ")
				return rest[0] != '(' && !strings.HasPrefix(rest, "dual") && !strings.HasPrefix(rest, "json_table")
			}
		}
	}
	return false
}

func wordByte(b byte) bool {
	return b == '_' || b == '$' || b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b == '@' || b == '.' || b >= 0x80
}
