package storedlog

import (
	"bytes"
	"testing"

	"github.com/bellwether-db/bellwether/cluster"
)

// FuzzTail puts any bytes behind what was synced: the log opens with all of
// that, with whole transactions only, and with the same ones when it is opened
// again.
func FuzzTail(f *testing.F) {
	whole := joined(3, 4, 10)
	for _, cut := range []int{0, 1, 18, 19, len(whole) / 2, len(whole) - 1, len(whole)} {
		f.Add(whole[:cut])
	}
	f.Fuzz(func(t *testing.T, tail []byte) {
		d := newMemDisk()
		l, err := on(d, Config{})
		if err != nil {
			t.Fatal(err)
		}
		rotate(t, l)
		write(t, l, 1, 2, 10)
		raw := d.files["bellwether.000001"]
		torn := with(d, "bellwether.000001", append(bytes.Clone(raw.now), tail...))
		if l, err = on(torn, Config{}); err != nil {
			t.Fatal(err)
		}
		first := take(t, l, set(t, ""))
		if !bytes.HasPrefix(first.raw, joined(1, 2, 10)) || !bytes.HasPrefix(append(joined(1, 2, 10), tail...), first.raw) || l.Executed().Count() < 2 {
			t.Fatalf("%d bytes, %s", len(first.raw), l.Executed())
		}
		again, err := on(torn, Config{})
		if err != nil || !again.Executed().Equal(l.Executed()) || !bytes.Equal(take(t, again, set(t, "")).raw, first.raw) {
			t.Fatalf("opened again: %s, not %s: %v", again.Executed(), l.Executed(), err)
		}
	})
}

// FuzzFile takes any bytes as a file, and as an index: they are refused or
// read, with whatever sets they name.
func FuzzFile(f *testing.F) {
	s := &segment{format: mysqlFormat, before: set(f, "1-3")}
	f.Add(append(s.header(1), joined(4, 5, 10)...))
	f.Add(encodeIndex(9999, []mark{{500, set(f, "1-3")}, {900, set(f, "1-7")}}))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if marks, err := decodeIndex(raw, 9999); err == nil {
			for _, m := range marks {
				if m.before.Flavour() == cluster.FlavourUnknown {
					t.Fatal("a mark of no set")
				}
			}
		}
		d := newMemDisk()
		d.files["bellwether.000001"] = &memFile{disk: d, now: bytes.Clone(raw), durable: raw, dirty: map[int]bool{}}
		l, err := on(d, Config{})
		if err != nil {
			return
		}
		take(t, l, l.Oldest())
		rotate(t, l)
	})
}
