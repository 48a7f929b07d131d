package rowimage

import (
	"encoding/hex"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Literal writes a value as SQL does: text as a string where it is valid UTF-8
// that can be shown, and else as a hexadecimal literal, so that it is the same
// bytes in any character set.
func Literal(v any) string {
	switch v := v.(type) {
	case nil:
		return "NULL"
	case Absent:
		return "DEFAULT"
	case Number:
		return string(v)
	case Moment:
		return "'" + string(v) + "'"
	case Document:
		return quote(string(v))
	case []byte:
		if !shown(v) {
			return "X'" + strings.ToUpper(hex.EncodeToString(v)) + "'"
		}
		return quote(string(v))
	}
	return fmt.Sprint(v)
}

func shown(text []byte) bool {
	if !utf8.Valid(text) {
		return false
	}
	for _, r := range string(text) {
		if !unicode.IsPrint(r) && r != '\n' && r != '\t' && r != '\r' {
			return false
		}
	}
	return true
}

// quote writes a string literal on one line.
func quote(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `''`, "\n", `\n`, "\r", `\r`, "\t", `\t`).Replace(text) + "'"
}
