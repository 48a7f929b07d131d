package storedlog

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/event"
)

// startedOf is what the formats say, of files that are read from a set on, of
// when the master started. A slave drops temporary tables where it is not 0.
func startedOf(t *testing.T, l *Log, have *cluster.GTIDSet) (out []uint32) {
	r, err := l.Read(have)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for {
		p, err := r.Next(done())
		if err != nil {
			return out
		}
		if p.Start {
			f, err := event.ParseFormat(p.Format)
			if err != nil || !p.Format.ChecksumOK() {
				t.Fatal(err)
			}
			out = append(out, f.Created)
		}
	}
}

// Slaves drop the master's temporary tables when it started anew, once: not
// when a connection to it broke, nor where a file had grown long, nor when they
// join in mid-file.
func TestTemporaryTablesAreKept(t *testing.T) {
	c := Config{Dir: t.TempDir(), FileSize: 1000}
	l := opened(t, c)
	if err := l.Rotate(formatOf("9.7.4", 500)); err != nil { // of a file that goes
		t.Fatal(err)
	}
	n := uint64(0)
	for _, created := range []uint32{0, 500, 500, 0, 500, 900, 900} {
		if n == 6 { // the log, too, starts anew
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			l = opened(t, c)
		}
		if err := l.Rotate(formatOf("9.7.4", created)); err != nil {
			t.Fatal(err)
		}
		write(t, l, n+1, n+2, 900)
		n += 2
	}
	want := []uint32{0, 0, 500, 0, 0, 0, 0, 0, 0, 0, 900, 0, 0, 0}
	if got := startedOf(t, l, set(t, "")); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	whole := opened(t, Config{Dir: t.TempDir()})
	if err := whole.Rotate(formatOf("9.7.4", 500)); err != nil {
		t.Fatal(err)
	}
	const size = 2 << 20
	write(t, whole, 1, 3, size)
	for have, want := range map[string]uint32{"": 500, "1-2": 0} {
		if got := startedOf(t, whole, set(t, have)); !slices.Equal(got, []uint32{want}) {
			t.Errorf("behind %q: %v", have, got)
		}
	}
}

// A log that is seeded again begins again, also after a restart; a reader that
// was there before goes on.
func TestSeed(t *testing.T) {
	c := Config{Dir: t.TempDir()}
	l := opened(t, c)
	rotate(t, l)
	r, err := l.Read(set(t, ""))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	drain(t, r)
	for _, behind := range []string{"1-4", "1-9"} {
		if err := l.Seed(set(t, behind)); err != nil {
			t.Fatal(err)
		}
		if !l.Executed().Equal(set(t, behind)) || !l.Oldest().Equal(set(t, behind)) || len(l.Files()) > 0 {
			t.Errorf("%s, %s, %v", l.Executed(), l.Oldest(), l.Files())
		}
		if behind == "1-4" {
			rotate(t, l)
		}
	}
	rotate(t, l)
	write(t, l, 10, 11, 10)
	if got := drain(t, r); !bytes.Equal(got.raw, joined(10, 11, 10)) {
		t.Errorf("a reader from before gets %d bytes", len(got.raw))
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	again := opened(t, c)
	if !again.Executed().Equal(set(t, "1-11")) || !again.Oldest().Equal(set(t, "1-9")) {
		t.Errorf("after a restart: %s, %s", again.Executed(), again.Oldest())
	}
}

// What a log remembers of files that an operator moved away is forgotten when
// it is seeded.
func TestSeedForgetsWhatWasDurable(t *testing.T) {
	c := Config{Dir: t.TempDir()}
	mark := append(binary.LittleEndian.AppendUint64(nil, 3), make([]byte, 12)...)
	l := opened(t, c)
	if err := os.WriteFile(filepath.Join(c.Dir, markName), mark, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := l.Seed(set(t, "1-4")); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(c.Dir, markName)); !os.IsNotExist(err) {
		t.Errorf("it is still there: %v", err)
	}
}

// An index that was made of a file of another length is not that file's.
func TestIndexOfAnotherFile(t *testing.T) {
	marks := []mark{{100, set(t, "1-3")}, {2000, set(t, "1-30")}}
	raw := encodeIndex(5000, marks)
	if got, err := decodeIndex(raw, 5000); err != nil || len(got) != 2 || got[1].offset != 2000 || !got[1].before.Equal(set(t, "1-30")) {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := decodeIndex(raw, 5001); err == nil {
		t.Error("an index of another length fits")
	}
	for at := range raw {
		raw[at] ^= 2
		if got, err := decodeIndex(raw, 5000); err == nil {
			t.Errorf("with a bit of byte %d turned: %v", at, got)
		}
		raw[at] ^= 2
	}
}
