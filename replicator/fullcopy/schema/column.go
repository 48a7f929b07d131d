package schema

import (
	"fmt"
	"strings"
)

// Column is one column of a table. It is a value.
type Column struct {
	Name string
	// Type is the data type alone, in lower case.
	Type string
	// Charset is the character set of text, "" for everything else.
	Charset string
	// Generated columns are computed by the server and never loaded.
	Generated bool
	// Numbers says that the server gives values by itself, AUTO_INCREMENT.
	Numbers bool
	// Versioning is "start" or "end" for a column of MariaDB's system versioning.
	Versioning string
}

// way is how a type is read, loaded and compared.
type way uint8

const (
	wayBytes    way = iota // short text and bytes, as they are
	wayLong                // as wayBytes; may be longer than what functions return
	wayPlain               // numbers and times: what is printed is the value
	wayYear                // four digits, always: 0 would be 2000
	wayReal                // printed with all digits only as an expression
	wayNumbered            // by its number, which alone is unambiguous
	wayText                // printed text; bytes would be taken for something else
	wayLongText            // as wayText, of any length
)

// ways names the types that are not wayBytes.
var ways = map[string]way{
	"tinyint": wayPlain, "smallint": wayPlain, "mediumint": wayPlain, "int": wayPlain, "bigint": wayPlain, "decimal": wayPlain,
	"date": wayPlain, "datetime": wayPlain, "timestamp": wayPlain, "time": wayPlain,
	"year":  wayYear,
	"float": wayReal, "double": wayReal,
	"enum": wayNumbered, "set": wayNumbered, "bit": wayNumbered,
	"json": wayLongText, "uuid": wayText, "inet4": wayText, "inet6": wayText, "xmltype": wayLongText,
	"tinytext": wayLong, "text": wayLong, "mediumtext": wayLong, "longtext": wayLong,
	"tinyblob": wayLong, "blob": wayLong, "mediumblob": wayLong, "longblob": wayLong, "vector": wayLong,
	"geometry": wayLong, "point": wayLong, "linestring": wayLong, "polygon": wayLong, "multipoint": wayLong,
	"multilinestring": wayLong, "multipolygon": wayLong, "geometrycollection": wayLong, "geomcollection": wayLong,
}

func (c Column) way() way { return ways[c.Type] }

// Read is the expression whose text, in a session that converts nothing, is
// the whole value.
func (c Column) Read() string {
	switch c.way() {
	case wayReal:
		return Quote(c.Name) + " * 1e0" // the column itself is printed with six digits; -0 stays
	case wayNumbered:
		return "CAST(" + Quote(c.Name) + " AS UNSIGNED)"
	case wayYear:
		return "CAST(" + Quote(c.Name) + " AS CHAR)"
	default:
		return Quote(c.Name)
	}
}

// Load is where LOAD DATA, reading bytes, puts the column's field: the column
// itself or a variable, and then the assignment from that.
func (c Column) Load(position int) (into, assignment string) {
	variable := fmt.Sprintf("@v%d", position)
	switch c.way() {
	case wayPlain:
		if c.Numbers { // MariaDB forgets a 0 that was read where other columns are assigned to
			return variable, Quote(c.Name) + " = " + variable
		}
	case wayNumbered:
		return variable, Quote(c.Name) + " = CAST(" + variable + " AS UNSIGNED)"
	case wayText, wayLongText:
		return variable, Quote(c.Name) + " = CONVERT(" + variable + " USING utf8mb4)"
	}
	return Quote(c.Name), ""
}

// Insert is the SQL of a value whose text Read gave; nil is NULL.
func (c Column) Insert(text []byte) string {
	if text == nil {
		return "NULL"
	}
	switch c.way() {
	case wayNumbered:
		return string(text)
	case wayPlain, wayYear, wayReal: // as text: -0 as a number is 0
		return Literal(string(text))
	case wayText, wayLongText:
		return "CONVERT(_binary" + Literal(string(text)) + " USING utf8mb4)"
	}
	return "_binary" + Literal(string(text))
}

// digest is an expression of moderate length that differs where the values do.
func (c Column) digest() string {
	value := c.Read()
	switch c.way() {
	case wayBytes:
		value = "HEX(" + value + ")"
	case wayLong, wayLongText:
		value = "SHA2(" + value + ", 256)"
	}
	return "IFNULL(" + value + ", 'N')"
}

// keyRead is the expression by which a key's value is read, "" for a type that
// no range is made of.
func (c Column) keyRead() string {
	switch c.way() {
	case wayPlain, wayYear, wayReal, wayNumbered, wayText:
		return c.Read()
	case wayBytes:
		if c.known() {
			return Quote(c.Name)
		}
	}
	return ""
}

func (c Column) known() bool {
	return c.Type == "binary" || c.Type == "varbinary" || (c.Type == "char" || c.Type == "varchar") && c.Charset != ""
}

// keyLiteral is a value that keyRead gave, as SQL that compares with the column
// in the column's own order.
func (c Column) keyLiteral(value string) string {
	switch {
	case c.way() == wayBytes && c.Charset != "":
		return fmt.Sprintf("_%s X'%x'", c.Charset, value)
	case c.way() == wayBytes:
		return fmt.Sprintf("X'%x'", value)
	case c.way() == wayText, c.way() == wayYear, c.Type == "date", c.Type == "datetime", c.Type == "timestamp", c.Type == "time":
		return Literal(value)
	default:
		return value
	}
}

// names lists columns as identifiers.
func names(columns []Column) string {
	out := make([]string, len(columns))
	for i, c := range columns {
		out[i] = Quote(c.Name)
	}
	return strings.Join(out, ", ")
}
