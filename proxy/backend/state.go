package backend

import (
	"hash/maphash"
	"slices"
	"strings"
)

// State is the set of session variables that differ from a connection that
// was just reset, as the server's session tracking named them. It is immutable
// and may be shared by any number of sessions and connections.
type State struct {
	variables []Variable // by name
	hash      uint64
}

// Variable is one session variable and its value, as the server writes it; or
// one user variable, its name quoted and with @, and an SQL literal.
type Variable struct{ Name, Value string }

var stateSeed = maphash.MakeSeed()

// NewState makes a state of some variables.
func NewState(variables ...Variable) *State {
	s := &State{variables: slices.Clone(variables)}
	slices.SortFunc(s.variables, func(a, b Variable) int { return strings.Compare(a.Name, b.Name) })
	s.rehash()
	return s
}

// names is the variable that stands for SET NAMES x COLLATE y, which a
// handshake does too. It is not the same as setting the three variables that
// it sets: those remember the collation, and metadata show it. It comes before
// all others by its name.
const names = "!names"

// charsetVariables are those that SET NAMES sets.
var charsetVariables = [...]string{"character_set_client", "character_set_results", "collation_connection"}

// Charset returns the state that a handshake with this collation makes.
func Charset(charset, collation string) *State {
	return NewState(Variable{names, charset + " COLLATE " + collation})
}

// WithNames returns the state after SET NAMES with a collation.
func (s *State) WithNames(charset, collation string) *State {
	n := &State{variables: slices.DeleteFunc(slices.Clone(s.variables), func(v Variable) bool {
		return slices.Contains(charsetVariables[:], v.Name)
	})}
	n.rehash()
	return n.With(names, charset+" COLLATE "+collation)
}

// CharacterSetClient returns the character set of statements, "" where it is
// the server's default.
func (s *State) CharacterSetClient() string {
	if v, ok := s.Get("character_set_client"); ok {
		return v
	}
	v, _ := s.Get(names)
	charset, _, _ := strings.Cut(v, " ")
	return charset
}

// Connection returns character_set_connection and collation_connection, "" where
// they are the server's default.
func (s *State) Connection() (charset, collation string) {
	if v, ok := s.Get(names); ok {
		charset, collation, _ = strings.Cut(v, " COLLATE ")
	}
	if v, ok := s.Get("collation_connection"); ok {
		charset, _, _ = strings.Cut(v, "_")
		collation = v
	}
	return charset, collation
}

// parsing are the variables by which a server reads the text of a statement.
var parsing = [...]string{names, "character_set_client", "character_set_connection", "character_set_results", "collation_connection", "sql_mode"}

// ParsedAs returns s with everything from o by which a server reads the text of
// a statement: character set, collation, sql_mode. Where that is no different
// it returns s itself.
func (s *State) ParsedAs(o *State) *State {
	same := true
	for _, name := range parsing {
		mine, has := s.Get(name)
		theirs, have := o.Get(name)
		same = same && has == have && mine == theirs
	}
	if same {
		return s
	}
	n := &State{variables: slices.DeleteFunc(slices.Clone(s.variables), func(v Variable) bool {
		return slices.Contains(parsing[:], v.Name)
	})}
	for _, name := range parsing {
		if value, ok := o.Get(name); ok {
			i, _ := n.find(name)
			n.variables = slices.Insert(n.variables, i, Variable{name, value})
		}
	}
	n.rehash()
	return n
}

func (s *State) rehash() {
	var h maphash.Hash
	h.SetSeed(stateSeed)
	for _, v := range s.variables {
		h.WriteString(v.Name)
		h.WriteByte(0)
		h.WriteString(v.Value)
		h.WriteByte(0)
	}
	s.hash = h.Sum64()
}

// With returns the state with one variable changed, s itself where it is not.
func (s *State) With(name, value string) *State {
	i, found := s.find(name)
	if found && s.variables[i].Value == value {
		return s
	}
	n := &State{variables: slices.Clone(s.variables)}
	if found {
		n.variables[i].Value = value
	} else {
		n.variables = slices.Insert(n.variables, i, Variable{name, value})
	}
	n.rehash()
	return n
}

// Get returns the value of a variable.
func (s *State) Get(name string) (string, bool) {
	i, found := s.find(name)
	if !found {
		return "", false
	}
	return s.variables[i].Value, true
}

func (s *State) find(name string) (int, bool) {
	return slices.BinarySearchFunc(s.variables, name, func(v Variable, n string) int {
		return strings.Compare(v.Name, n)
	})
}

// Equal reports whether two states hold the same variables.
func (s *State) Equal(o *State) bool {
	return s == o || s.hash == o.hash && slices.Equal(s.variables, o.variables)
}

// Within reports whether every variable of s is one of o's too, so that a
// connection in s can be brought to o without a reset.
func (s *State) Within(o *State) bool {
	for _, v := range s.variables {
		if _, found := o.find(v.Name); !found {
			return false
		}
	}
	return true
}

// AppendSet appends the SET statement that brings a connection's system
// variables from s to o, nothing where there is no difference. s must be
// Within o.
func (s *State) AppendSet(dst []byte, o *State) []byte {
	start, renamed := len(dst), false
	for _, v := range o.variables {
		if v.Name[0] == '@' || s.has(v) && !(renamed && slices.Contains(charsetVariables[:], v.Name)) {
			continue
		}
		dst = appendSetOrComma(dst, start)
		if v.Name == names {
			dst, renamed = append(append(dst, "NAMES "...), v.Value...), true
			continue
		}
		dst = append(append(append(dst, "SESSION "...), v.Name...), '=')
		dst = appendValue(dst, v.Value, v.Name)
	}
	return dst
}

// AppendSetUser is AppendSet for user variables.
func (s *State) AppendSetUser(dst []byte, o *State) []byte {
	start := len(dst)
	for _, v := range o.variables {
		if v.Name[0] == '@' && !s.has(v) {
			dst = appendSetOrComma(dst, start)
			dst = append(append(append(dst, v.Name...), '='), v.Value...)
		}
	}
	return dst
}

func (s *State) has(v Variable) bool {
	value, found := s.Get(v.Name)
	return found && value == v.Value
}

func appendSetOrComma(dst []byte, start int) []byte {
	if len(dst) == start {
		return append(dst, "SET "...)
	}
	return append(dst, ", "...)
}

// appendValue writes a value so that the server takes it back as it said it:
// numbers bare, because numeric variables refuse strings, and the rest quoted
// in a way that holds under every sql_mode.
func appendValue(dst []byte, value, name string) []byte {
	switch {
	case value == "" && name == "character_set_results":
		return append(dst, "NULL"...)
	case isNumber(value):
		return append(dst, value...)
	case strings.ContainsAny(value, `\'`):
		return appendHex(dst, value)
	}
	dst = append(dst, '\'')
	dst = append(dst, value...)
	return append(dst, '\'')
}

func appendHex(dst []byte, s string) []byte {
	const digits = "0123456789abcdef"
	dst = append(dst, "x'"...)
	for i := range len(s) {
		dst = append(dst, digits[s[i]>>4], digits[s[i]&15])
	}
	return append(dst, '\'')
}

func isNumber(s string) bool {
	digits := 0
	for i := range len(s) {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			digits++
		case c == '.' && digits > 0, c == '-' && i == 0:
		default:
			return false
		}
	}
	return digits > 0
}
