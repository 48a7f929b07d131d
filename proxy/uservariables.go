package proxy

import (
	"strings"

	"github.com/bellwether-db/bellwether/router"
)

// plainAssignments reports whether the user variables that a SET gives
// literals can be given to another connection by the same text, whatever its
// sql_mode and character set.
func plainAssignments(s *router.Statement) bool {
	for _, a := range s.Assignments {
		if !plainLiteral(a.Literal) {
			return false
		}
	}
	return true
}

func plainLiteral(l string) bool {
	// NULL keeps the type that the variable had.
	if l == "" || strings.EqualFold(l, "null") || strings.ContainsAny(l, "\\\"`;/#") || strings.Contains(l, "--") || strings.Count(l, "'")%2 != 0 || strings.Count(l, "'") > 2 {
		return false
	}
	for i := range len(l) {
		if l[i] < ' ' || l[i] > '~' {
			return false
		}
	}
	return true
}

// carryUserVariables makes literals part of the state that connections are
// brought to.
func (x *session) carryUserVariables(s *router.Statement) {
	if s.Flags.Has(router.SetsUserVariables) || !plainAssignments(s) {
		return
	}
	for _, a := range s.Assignments {
		x.setState(quotedVariable(a.Name), x.carriedLiteral(a.Literal))
	}
}

func quotedVariable(name string) string {
	return "@`" + strings.ReplaceAll(strings.ToLower(name), "`", "``") + "`"
}

// carriedLiteral is a literal as another connection is given it: a string is of
// the character set and collation that were in force.
func (x *session) carriedLiteral(l string) string {
	if !strings.HasPrefix(l, "'") {
		return l
	}
	charset, collation := x.state.Connection()
	return "CONVERT(" + l + " USING " + charset + ") COLLATE " + collation
}

// carriesStrings reports whether the strings that a SET gives to user variables
// can be given to another connection: their character set must be known.
func (x *session) carriesStrings(s *router.Statement) bool {
	for _, a := range s.Assignments {
		if charset, _ := x.state.Connection(); strings.HasPrefix(a.Literal, "'") && charset == "" {
			return false
		}
	}
	return true
}

// makesUserVariables reports whether a statement makes user variables that were
// not set before, by the way.
func (x *session) makesUserVariables(s *router.Statement, prepared bool) bool {
	if !makesNulls(s, prepared) {
		return false
	}
	for rest := s.Fingerprint; ; {
		_, after, found := strings.Cut(rest, "@")
		if !found {
			return false
		}
		if strings.HasPrefix(after, "@") {
			rest = after[1:]
			continue
		}
		end := 0
		for end < len(after) && wordByte(after[end]) && after[end] != '@' {
			end++
		}
		if _, known := x.state.Get(quotedVariable(after[:end])); !known {
			return true
		}
		rest = after[end:]
	}
}
