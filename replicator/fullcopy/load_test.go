package fullcopy

import (
	"bytes"
	"database/sql/driver"
	"errors"
	"io"
	"math"
	"testing"
	"testing/synctest"
	"time"
)

// script is rows that the driver would give.
type script struct {
	rows [][]driver.Value
	err  error // after them
}

func (s *script) Columns() []string { return nil }
func (s *script) Close() error      { return nil }
func (s *script) Next(dest []driver.Value) error {
	if len(s.rows) == 0 {
		return s.err
	}
	copy(dest, s.rows[0])
	s.rows = s.rows[1:]
	return nil
}

func TestRowReader(t *testing.T) {
	rows := [][]driver.Value{
		{nil, []byte("a\tb\nc\\d\x00e"), int64(-1)}, {uint64(1<<64 - 1), 0.1, []byte{}}, {math.Copysign(0, -1), []byte(`\N`), []byte("ü")},
	}
	r := &rowReader{rows: &script{rows, io.EOF}, values: make([]driver.Value, 3), columns: 3, took: func(int) error { return nil }}
	got, err := io.ReadAll(r)
	want := "\\N\ta\\tb\\nc\\\\d\\0e\t-1\n18446744073709551615\t0.1\t\n-0\t\\\\N\tü\n"
	if err != nil || string(got) != want || r.count != 3 || r.err != nil {
		t.Errorf("%q, %v, %d rows; want %q", got, err, r.count, want)
	}
}

// A row is larger than the buffer; the room is given back after it.
func TestRowReaderLargeRow(t *testing.T) {
	large := bytes.Repeat([]byte{'x'}, 40*bufferSize)
	r := &rowReader{rows: &script{[][]driver.Value{{large}, {[]byte("y")}}, io.EOF}, values: make([]driver.Value, 1), columns: 1, took: func(int) error { return nil }}
	got, err := io.ReadAll(r)
	if err != nil || len(got) != len(large)+3 || cap(r.buffer) > 16*bufferSize {
		t.Errorf("%d bytes, %v, room for %d", len(got), err, cap(r.buffer))
	}
}

// An error of the source is not taken for the end of its rows.
func TestRowReaderFails(t *testing.T) {
	lost := errors.New("lost")
	r := &rowReader{rows: &script{[][]driver.Value{{[]byte("x")}}, lost}, values: make([]driver.Value, 1), columns: 1, took: func(int) error { return nil }}
	if _, err := io.ReadAll(r); !errors.Is(err, lost) || !errors.Is(r.err, lost) {
		t.Errorf("%v, kept %v", err, r.err)
	}
}

func TestPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &pace{perSecond: 1000}
		begun := time.Now()
		for range 5 {
			if err := p.take(t.Context(), 500); err != nil {
				t.Fatal(err)
			}
		}
		if spent := time.Since(begun); spent != 2*time.Second {
			t.Errorf("2500 bytes at 1000 a second, the last 500 on credit: %v", spent)
		}
		time.Sleep(time.Hour) // idleness earns nothing
		begun = time.Now()
		for range 3 {
			_ = p.take(t.Context(), 500)
		}
		if spent := time.Since(begun); spent != time.Second {
			t.Errorf("1500 bytes after an hour: %v", spent)
		}
	})
}
