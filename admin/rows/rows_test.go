package rows

import (
	"bytes"
	"database/sql"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"unicode/utf8"
)

// table is a result from memory that may break.
type table struct {
	rows   [][][]byte
	repeat int // how often the rows come
	at     int
	broken error
}

func (r *table) Next() bool { r.at++; return r.at <= len(r.rows)*r.repeat }
func (r *table) Err() error { return r.broken }
func (r *table) Scan(into ...any) error {
	for i, value := range r.rows[(r.at-1)%len(r.rows)] {
		*into[i].(*sql.RawBytes) = value
	}
	return nil
}

var _ Result = (*table)(nil)

var every = []Column{
	{"big", KindOf("UNSIGNED BIGINT")}, {"dec", KindOf("DECIMAL")}, {"fill", KindOf("UNSIGNED INT")}, {"bit", KindOf("BIT")}, {"bin", KindOf("VARBINARY")},
	{"doc", KindOf("JSON")}, {"at", KindOf("DATETIME")}, {"text", KindOf("TEXT")}, {"text", KindOf("VARCHAR")}, {`q"`, KindOf("")},
}

func row(values ...string) [][]byte {
	all := make([][]byte, len(values))
	for i, value := range values {
		if value != "NULL" {
			all[i] = []byte(value)
		}
	}
	return all
}

var both = [][][]byte{
	row("18446744073709551615", "-12345678901234567890.1234567890", "00042", "\x01\x02", "\x00\xff", `{"a":[1,2.50]}`, "2026-11-23 00:00:00.000001",
		"a \"b\" \\ \n\r\t\x01 ü 🔔", "x\xffy", ""),
	row("NULL", "NULL", "NULL", "NULL", "NULL", "NULL", "NULL", "NULL", "NULL", "NULL"),
}

func TestJSON(t *testing.T) {
	var out bytes.Buffer
	count, started, err := Write(&out, &table{rows: both, repeat: 1}, every, FormatJSON)
	if err != nil || count != 2 || !started {
		t.Fatalf("%d, %t, %v", count, started, err)
	}
	want := `[{"big":18446744073709551615,"dec":-12345678901234567890.1234567890,"fill":42,"bit":258,"bin":{"base64":"AP8="},` +
		`"doc":{"a":[1,2.50]},"at":"2026-11-23 00:00:00.000001","text":"a \"b\" \\ \n\r\t\u0001 ü 🔔","text_2":"x\ufffdy","q\"":""},` + "\n" +
		`{"big":null,"dec":null,"fill":null,"bit":null,"bin":null,"doc":null,"at":null,"text":null,"text_2":null,"q\"":null}]` + "\n"
	if out.String() != want || !json.Valid(out.Bytes()) {
		t.Errorf("got  %s\nwant %s", out.String(), want)
	}
}

func TestLines(t *testing.T) {
	var out bytes.Buffer
	if _, _, err := Write(&out, &table{rows: both, repeat: 1}, every, FormatNDJSON); err != nil {
		t.Fatal(err)
	}
	if lines := strings.Split(out.String(), "\n"); len(lines) != 3 || !json.Valid([]byte(lines[0])) || !json.Valid([]byte(lines[1])) {
		t.Errorf("%q", out.String())
	}
	out.Reset()
	if _, _, err := Write(&out, &table{rows: both, repeat: 1}, every, FormatCSV); err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(out.String(), ",\"\"\r\n,,,,,,,,,\r\n") {
		t.Errorf("an empty string and NULL look alike: %q", out.String())
	}
	read, err := csv.NewReader(&out).ReadAll()
	if err != nil || len(read) != 3 || read[0][8] != "text_2" || read[1][4] != "AP8=" || read[1][0] != "18446744073709551615" {
		t.Errorf("%q, %v", read, err)
	}
}

func TestNothing(t *testing.T) {
	for f, want := range map[Format]string{FormatJSON: "[]\n", FormatNDJSON: "", FormatCSV: "a\r\n"} {
		var out bytes.Buffer
		if _, _, err := Write(&out, &table{}, []Column{{"a", KindText}}, f); err != nil || out.String() != want {
			t.Errorf("%s: %q, %v", f, out.String(), err)
		}
	}
}

// An error that comes with the first rows comes before anything is written;
// after that the array stays open.
func TestBroken(t *testing.T) {
	broken := errors.New("broken")
	for _, c := range []struct {
		repeat  int
		started bool
	}{{1, false}, {1000, true}} {
		var out bytes.Buffer
		_, started, err := Write(&out, &table{rows: both, repeat: c.repeat, broken: broken}, every, FormatJSON)
		if !errors.Is(err, broken) || started != c.started || started != (out.Len() > 0) || json.Valid(out.Bytes()) {
			t.Errorf("%d rows: %t, %v, %d bytes", c.repeat, started, err, out.Len())
		}
	}
}

func TestMemoryDoesNotGrow(t *testing.T) {
	cost := func(repeat int) float64 {
		return testing.AllocsPerRun(3, func() {
			_, _, err := Write(io.Discard, &table{rows: both, repeat: repeat}, every, FormatJSON)
			if err != nil {
				t.Fatal(err)
			}
		})
	}
	if few, many := cost(1000), cost(20000); many > 2*few { // a collection may empty the pools of buffers in between
		t.Errorf("%v allocations for 2,000 rows, %v for 40,000", few, many)
	}
}

func TestAccepted(t *testing.T) {
	for header, want := range map[string]Format{
		"": FormatJSON, "*/*": FormatJSON, "text/csv": FormatCSV, "application/x-ndjson": FormatNDJSON, "text/html": FormatUnknown,
		"text/csv;q=0.5, application/json": FormatJSON, "text/html, text/csv;q=0.1": FormatCSV, "application/json;q=0": FormatUnknown,
		"text/html,application/xhtml+xml,*/*;q=0.8": FormatJSON,
	} {
		if got := Accepted(header); got != want {
			t.Errorf("%q: %s, want %s", header, got, want)
		}
	}
}

func FuzzString(f *testing.F) {
	f.Add([]byte("a\"\\\x00\x1f\x7f\xff\xc3\xbc\xed\xa0\x80"))
	f.Fuzz(func(t *testing.T, text []byte) {
		var back string
		if err := json.Unmarshal(appendString(nil, text), &back); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if want := strings.ToValidUTF8(string(text), "\uFFFD"); utf8.Valid(text) && back != want {
			t.Fatalf("%q came back as %q", text, back)
		}
	})
}
