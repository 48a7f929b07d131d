package schema

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// A document of MySQL's type JSON may hold values that its text does not show:
// DECIMAL, which read from text is a double and loses digits, DATETIME and the
// like, which are strings then, and numbers without a sign.

// SelectTyped is Select with one more column for each of Documents: NULL where the
// document's text is all that there is to it, else what Typed reads.
func (t *Table) SelectTyped(r Range) string {
	var extra strings.Builder
	for _, c := range t.Documents() {
		extra.WriteString(", " + c.leaves())
	}
	return strings.Replace(t.Select(r), " FROM "+t.Path(), extra.String()+" FROM "+t.Path(), 1)
}

// Documents are the columns of MySQL's type JSON.
func (t *Table) Documents() (out []Column) {
	for _, c := range t.Loaded() {
		if c.Type == "json" {
			out = append(out, c)
		}
	}
	return out
}

// leaves lists the values of a document that would come out differently of its
// text, as [path, type, text, bytes], if any would.
func (c Column) leaves() string {
	text := "CONVERT(" + Quote(c.Name) + " USING utf8mb4)"
	again := "CAST(" + text + " AS JSON)"
	return "IF(JSON_STORAGE_SIZE(" + Quote(c.Name) + ") <> JSON_STORAGE_SIZE(" + again + ") OR " + Quote(c.Name) + " <> " + again +
		" OR " + text + " <> CONVERT(" + again + " USING utf8mb4) COLLATE utf8mb4_bin, " +
		"(WITH RECURSIVE leaf AS (SELECT CAST('$' AS CHAR(65000)) AS p, " + Quote(c.Name) + ` AS v UNION ALL
		SELECT IF(JSON_TYPE(leaf.v) = 'OBJECT', CONCAT(leaf.p, '.', JSON_QUOTE(x.k)), CONCAT(leaf.p, '[', x.n - 1, ']')),
		JSON_EXTRACT(leaf.v, IF(JSON_TYPE(leaf.v) = 'OBJECT', CONCAT('$.', JSON_QUOTE(x.k)), CONCAT('$[', x.n - 1, ']')))
		FROM leaf, JSON_TABLE(IF(JSON_TYPE(leaf.v) = 'OBJECT', JSON_KEYS(leaf.v), leaf.v), '$[*]' COLUMNS (n FOR ORDINALITY, k LONGTEXT PATH '$')) AS x
		WHERE JSON_TYPE(leaf.v) IN ('OBJECT', 'ARRAY'))
		SELECT JSON_ARRAYAGG(JSON_ARRAY(leaf.p, JSON_TYPE(leaf.v), CAST(leaf.v AS CHAR), CAST(JSON_STORAGE_SIZE(leaf.v) AS CHAR))) FROM leaf
		WHERE JSON_TYPE(leaf.v) NOT IN ('OBJECT', 'ARRAY', 'STRING', 'INTEGER', 'DOUBLE', 'BOOLEAN', 'NULL')), NULL)`
}

// Typed makes of a document's text, an SQL expression, and of what the column of
// SelectTyped says, an expression with the same types. What no expression has the
// type of stays as its text reads.
func Typed(text string, leaves []byte) (string, error) {
	var list [][4]string
	if err := json.Unmarshal(leaves, &list); err != nil {
		return "", fmt.Errorf("read the types of a document: %w", err)
	}
	var changes strings.Builder
	for _, leaf := range list {
		if value := leafValue(leaf[1], strings.Trim(leaf[2], `"`), leaf[3]); value != "" {
			changes.WriteString(", " + Literal(leaf[0]) + ", " + value)
		}
	}
	if changes.Len() == 0 {
		return text, nil
	}
	return "JSON_REPLACE(" + text + changes.String() + ")", nil
}

var (
	plainDecimal = regexp.MustCompile(`^-?(\d+)(?:\.(\d+))?$`)
	plainTime    = regexp.MustCompile(`^[-0-9:. ]+$`)
	// A TIMESTAMP reaches from 1970 to 2038; near its ends it may be none elsewhere.
	plainTimestamp = regexp.MustCompile(`^(?:19[7-9]|20[0-2])\d-[-0-9:. ]+$`)
	plainBytes     = regexp.MustCompile(`^base64:type15:([A-Za-z0-9+/=]*)$`)
)

// leafValue is a value of a type of JSON's that takes so many bytes, "" if that
// cannot be had.
func leafValue(kind, text, size string) string {
	switch {
	case kind == "DECIMAL":
		return decimal(text, size)
	case kind == "UNSIGNED INTEGER" && plainDecimal.MatchString(text):
		return "CAST('" + text + "' AS UNSIGNED)"
	case kind == "DATE" && plainTime.MatchString(text):
		return "CAST('" + text + "' AS DATE)"
	case (kind == "TIME" || kind == "DATETIME") && plainTime.MatchString(text):
		return "CAST('" + text + "' AS " + kind + "(6))"
	case kind == "TIMESTAMP" && plainTimestamp.MatchString(text):
		return `(SELECT v FROM JSON_TABLE('"` + text + `"', '$' COLUMNS (v TIMESTAMP(6) PATH '$')) AS x)`
	case kind == "BLOB":
		if m := plainBytes.FindStringSubmatch(text); m != nil {
			if b, err := base64.StdEncoding.DecodeString(m[1]); err == nil {
				return fmt.Sprintf("X'%x'", b)
			}
		}
	}
	return ""
}

// decimal is a DECIMAL as a document keeps it: with the digits that a literal has,
// or in front of the point with as many as full words hold, as of a column.
func decimal(text, size string) string {
	m := plainDecimal.FindStringSubmatch(text)
	if m == nil || len(m[1])+len(m[2]) > 65 {
		return ""
	}
	const around = 5 // the type twice, the length, the precision, the scale
	for _, whole := range []int{len(m[1]), len(strings.TrimLeft(m[1], "0"))} {
		if size == strconv.Itoa(around+decimalBytes(whole)+decimalBytes(len(m[2]))) {
			return text
		}
	}
	return fmt.Sprintf("CAST('%s' AS DECIMAL(%d,%d))", text, len(m[1])+len(m[2]), len(m[2]))
}

// decimalBytes is how many bytes digits take: four for nine of them.
func decimalBytes(digits int) int {
	return digits/9*4 + [...]int{0, 1, 1, 2, 2, 3, 3, 4, 4}[digits%9]
}
