package compose

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Fields are columns and their values, as JSON has them: a number stays the
// digits that were sent, a string is bound, null is NULL, true and false are 1
// and 0, {"base64": "..."} is binary, and any other object or list is its JSON.
type Fields map[string]json.RawMessage

// UnmarshalJSON takes an object; one that names a column twice is an error, since
// nobody knows which value is meant.
func (f *Fields) UnmarshalJSON(data []byte) error {
	type plain Fields
	if err := json.Unmarshal(data, (*plain)(f)); err != nil || *f == nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(data))
	if _, err := d.Token(); err != nil {
		return err
	}
	seen := make(map[string]bool, len(*f))
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		text, _ := name.(string) // which the name of a member always is
		if seen[text] {
			return fmt.Errorf("%q is named twice", text)
		}
		seen[text] = true
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return err
		}
	}
	return nil
}

// names returns the columns in a fixed order, so that equal calls are equal
// statements.
func (f Fields) names() []string { return slices.Sorted(maps.Keys(f)) }

// Condition is a fragment of SQL, or columns and what they are to be. Its zero
// value is no condition.
type Condition struct {
	SQL    string
	Fields Fields
}

func (c Condition) empty() bool { return c.SQL == "" && c.Fields == nil }

// UnmarshalJSON takes a string as SQL, an object as fields.
func (c *Condition) UnmarshalJSON(data []byte) error {
	return either(data, &c.SQL, &c.Fields)
}

// Assignments are a fragment of SQL, or columns and their new values.
type Assignments struct {
	SQL    string
	Fields Fields
}

// UnmarshalJSON takes a string as SQL, an object as fields.
func (a *Assignments) UnmarshalJSON(data []byte) error {
	return either(data, &a.SQL, &a.Fields)
}

var errNeither = errors.New("wants a string of SQL, or an object of columns")

func either(data []byte, text *string, fields *Fields) error {
	switch data = bytes.TrimSpace(data); {
	case len(data) > 0 && data[0] == '"':
		return json.Unmarshal(data, text)
	case len(data) > 0 && data[0] == '{':
		return json.Unmarshal(data, fields)
	}
	return errNeither
}

// rowsLimit bounds the rows of one INSERT.
const rowsLimit = 1000

func (c *Composer) insertRows(t Table, rows []Fields) (Statement, error) {
	if len(rows) > rowsLimit {
		return Statement{}, refuse("rows", "are more than %d", rowsLimit)
	}
	names := rows[0].names()
	columns, err := quoteAll("row", names)
	if err != nil {
		return Statement{}, err
	}
	s := Statement{Text: "INSERT INTO " + t.quoted() + " (" + strings.Join(columns, ", ") + ") VALUES "}
	var text strings.Builder
	for i, row := range rows {
		if len(row) != len(names) || !slices.Equal(row.names(), names) {
			return Statement{}, refuse("rows", "row %d names other columns than the first", i+1)
		}
		if i > 0 {
			text.WriteString(", ")
		}
		values := make([]string, len(names))
		for j, name := range names {
			if values[j], err = s.value("row."+name, row[name]); err != nil {
				return Statement{}, err
			}
		}
		text.WriteString("(" + strings.Join(values, ", ") + ")")
	}
	s.Text += text.String()
	if len(s.Args) > argsLimit {
		return Statement{}, refuse("rows", "have more than %d values that are bound", argsLimit)
	}
	if len(rows) > 1 {
		return s, nil // names and literals only: to parse much of it would cost much
	}
	return c.checked("InsertStmt", t, s)
}

// argsLimit is how many values the servers let be bound.
const argsLimit = 65535

func quoteAll(part string, names []string) ([]string, error) {
	quoted := make([]string, len(names))
	for i, name := range names {
		if err := checkName(part, name); err != nil {
			return nil, err
		}
		quoted[i] = Quote(name)
	}
	return quoted, nil
}

// set adds what columns become.
func (c *Composer) set(s Statement, t Table, set Assignments) (Statement, error) {
	if set.Fields == nil {
		text, err := c.fragment(setPart(), t, set.SQL)
		s.Text += text
		return s, err
	}
	if len(set.Fields) == 0 {
		return s, refuse("set", "is empty")
	}
	for i, name := range set.Fields.names() {
		if err := checkName("set", name); err != nil {
			return s, err
		}
		value, err := s.value("set."+name, set.Fields[name])
		if err != nil {
			return s, err
		}
		if i > 0 {
			s.Text += ", "
		}
		s.Text += Quote(name) + " = " + value
	}
	return s, nil
}

