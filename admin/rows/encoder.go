package rows

import (
	"encoding/base64"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Kind says how a column's values are written.
type Kind uint8

// The kinds of columns.
const (
	KindUnknown Kind = iota
	KindText         // a string; dates and times as well
	KindNumber       // the digits that the server sent
	KindBit          // a whole number
	KindJSON         // as it is
	KindBinary       // base64: {"base64": "..."} in JSON
)

// String returns the kind in lower case.
func (k Kind) String() string {
	return [...]string{"unknown", "text", "number", "bit", "json", "binary"}[min(k, 5)]
}

// KindOf returns the kind of a column by the name that go-sql-driver gives its
// type.
func KindOf(typeName string) Kind {
	switch strings.TrimPrefix(typeName, "UNSIGNED ") {
	case "TINYINT", "SMALLINT", "MEDIUMINT", "INT", "BIGINT", "DECIMAL", "FLOAT", "DOUBLE", "YEAR":
		return KindNumber
	case "BIT":
		return KindBit
	case "JSON":
		return KindJSON
	case "BINARY", "VARBINARY", "TINYBLOB", "BLOB", "MEDIUMBLOB", "LONGBLOB", "GEOMETRY", "VECTOR":
		return KindBinary
	}
	return KindText
}

// Column is a column of a result.
type Column struct {
	Name string
	Kind Kind
}

// Encoder writes rows of one result. It may be used by any number of
// goroutines.
type Encoder struct {
	columns []Column
	keys    [][]byte // each column's `"name":`, with the comma before it
}

// NewEncoder makes one for these columns. A name that comes again is written
// with _2 and so on behind it, because readers of JSON keep only one of two.
func NewEncoder(columns []Column) *Encoder {
	e := &Encoder{columns: make([]Column, len(columns)), keys: make([][]byte, len(columns))}
	taken := make(map[string]bool, len(columns))
	for i, c := range columns {
		name := c.Name
		for n := 2; taken[name]; n++ {
			name = c.Name + "_" + strconv.Itoa(n)
		}
		taken[name] = true
		e.columns[i] = Column{Name: name, Kind: c.Kind}
		if i > 0 {
			e.keys[i] = append(e.keys[i], ',')
		}
		e.keys[i] = append(appendString(e.keys[i], []byte(name)), ':')
	}
	return e
}

// AppendObject appends a row as an object of JSON. A value that is nil is NULL.
func (e *Encoder) AppendObject(to []byte, values [][]byte) []byte {
	to = append(to, '{')
	for i, value := range values {
		to = append(to, e.keys[i]...)
		to = appendValue(to, e.columns[i].Kind, value)
	}
	return append(to, '}')
}

func appendValue(to []byte, kind Kind, value []byte) []byte {
	switch {
	case value == nil:
		return append(to, "null"...)
	case kind == KindNumber:
		return append(to, number(value)...)
	case kind == KindBit:
		return strconv.AppendUint(to, bits(value), 10)
	case kind == KindJSON && len(value) > 0:
		return append(to, value...)
	case kind == KindBinary:
		to = append(to, `{"base64":"`...)
		to = base64.StdEncoding.AppendEncode(to, value)
		return append(to, `"}`...)
	}
	return appendString(to, value)
}

// number drops the zeros that ZEROFILL puts in front, which JSON does not take.
func number(digits []byte) []byte {
	for len(digits) > 1 && digits[0] == '0' && digits[1] >= '0' && digits[1] <= '9' {
		digits = digits[1:]
	}
	return digits
}

// bits is the whole number that a BIT column's bytes are.
func bits(value []byte) (n uint64) {
	for _, b := range value {
		n = n<<8 | uint64(b)
	}
	return n
}

const hexDigits = "0123456789abcdef"

// appendString appends text in the quotes of JSON. What is no UTF-8 becomes
// U+FFFD.
func appendString(to, text []byte) []byte {
	to = append(to, '"')
	begin := 0
	for i := 0; i < len(text); {
		b := text[i]
		if b >= 0x20 && b != '"' && b != '\\' && b < utf8.RuneSelf {
			i++
			continue
		}
		size := 1
		if b >= utf8.RuneSelf {
			var r rune
			if r, size = utf8.DecodeRune(text[i:]); r != utf8.RuneError || size > 1 {
				i += size
				continue
			}
		}
		to = append(to, text[begin:i]...)
		to = appendEscape(to, b)
		i += size
		begin = i
	}
	return append(append(to, text[begin:]...), '"')
}

func appendEscape(to []byte, b byte) []byte {
	switch b {
	case '"', '\\':
		return append(to, '\\', b)
	case '\n':
		return append(to, '\\', 'n')
	case '\r':
		return append(to, '\\', 'r')
	case '\t':
		return append(to, '\\', 't')
	}
	if b >= utf8.RuneSelf {
		return append(to, `\ufffd`...)
	}
	return append(to, '\\', 'u', '0', '0', hexDigits[b>>4], hexDigits[b&15])
}

// AppendNames appends CSV's first line.
func (e *Encoder) AppendNames(to []byte) []byte {
	for i, c := range e.columns {
		if i > 0 {
			to = append(to, ',')
		}
		to = appendField(to, []byte(c.Name))
	}
	return append(to, '\r', '\n')
}

// AppendLine appends a row as a line of CSV. NULL is an empty field, an empty
// string is "", and binary is base64.
func (e *Encoder) AppendLine(to []byte, values [][]byte) []byte {
	for i, value := range values {
		if i > 0 {
			to = append(to, ',')
		}
		switch kind := e.columns[i].Kind; {
		case value == nil:
		case kind == KindBit:
			to = strconv.AppendUint(to, bits(value), 10)
		case kind == KindBinary && len(value) > 0:
			to = base64.StdEncoding.AppendEncode(to, value)
		default:
			to = appendField(to, value)
		}
	}
	return append(to, '\r', '\n')
}

// appendField quotes what has to be.
func appendField(to, text []byte) []byte {
	plain := len(text) > 0
	for _, b := range text {
		plain = plain && b != '"' && b != ',' && b != '\n' && b != '\r'
	}
	if plain && text[0] != ' ' && text[len(text)-1] != ' ' {
		return append(to, text...)
	}
	to = append(to, '"')
	for _, b := range text {
		if b == '"' {
			to = append(to, '"')
		}
		to = append(to, b)
	}
	return append(to, '"')
}
