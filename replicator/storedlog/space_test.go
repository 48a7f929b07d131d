package storedlog

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
)

// The file that is written is longer than what is in it, by room that is no part
// of the log: it counts nowhere, is not there in a file that is done, and what a
// kill leaves of it is no damage.
func TestRoom(t *testing.T) {
	for _, key := range [][]byte{nil, testKey} {
		dir := t.TempDir()
		l := opened(t, Config{Dir: dir, Key: key})
		shift := int64(0)
		if key != nil {
			shift = sealedHeader
		}
		long := func(name string) int64 {
			info, err := os.Stat(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			return info.Size() - shift
		}
		rotate(t, l)
		write(t, l, 1, 3, 50)
		used := l.Files()[0].Size
		if got := long("bellwether.000001"); got < used+roomStep/2 {
			t.Errorf("the file has %d bytes, %d of them used", got, used)
		}
		if files, err := List(dir, key); err != nil || files[0].Size != used {
			t.Errorf("%d bytes of the file are told, want %d (%v)", files[0].Size, used, err)
		}
		if v, err := Verify(t.Context(), dir, key); err != nil || v.Open != 0 || len(v.Problems) > 0 || v.Bytes != used {
			t.Errorf("%+v, %v", v, err)
		}
		rotate(t, l)
		if got := long("bellwether.000001"); got != used {
			t.Errorf("the file has %d bytes when it is done, want %d", got, used)
		}
		write(t, l, 4, 5, 50)
		second := l.Files()[1].Size
		left := t.TempDir() // as a kill leaves it
		if err := os.CopyFS(left, os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
		dir = left
		var said bytes.Buffer
		l, err := Open(Config{Dir: dir, Flavour: flavour, Key: key}, slog.New(slog.NewTextHandler(&said, nil)))
		if err != nil || l.Executed().Count() != 5 || said.Len() > 0 || long("bellwether.000002") != second {
			t.Errorf("%d transactions, %d bytes, want %d; said %q (%v)", l.Executed().Count(), long("bellwether.000002"), second, &said, err)
		}
		rotate(t, l)
		write(t, l, 6, 6, 50)
		third := l.Files()[2].Size
		if err := l.Close(); err != nil || long("bellwether.000003") != third {
			t.Errorf("%d bytes after it was closed, want %d (%v)", long("bellwether.000003"), third, err)
		}
	}
}

// What comes in much at once has no room: it would be written twice.
func TestNoRoomBehindMuch(t *testing.T) {
	l := opened(t, Config{Dir: t.TempDir()})
	rotate(t, l)
	write(t, l, 1, 3, mostBulk)
	if info, err := os.Stat(l.path("bellwether.000001")); err != nil || info.Size() != l.Files()[0].Size {
		t.Errorf("%d bytes, %d of them used (%v)", info.Size(), l.Files()[0].Size, err)
	}
}
