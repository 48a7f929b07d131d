package compose

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
)

// Schema is a table's schema: a fragment, or its columns given as JSON. Its
// text is a fragment in any case, and checked as one.
type Schema string

// column is a column of a schema given as JSON.
type column struct {
	Name    string          `json:"name"`
	Type    string          `json:"type"`
	Null    *bool           `json:"null"`
	Default json.RawMessage `json:"default"`
	Auto    bool            `json:"auto_increment"`
	Primary bool            `json:"primary_key"`
	Unique  bool            `json:"unique"`
	Comment string          `json:"comment"`
}

var errSchema = errors.New(`wants a string of SQL, a list of columns ("name TYPE" or {"name": ..., "type": ...}), or an object {name: type}`)

// UnmarshalJSON takes a string as the fragment, a list of fragments or of
// objects, one for each column, or an object of names and types.
func (s *Schema) UnmarshalJSON(data []byte) error {
	switch data = bytes.TrimSpace(data); {
	case len(data) > 0 && data[0] == '"':
		var text string
		err := json.Unmarshal(data, &text)
		*s = Schema(text)
		return err
	case len(data) > 0 && data[0] == '[':
		return s.list(data)
	case len(data) > 0 && data[0] == '{':
		return s.object(data)
	}
	return errSchema
}

func (s *Schema) list(data []byte) error {
	var entries []json.RawMessage
	if err := json.Unmarshal(data, &entries); err != nil {
		return err
	}
	texts := make([]string, len(entries))
	for i, entry := range entries {
		if len(entry) > 0 && entry[0] == '"' {
			if err := json.Unmarshal(entry, &texts[i]); err != nil {
				return err
			}
			continue
		}
		var c column
		d := json.NewDecoder(bytes.NewReader(entry))
		d.DisallowUnknownFields()
		if err := d.Decode(&c); err != nil {
			return err
		}
		text, err := c.text()
		if err != nil {
			return err
		}
		texts[i] = text
	}
	*s = Schema(strings.Join(texts, ", "))
	return nil
}

// object takes the columns in the order in which they stand.
func (s *Schema) object(data []byte) error {
	d := json.NewDecoder(bytes.NewReader(data))
	if _, err := d.Token(); err != nil {
		return err
	}
	var texts []string
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		text, _ := name.(string) // keys are strings
		c := column{Name: text}
		if err := d.Decode(&c.Type); err != nil {
			return errSchema
		}
		one, err := c.text()
		if err != nil {
			return err
		}
		texts = append(texts, one)
	}
	*s = Schema(strings.Join(texts, ", "))
	return nil
}

// text is the column as a fragment.
func (c column) text() (string, error) {
	if c.Name == "" || strings.TrimSpace(c.Type) == "" {
		return "", errSchema
	}
	text := Quote(c.Name) + " " + c.Type
	if c.Null != nil && !*c.Null {
		text += " NOT NULL"
	}
	if len(c.Default) > 0 {
		value, err := literal(c.Default)
		if err != nil {
			return "", err
		}
		text += " DEFAULT " + value
	}
	for _, option := range []struct {
		wanted bool
		word   string
	}{{c.Auto, " AUTO_INCREMENT"}, {c.Primary, " PRIMARY KEY"}, {c.Unique, " UNIQUE"}, {c.Comment != "", " COMMENT " + quoteString(c.Comment)}} {
		if option.wanted {
			text += option.word
		}
	}
	return text, nil
}

// literal writes a scalar of JSON as SQL.
func literal(raw json.RawMessage) (string, error) {
	switch raw[0] {
	case '"':
		var text string
		err := json.Unmarshal(raw, &text)
		return quoteString(text), err
	case '{', '[':
		return "", errors.New("default wants a string, a number, true, false or null")
	}
	return string(raw), nil // which JSON's decoder has found to be a number or a word
}

// quoteString writes text as SQLMode reads it.
func quoteString(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", "''").Replace(text) + "'"
}

// Names are columns to be shown: a fragment, or a list of names.
type Names string

// UnmarshalJSON takes a string as the fragment, a list as names.
func (n *Names) UnmarshalJSON(data []byte) error {
	if data = bytes.TrimSpace(data); len(data) == 0 || data[0] != '[' {
		return json.Unmarshal(data, (*string)(n))
	}
	var names []string
	if err := json.Unmarshal(data, &names); err != nil {
		return err
	}
	quoted, err := quoteAll("columns", names)
	*n = Names(strings.Join(quoted, ", "))
	return err
}