// where adds a condition.
func (c *Composer) where(s Statement, t Table, where Condition) (Statement, error) {
	if where.Fields == nil {
		text, err := c.fragment(expressionPart("where"), t, where.SQL)
		s.Text += " WHERE " + text
		return s, err
	}
	if len(where.Fields) == 0 {
		return s, refuse("where", "is empty")
	}
	var tests []string
	for _, name := range where.Fields.names() {
		if err := checkName("where", name); err != nil {
			return s, err
		}
		more, err := s.compare(name, where.Fields[name])
		if err != nil {
			return s, err
		}
		tests = append(tests, more...)
	}
	s.Text += " WHERE " + strings.Join(tests, " AND ")
	return s, nil
}

// operators are the comparisons of a condition given as JSON.
var operators = map[string]string{
	"=": " = ", "!=": " != ", "<": " < ", "<=": " <= ", ">": " > ", ">=": " >= ",
	"like": " LIKE ", "not like": " NOT LIKE ", "in": " IN ", "not in": " NOT IN ",
}

// compare returns the tests of one column: a value it equals, a list it is
// in, or operators with theirs.
func (s *Statement) compare(name string, raw json.RawMessage) ([]string, error) {
	raw = bytes.TrimSpace(raw)
	part := "where." + name
	switch {
	case len(raw) > 0 && raw[0] == '[':
		test, err := s.in(part, name, " IN ", raw)
		return []string{test}, err
	case len(raw) == 0 || raw[0] != '{' || isBinary(raw):
		test, err := s.test(part, name, "=", raw)
		return []string{test}, err
	}
	var given Fields
	if err := json.Unmarshal(raw, &given); err != nil || len(given) == 0 {
		return nil, refuse(part, "wants a value, a list, or an object of comparisons")
	}
	var tests []string
	for _, word := range given.names() {
		test, err := s.test(part, name, word, given[word])
		if err != nil {
			return nil, err
		}
		tests = append(tests, test)
	}
	return tests, nil
}

// test writes one comparison.
func (s *Statement) test(part, name, word string, raw json.RawMessage) (string, error) {
	operator, ok := operators[strings.ToLower(word)]
	if !ok {
		return "", refuse(part, "has no comparison %q: there are %s", word, strings.Join(slices.Sorted(maps.Keys(operators)), ", "))
	}
	switch null := string(bytes.TrimSpace(raw)) == "null"; {
	case null && word == "=":
		return Quote(name) + " IS NULL", nil
	case null && word == "!=":
		return Quote(name) + " IS NOT NULL", nil
	case null:
		return "", refuse(part, "compares with null by %q, which finds nothing", word)
	case strings.HasSuffix(operator, "IN "):
		return s.in(part, name, operator, raw)
	}
	value, err := s.value(part, raw)
	return Quote(name) + operator + value, err
}

// in writes a test against a list.
func (s *Statement) in(part, name, operator string, raw json.RawMessage) (string, error) {
	var list []json.RawMessage
	if err := json.Unmarshal(raw, &list); err != nil || len(list) == 0 || len(list) > rowsLimit {
		return "", refuse(part, "wants a list of 1 to %d values", rowsLimit)
	}
	values := make([]string, len(list))
	for i := range list {
		var err error
		if values[i], err = s.value(part, list[i]); err != nil {
			return "", err
		}
	}
	return Quote(name) + operator + "(" + strings.Join(values, ", ") + ")", nil
}

// value writes a value of JSON: a literal that needs no quotes, or a question
// mark for what is then bound.
func (s *Statement) value(part string, raw json.RawMessage) (string, error) {
	raw = bytes.TrimSpace(raw)
	switch {
	case len(raw) == 0:
		return "", refuse(part, "is missing")
	case string(raw) == "null", string(raw) == "true", string(raw) == "false":
		return strings.ToUpper(string(raw)), nil
	case raw[0] == '-' || raw[0] >= '0' && raw[0] <= '9':
		if !json.Valid(raw) || len(raw) > digitsLimit+10 {
			return "", refuse(part, "is no number that a server takes")
		}
		return string(raw), nil
	}
	bound, err := binding(raw)
	if err != nil {
		return "", refuse(part, "%v", err)
	}
	s.Args = append(s.Args, bound)
	return "?", nil
}

// binding is what is bound for a string, an object or a list of JSON.
func binding(raw json.RawMessage) (any, error) {
	if raw[0] == '"' {
		var text string
		err := json.Unmarshal(raw, &text)
		return text, err
	}
	if !isBinary(raw) {
		return string(raw), nil
	}
	var marked struct {
		Base64 string `json:"base64"`
	}
	if err := json.Unmarshal(raw, &marked); err != nil {
		return nil, err
	}
	content, err := base64.StdEncoding.DecodeString(marked.Base64)
	if err != nil {
		return nil, fmt.Errorf("is no base64: %w", err)
	}
	return content, nil
}

// isBinary reports whether an object is the marking of binary.
func isBinary(raw json.RawMessage) bool {
	var keys map[string]json.RawMessage
	if raw[0] != '{' || json.Unmarshal(raw, &keys) != nil || len(keys) != 1 {
		return false
	}
	value, ok := keys["base64"]
	return ok && len(value) > 0 && value[0] == '"'
}
