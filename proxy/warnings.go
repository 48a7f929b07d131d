package proxy

import (
	"strings"

	"github.com/bellwether-db/bellwether/router"
)

// clearsWarnings reports whether a statement is certain to clear the list of
// warnings on MariaDB: it does where a statement names a table.
func clearsWarnings(s *router.Statement) bool {
	f := s.Fingerprint
	switch {
	case s.Flags.Has(router.Multi):
		return false
	case s.Kind == router.KindWrite:
		return true
	case s.Kind == router.KindRead:
		return selectsFromTable(f)
	case s.Kind == router.KindShow:
		rest, shows := strings.CutPrefix(f, "show ")
		return shows && effectOfShow(rest) == foundSets
	}
	for _, ddl := range [...]string{"create table", "create temporary table", "alter table", "drop table", "drop temporary table",
		"create index", "drop index", "rename table", "truncate", "lock tables", "analyze table"} {
		if strings.HasPrefix(f, ddl) {
			return true
		}
	}
	return false
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
