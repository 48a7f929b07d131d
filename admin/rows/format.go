// Package rows writes the rows of a result as JSON, as NDJSON or as CSV, one
// after the other in a buffer that does not grow with their number, and exact
// for every type that MySQL and MariaDB have.
package rows

import (
	"mime"
	"strconv"
	"strings"
)

// Format is how rows are written.
type Format uint8

// The formats.
const (
	FormatUnknown Format = iota
	FormatJSON           // one array of objects
	FormatNDJSON         // one object a line
	FormatCSV            // RFC 4180, with a first line of names
)

// String returns the format's name in lower case.
func (f Format) String() string { return [...]string{"unknown", "json", "ndjson", "csv"}[min(f, 3)] }

// ContentType is the format's media type.
func (f Format) ContentType() string {
	return [...]string{"", "application/json", "application/x-ndjson", "text/csv; charset=utf-8; header=present"}[min(f, 3)]
}

// Accepted returns the format that a header Accept likes best; JSON where it
// says nothing or has no wish. It is FormatUnknown where none is taken.
func Accepted(header string) Format {
	if strings.TrimSpace(header) == "" {
		return FormatJSON
	}
	best, most := FormatUnknown, 0.0
	for wish := range strings.SplitSeq(header, ",") {
		kind, parameters, err := mime.ParseMediaType(wish)
		if err != nil {
			continue
		}
		weight := 1.0
		if q, given := parameters["q"]; given {
			if weight, err = strconv.ParseFloat(q, 64); err != nil {
				continue
			}
		}
		if f := named(kind); f != FormatUnknown && weight > most {
			best, most = f, weight
		}
	}
	return best
}

func named(kind string) Format {
	switch kind {
	case "application/json", "application/*", "*/*":
		return FormatJSON
	case "application/x-ndjson", "application/ndjson", "application/jsonl":
		return FormatNDJSON
	case "text/csv", "text/*":
		return FormatCSV
	}
	return FormatUnknown
}
